//! A request's body within its limits: bytes on the wire, time, least rate, memory.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::Stream;
use tokio::time::{Instant, Sleep};

use super::cause;
use super::lingering_close::UnreadBody;
use crate::crashmover::{OutOfMemory, Reservation};
use crate::intake::Upload;
use crate::settings::BodyLimits;

/// How long a client may be silent before its rate counts.
const GRACE: Duration = Duration::from_secs(10);
/// While others use half of the memory, what is held of a body has to be earned: at most so many times the bytes that
/// came. No report shrinks more than that, but for bombs.
const MOST_HELD_PER_BYTE: u64 = 64;
/// Not more than this is held of nearly all reports; less need not be earned.
const SMALL_BYTES: u64 = 1024 * 1024;
/// A client that holds no more than this keeps no other one out.
const LITTLE_BYTES: u64 = 64 * 1024;
/// While memory is short, a client that holds some has this long for the first byte, and for as many as it holds.
const SHORT_GRACE: Duration = Duration::from_secs(1);
const SHORT_TIMEOUT: Duration = Duration::from_secs(30);
/// How often it is looked whether memory is short.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why a body ended before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    TooLarge,
    TooSlow,
    /// No memory for more of it, or others need what it holds.
    OutOfMemory,
    /// The connection broke.
    Disconnected,
}

impl From<OutOfMemory> for BodyError {
    fn from(OutOfMemory: OutOfMemory) -> Self {
        Self::OutOfMemory
    }
}

/// A body's frames until its end, or until a limit is passed, and the memory for what is kept of them.
///
/// A connection that is shut down in the middle ends the stream as if that were the end: what came may be complete.
pub struct LimitedBody {
    data: BodyDataStream,
    limits: BodyLimits,
    /// Set by [`LimitedBody::admit`].
    reservation: Option<Reservation>,
    started: Instant,
    received_bytes: u64,
    has_begun: bool,
    has_ended: bool,
    timer: Pin<Box<Sleep>>,
}

impl LimitedBody {
    pub fn new(body: Body, limits: BodyLimits) -> Self {
        let started = Instant::now();
        let timer = Box::pin(tokio::time::sleep_until(started + LOOK_EVERY));
        Self {
            data: body.into_data_stream(),
            limits,
            reservation: None,
            started,
            received_bytes: 0,
            has_begun: false,
            has_ended: false,
            timer,
        }
    }

    /// Lets it take memory.
    pub fn admit(&mut self, reservation: Reservation) {
        self.reservation = Some(reservation);
    }

    /// The memory that it has taken, for what was made of it.
    pub fn take_reservation(&mut self) -> Option<Reservation> {
        self.reservation.take()
    }

    /// What was not read. Memory is given back.
    pub fn into_rest(self) -> UnreadBody {
        UnreadBody {
            data: self.data,
            was_asked_for: self.has_begun,
            most_bytes: 2 * self.limits.payload_bytes,
        }
    }

    /// True when the last frame was read.
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// When the body is too slow if nothing more comes until then.
    fn deadline(&self) -> Instant {
        let earned = self
            .received_bytes
            .checked_div(self.limits.min_bytes_per_second);
        let earned = earned.map_or(self.limits.timeout, Duration::from_secs);
        self.started + self.limits.timeout.min(GRACE.saturating_add(earned))
    }

    /// While memory is short, nobody keeps a share of it by silence: the more is held, the faster it has to come.
    fn gives_way(&self) -> bool {
        let Some(reservation) = &self.reservation else {
            return false;
        };
        if reservation.held_bytes() <= LITTLE_BYTES || !reservation.is_short() {
            return false;
        }
        let share = self.received_bytes as f64 / reservation.held_bytes().max(1) as f64;
        self.started.elapsed() > SHORT_GRACE + SHORT_TIMEOUT.mul_f64(share.min(1.0))
    }

    /// Nothing has come: until when is that all right?
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<BodyError> {
        loop {
            let deadline = self.deadline();
            if Instant::now() >= deadline {
                return Poll::Ready(BodyError::TooSlow);
            }
            if self.gives_way() {
                return Poll::Ready(BodyError::OutOfMemory);
            }
            ready!(self.timer.as_mut().poll(cx));
            let next = deadline.min(Instant::now() + LOOK_EVERY);
            self.timer.as_mut().reset(next);
        }
    }
}

impl Stream for LimitedBody {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        this.has_begun = true;
        match Pin::new(&mut this.data).poll_next(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.received_bytes += frame.len() as u64;
                let too_large = this.received_bytes > this.limits.payload_bytes;
                Poll::Ready(Some(if too_large {
                    Err(BodyError::TooLarge)
                } else {
                    Ok(frame)
                }))
            }
            Poll::Ready(None) => {
                this.has_ended = true;
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => {
                this.has_ended = true;
                Poll::Ready(if was_cut(&error) {
                    None
                } else {
                    Some(Err(BodyError::Disconnected))
                })
            }
            Poll::Pending => this.poll_patience(cx).map(|why| Some(Err(why))),
        }
    }
}

impl Upload for LimitedBody {
    type Error = BodyError;

    fn hold(&mut self, bytes: u64) -> Result<(), BodyError> {
        let Some(reservation) = &mut self.reservation else {
            return Err(BodyError::OutOfMemory);
        };
        let earned_bytes = SMALL_BYTES + MOST_HELD_PER_BYTE * self.received_bytes;
        if bytes > earned_bytes && bytes > reservation.held_bytes() && reservation.is_crowded() {
            return Err(BodyError::OutOfMemory);
        }
        Ok(reservation.hold(bytes)?)
    }
}

/// The client shut its side down before the announced end.
fn was_cut(error: &axum::Error) -> bool {
    let is_end = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
    cause::find::<hyper::Error>(error).is_some_and(|hyper| {
        hyper.is_incomplete_message()
            || hyper.is_body_write_aborted()
            || cause::find(error).is_some_and(is_end)
    })
}
