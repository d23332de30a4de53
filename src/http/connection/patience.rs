//! How long a connection without a request is waited for.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::places::Places;

/// What was sent before the stop signal is here after this.
pub const LAST_MOMENT: Duration = Duration::from_secs(1);

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// All that comes before the first request is served: PROXY header, TLS handshake, head.
    First,
    /// The first byte of another request.
    Next,
    /// The rest of its head.
    Rest,
}

/// One connection's deadlines.
#[derive(Clone)]
pub struct Patience {
    pub opened: Instant,
    pub header_timeout: Duration,
    pub keep_alive: Duration,
    pub places: Arc<Places>,
    pub stop: CancellationToken,
}

impl Patience {
    /// Ends when it was waited long enough, when the connection must give way, or when the process stops.
    pub fn end(&self, awaited: Awaited) -> BoxFuture<'static, ()> {
        let (deadline, last_moment) = match awaited {
            Awaited::First => (self.opened + self.header_timeout, LAST_MOMENT),
            Awaited::Next => (Instant::now() + self.keep_alive, Duration::ZERO),
            Awaited::Rest => (Instant::now() + self.header_timeout, LAST_MOMENT),
        };
        let (waiting, stop) = (self.places.wait(), self.stop.clone());
        Box::pin(async move {
            let stopped = async {
                stop.cancelled().await;
                sleep(last_moment).await;
            };
            tokio::select! {
                () = sleep_until(deadline) => {}
                () = waiting.evicted() => {}
                () = stopped => {}
            }
        })
    }

    /// What comes, if it comes in time, before the first request.
    pub async fn first<T>(&self, coming: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            come = coming => Some(come),
            () = self.end(Awaited::First) => None,
        }
    }
}
