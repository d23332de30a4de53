//! A body that is here already, and what is alive of it against what was asked for.

use std::cell::LazyCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use peak_alloc::PeakAlloc;
use tokio::runtime::Runtime;

use crate::intake::{Failed, Head, Heavy, Limits, Submission, Upload, parse};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What may be alive without having been asked for: copies of the head, which is an input here, too.
const CONSTANT_BYTES: u64 = 48 * 1024;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trouble {
    OutOfMemory,
    Broken,
}

struct Meter {
    frames: VecDeque<Result<Bytes, Trouble>>,
    memory_bytes: u64,
    asked_bytes: u64,
    alive_before: usize,
}

/// Parses frames with so much memory to keep bytes in.
pub fn read(
    head: Head,
    limits: &Limits,
    frames: Vec<Result<Bytes, Trouble>>,
    memory_bytes: u64,
) -> Result<Submission, Failed<Trouble>> {
    thread_local! {
        static RUNTIME: LazyCell<Runtime> = LazyCell::new(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            runtime.expect("a runtime")
        });
    }
    RUNTIME.with(|runtime| {
        let heavy = Heavy::default();
        ALLOCATOR.reset_peak_usage();
        let mut meter = Meter {
            frames: frames.into(),
            memory_bytes,
            asked_bytes: 0,
            alive_before: ALLOCATOR.current_usage(),
        };
        let parsed = runtime.block_on(parse(head, &mut meter, limits, &heavy));
        meter.look();
        parsed
    })
}

impl Meter {
    fn look(&mut self) {
        let alive = ALLOCATOR
            .peak_usage()
            .saturating_sub(self.alive_before) as u64;
        let asked = self.asked_bytes;
        assert!(
            alive <= asked + CONSTANT_BYTES,
            "{alive} bytes alive, {asked} asked for"
        );
        ALLOCATOR.reset_peak_usage();
    }
}

impl Stream for Meter {
    type Item = Result<Bytes, Trouble>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.look();
        Poll::Ready(self.frames.pop_front())
    }
}

impl Upload for Meter {
    type Error = Trouble;

    fn hold(&mut self, bytes: u64) -> Result<(), Trouble> {
        self.look();
        if bytes > self.memory_bytes && bytes > self.asked_bytes {
            return Err(Trouble::OutOfMemory);
        }
        self.asked_bytes = bytes;
        Ok(())
    }
}
