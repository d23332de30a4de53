//! The listener: open before anything is verified, and until everything is finished.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::settings::{self, AdminSettings};

use super::answers::{Admin, routes};
use super::connections::{Service, serve};
use super::guard::Guard;

/// The listener while it is open.
pub struct AdminDoor {
    close: CancellationToken,
    serving: JoinHandle<()>,
}

impl AdminDoor {
    /// Opens it.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn open(settings: &AdminSettings, admin: Admin) -> std::io::Result<Self> {
        let listener = TcpListener::bind(settings.listen).await?;
        let address = listener.local_addr()?;
        let service = Service {
            routes: routes(Arc::new(admin)),
            guard: guard(settings),
        };
        let close = CancellationToken::new();
        let serving = tokio::spawn(serve(listener, Arc::new(service), close.clone()));
        tracing::info!("admin listener on http://{address}");
        Ok(Self { close, serving })
    }

    /// Closes it; answers that are under way have a moment.
    pub async fn close(self) {
        self.close.cancel();
        let _ = self.serving.await;
    }
}

fn guard(settings: &AdminSettings) -> Guard {
    let own = settings::machine_name().to_ascii_lowercase();
    Guard {
        names: std::iter::once(own)
            .chain(settings.hosts.iter().cloned())
            .collect(),
        token: settings.token.clone(),
    }
}
