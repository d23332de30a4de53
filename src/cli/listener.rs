//! The socket that is listened on: the service manager's, if it hands one over, else one of our own.
//!
//! A socket of systemd's outlives the collector. Connections that come during a restart wait in it instead of being
//! refused, and a crash reporter that is refused mostly does not come back.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use listenfd::ListenFd;
use tokio::net::TcpListener;

/// Listens on the socket that was handed over (`LISTEN_FDS`, as systemd does it), else on `address`.
///
/// # Errors
/// The address is taken; or what was handed over is not exactly one TCP socket that is listened on.
pub async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    if let Some(listener) = handed_over()? {
        tracing::info!("the socket was handed over, HOST and PORT have no effect");
        return Ok(listener);
    }
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}: is another process there? PORT and HOST choose")
    })
}

fn handed_over() -> anyhow::Result<Option<TcpListener>> {
    let mut handed = ListenFd::from_env();
    ensure!(
        handed.len() <= 1,
        "{} sockets were handed over, and the collector listens on one: give it a .socket unit of its own with one ListenStream",
        handed.len()
    );
    let listener = handed.take_tcp_listener(0).context(
        "what was handed over is no TCP socket that is listened on: the .socket unit needs ListenStream with a port, and no Accept=yes",
    )?;
    listener
        .map(|listener| {
            listener.set_nonblocking(true)?;
            TcpListener::from_std(listener)
        })
        .transpose()
        .context("cannot use the socket that was handed over")
}
