//! Taking connections from the kernel.

use std::net::TcpListener as StdListener;
use std::os::fd::AsFd;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use crate::logging::OnceIn;
use crate::metrics::{Count, Metrics};

/// What cannot be accepted now may be a moment later: too many open files, mostly.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(50);
/// It happens with every attempt.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// As many as the kernel lets wait.
const MOST_WAITING: usize = 4096;

/// A listener that goes on whatever fails.
pub struct Accepting {
    listener: TcpListener,
    failures: OnceIn,
    metrics: Metrics,
}

impl Accepting {
    pub fn on(listener: TcpListener, metrics: Metrics) -> Self {
        Self {
            listener,
            failures: OnceIn::new(TELL_EVERY),
            metrics,
        }
    }

    /// The next connection.
    pub async fn next(&self) -> TcpStream {
        loop {
            match self.listener.accept().await {
                Ok((connection, _address)) => return connection,
                Err(error) => {
                    self.metrics.count(Count::AcceptFailed);
                    if let Some(times) = self.failures.count() {
                        tracing::warn!(%error, times, "cannot accept connections");
                    }
                    tokio::time::sleep(PAUSE_AFTER_ERROR).await;
                }
            }
        }
    }

    /// What the kernel has accepted already: whole requests may wait there, and closing would reset them.
    pub fn waiting(&self) -> impl Iterator<Item = TcpStream> + use<> {
        // A second handle without the runtime, which may not have heard yet that a connection waits.
        let listener = self.listener.as_fd().try_clone_to_owned().ok();
        let listener = listener.map(StdListener::from);
        let accepted = (0..MOST_WAITING).map_while(move |_| accept(listener.as_ref()?));
        accepted.flatten()
    }
}

/// None when no connection waits. A connection that broke while it waited says nothing about the next one.
fn accept(listener: &StdListener) -> Option<std::io::Result<TcpStream>> {
    match listener.accept() {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => None,
        accepted => Some(accepted.and_then(|(connection, _address)| {
            connection.set_nonblocking(true)?;
            TcpStream::from_std(connection)
        })),
    }
}
