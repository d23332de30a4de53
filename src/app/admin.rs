//! The admin listener: open before anything is verified, and until everything is finished.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::http::{Admin, Readiness, Server, ServerConfig, admin_routes};
use crate::logging::LevelHandle;
use crate::metrics::{Labels, Metrics};
use crate::settings::{Loaded, Settings};
use crate::spool::{Spool, Tally};

/// A Prometheus, a kubelet and some people; each may have more than one connection.
const MAX_CONNECTIONS: usize = 32;
/// Whoever asks is near.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// For the last answer at the end.
const LAST_ANSWER: Duration = Duration::from_millis(200);

/// The listener while it is open.
pub struct AdminDoor {
    address: SocketAddr,
    close: CancellationToken,
    serving: JoinHandle<()>,
}

/// What `AdminDoor::open` shows besides settings.
pub struct AdminParts {
    pub metrics: Metrics,
    pub readiness: Readiness,
    pub level: LevelHandle,
    /// Filled when the spool is open.
    pub spool: Arc<OnceLock<Spool>>,
}

impl AdminDoor {
    /// Opens it, if the settings want one.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn open(
        settings: &Settings,
        loaded: &Loaded,
        parts: AdminParts,
    ) -> anyhow::Result<Option<Self>> {
        let Some(wanted) = settings.http.admin_listen else {
            return Ok(None);
        };
        let listener = TcpListener::bind(wanted)
            .await
            .with_context(|| format!("cannot listen on ADMIN_LISTEN={wanted}"))?;
        let address = listener.local_addr()?;
        let metrics = parts.metrics.clone();
        let admin = Admin {
            metrics: parts.metrics,
            labels: labels(settings),
            readiness: parts.readiness,
            settings: loaded.values.clone(),
            level: parts.level,
            spool: Box::new(move || parts.spool.get().map(figures)),
        };
        let config = ServerConfig {
            max_connections: MAX_CONNECTIONS,
            header_timeout: HEADER_TIMEOUT,
            keep_alive: HEADER_TIMEOUT,
            leaves_waiting: false,
        };
        let server = Server::new(listener, admin_routes(Arc::new(admin)), config, metrics);
        let close = CancellationToken::new();
        let closed = close.clone();
        let serving = tokio::spawn(async move {
            server
                .serve(closed, async || tokio::time::sleep(LAST_ANSWER).await)
                .await;
        });
        tracing::info!("admin listener on http://{address}");
        Ok(Some(Self {
            address,
            close,
            serving,
        }))
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes it; connections that are kept alive are not waited for.
    pub async fn close(self) {
        self.close.cancel();
        let _ = self.serving.await;
    }
}

fn labels(settings: &Settings) -> Labels {
    let statsd = settings.statsd.as_ref();
    Labels {
        namespace: statsd.map(|it| it.namespace.clone()).unwrap_or_default(),
        host: settings.general.host_id.clone().unwrap_or_default(),
    }
}

fn figures(spool: &Spool) -> serde_json::Value {
    let stats = spool.stats();
    json!({
        "save": tally(stats.save),
        "publish": tally(stats.publish),
        "failed": tally(stats.failed),
        "room_bytes": stats.room_bytes,
        "is_failing": spool.is_failing(),
    })
}

fn tally(tally: Tally) -> serde_json::Value {
    let age = |oldest| SystemTime::now().duration_since(oldest).unwrap_or_default();
    json!({
        "entries": tally.entries,
        "bytes": tally.bytes,
        "oldest_seconds": tally.oldest.map(|oldest| age(oldest).as_secs()),
    })
}
