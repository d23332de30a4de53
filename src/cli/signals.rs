//! The signals that a running collector listens to: those that stop it, and the one that brings a new certificate.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::http::Certificates;

/// SIGHUP makes new connections get a new certificate, where there is TLS. It never ends the process: a closed terminal
/// sends it, and so does whoever is used to reload services.
pub fn watch_hangups(
    certificates: Option<Arc<Certificates>>,
) -> anyhow::Result<impl Future<Output = ()>> {
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        while hangup.recv().await.is_some() {
            match certificates.clone() {
                Some(certificates) => reload(certificates).await,
                None => {
                    tracing::info!("SIGHUP changes nothing: settings are read at a start only");
                }
            }
        }
    })
}

async fn reload(certificates: Arc<Certificates>) {
    match tokio::task::spawn_blocking(move || certificates.reload()).await {
        Ok(Ok(())) => tracing::info!("certificate and key were read again"),
        Ok(Err(error)) => {
            tracing::error!(%error, "the new certificate cannot be used: the old one stays in use");
        }
        Err(error) => tracing::error!(%error, "certificate and key were not read again"),
    }
}

/// The first SIGTERM or SIGINT stops in good order, the second shortens that.
pub fn watch_signals(
    stop: CancellationToken,
    hurry: CancellationToken,
) -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        for (token, message) in [
            (
                stop,
                "stopping: no new connections, what was taken is finished; a second signal shortens this",
            ),
            (hurry, "stopping in a hurry"),
        ] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("{message}");
            token.cancel();
        }
    })
}
