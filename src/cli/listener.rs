//! The socket that is listened on: the service manager's, if it hands one over, else one of our own.
//!
//! A socket of systemd's outlives the collector. Connections that come during a restart wait in it instead of being
//! refused, and a crash reporter that is refused mostly does not come back.

use std::io;
use std::net::SocketAddr;

use anyhow::{anyhow, bail, ensure};
use listenfd::ListenFd;
use rustix::net::sockopt::socket_acceptconn;
use tokio::net::TcpListener;

/// What was handed over, if anything.
pub struct InheritedSocket(Option<std::net::TcpListener>);

impl InheritedSocket {
    /// To be called before anything else opens files or starts threads: what is handed over are numbers of descriptors, and
    /// the environment that names them is cleared.
    ///
    /// # Errors
    /// It is not exactly one TCP socket that is listened on.
    pub fn take() -> anyhow::Result<Self> {
        let mut handed = ListenFd::from_env();
        ensure!(
            handed.len() <= 1,
            "{} sockets were handed over, and the collector listens on one: it needs a .socket unit with one ListenStream",
            handed.len()
        );
        match handed.take_tcp_listener(0) {
            Ok(None) => Ok(Self(None)),
            Ok(Some(listener)) if matches!(socket_acceptconn(&listener), Ok(true)) => {
                listener.set_nonblocking(true)?;
                Ok(Self(Some(listener)))
            }
            Ok(Some(_)) | Err(_) => bail!(
                "what was handed over is no TCP socket that is listened on: \
                 the .socket unit needs ListenStream with a port, and no Accept=yes"
            ),
        }
    }

    /// The socket of the service manager is there longer than we are.
    pub fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Listens on what was handed over, else on `address`.
    ///
    /// # Errors
    /// The address is taken.
    pub async fn listen(self, address: SocketAddr) -> anyhow::Result<TcpListener> {
        match self.0 {
            Some(listener) => {
                tracing::info!("the socket was handed over, HOST and PORT have no effect");
                Ok(TcpListener::from_std(listener)?)
            }
            None => TcpListener::bind(address)
                .await
                .map_err(|error| anyhow!(cannot_listen(address, "PORT", &error))),
        }
    }
}

/// Why an address cannot be listened on, and what to do; `setting` is the one that chooses it.
pub fn cannot_listen(address: SocketAddr, setting: &str, error: &io::Error) -> String {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => "another process is there".to_owned(),
        io::ErrorKind::PermissionDenied if address.port() < 1024 => {
            "ports below 1024 are for root, and for those with the capability CAP_NET_BIND_SERVICE \
             (AmbientCapabilities= of a systemd unit)"
                .to_owned()
        }
        io::ErrorKind::AddrNotAvailable => "this machine does not have that address".to_owned(),
        _ => error.to_string(),
    };
    format!("cannot listen on {address}: {advice}; {setting} decides")
}
