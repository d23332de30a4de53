//! A body whose frames come into being when they are read, and what is alive against what was asked for.

use std::pin::Pin;
use std::task::{Context, Poll};

use antenna::intake::Upload;
use bytes::Bytes;
use futures_util::Stream;
use peak_alloc::PeakAlloc;

use super::bodies::Body;
use super::dice::Dice;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The longest frame.
const FRAME_BYTES: usize = 8 * 1024;
/// What may be alive without having been asked for.
const CONSTANT_BYTES: u64 = FRAME_BYTES as u64 + 4 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

pub struct Meter<'b> {
    rest: &'b [u8],
    seed: u64,
    frame_bytes: usize,
    most_bytes: u64,
    asked_bytes: u64,
    alive_before: usize,
}

impl<'b> Meter<'b> {
    pub fn new(body: &'b Body, seed: u64, dice: &mut Dice) -> Self {
        let frame_bytes = dice.size(FRAME_BYTES).max(1);
        let most_bytes = if dice.one_in(4) {
            dice.size(1 << 21) as u64
        } else {
            u64::MAX
        };
        ALLOCATOR.reset_peak_usage();
        Self {
            rest: &body.wire,
            seed,
            frame_bytes,
            most_bytes,
            asked_bytes: 0,
            alive_before: ALLOCATOR.current_usage(),
        }
    }

    /// Since the last look nothing was alive beyond what was asked for then.
    pub fn look(&mut self) {
        let alive = ALLOCATOR.peak_usage().saturating_sub(self.alive_before) as u64;
        let (asked, seed) = (self.asked_bytes, self.seed);
        assert!(
            alive <= asked + CONSTANT_BYTES,
            "seed {seed}: {alive} bytes alive, {asked} asked for"
        );
        ALLOCATOR.reset_peak_usage();
    }
}

impl Stream for Meter<'_> {
    type Item = Result<Bytes, Refused>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.look();
        let (frame, rest) = self.rest.split_at(self.frame_bytes.min(self.rest.len()));
        self.rest = rest;
        let frame = (!frame.is_empty()).then(|| Ok(Bytes::copy_from_slice(frame)));
        Poll::Ready(frame)
    }
}

impl Upload for Meter<'_> {
    type Error = Refused;

    fn hold(&mut self, bytes: u64) -> Result<(), Refused> {
        self.look();
        if bytes > self.most_bytes && bytes > self.asked_bytes {
            return Err(Refused);
        }
        self.asked_bytes = bytes;
        Ok(())
    }
}
