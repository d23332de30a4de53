//! A request's body within its limits: bytes on the wire, time, least rate.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::Stream;
use tokio::time::{Instant, Sleep};

use super::lingering_close::UnreadBody;

/// What one body may take.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// Bytes on the wire, de-chunked. 25 MiB is what the proxy in front of the original let through.
    pub payload_bytes: u64,
    /// From head to last byte. Phones on bad networks need minutes; nobody needs longer.
    pub timeout: Duration,
    /// On average since the first seconds. Slower clients hold a connection and never finish.
    pub least_bytes_per_second: u64,
}

/// How long a client may be silent before its rate counts.
const GRACE: Duration = Duration::from_secs(10);

/// Why a body ended before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFailed {
    TooLarge,
    TooSlow,
    /// No memory for more of it.
    OutOfMemory,
    /// The connection broke.
    Disconnected,
}

/// A body's frames until its end, or until a limit is passed.
///
/// A connection that is shut down in the middle ends the stream as if that were the end: what came may be complete.
pub struct LimitedBody {
    data: BodyDataStream,
    limits: BodyLimits,
    started: Instant,
    received_bytes: u64,
    has_begun: bool,
    has_ended: bool,
    timer: Pin<Box<Sleep>>,
}

impl LimitedBody {
    pub fn new(body: Body, limits: BodyLimits) -> Self {
        let started = Instant::now();
        let timer = Box::pin(tokio::time::sleep_until(
            started + GRACE.min(limits.timeout),
        ));
        Self {
            data: body.into_data_stream(),
            limits,
            started,
            received_bytes: 0,
            has_begun: false,
            has_ended: false,
            timer,
        }
    }

    /// What was not read.
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
            .checked_div(self.limits.least_bytes_per_second);
        let earned = earned.map_or(self.limits.timeout, Duration::from_secs);
        self.started + self.limits.timeout.min(GRACE.saturating_add(earned))
    }
}

impl Stream for LimitedBody {
    type Item = Result<Bytes, BodyFailed>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        this.has_begun = true;
        match Pin::new(&mut this.data).poll_next(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.received_bytes += frame.len() as u64;
                let too_large = this.received_bytes > this.limits.payload_bytes;
                Poll::Ready(Some(if too_large {
                    Err(BodyFailed::TooLarge)
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
                    Some(Err(BodyFailed::Disconnected))
                })
            }
            Poll::Pending => {
                let deadline = this.deadline();
                if deadline != this.timer.deadline() {
                    this.timer.as_mut().reset(deadline);
                }
                this.timer
                    .as_mut()
                    .poll(cx)
                    .map(|()| Some(Err(BodyFailed::TooSlow)))
            }
        }
    }
}

/// The client shut its side down before the announced end.
fn was_cut(error: &axum::Error) -> bool {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            return error.is_incomplete_message()
                || error.is_body_write_aborted()
                || is_unexpected_end(error);
        }
        source = error.source();
    }
    false
}

fn is_unexpected_end(error: &hyper::Error) -> bool {
    use std::error::Error;
    let io = error
        .source()
        .and_then(|source| source.downcast_ref::<std::io::Error>());
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::UnexpectedEof)
}
