//! The admin listener, as the settings want it.

use std::sync::{Arc, OnceLock};

use anyhow::Context;

use crate::admin::{Admin, AdminDoor, Figures, Readiness};
use crate::logging::LevelHandle;
use crate::metrics::Metrics;
use crate::settings::{ResolvedSettings, Settings};

/// What the admin listener shows besides settings.
pub struct AdminParts {
    pub metrics: Metrics,
    pub readiness: Readiness,
    pub level: LevelHandle,
    /// Filled when the collector is put together.
    pub figures: Arc<OnceLock<Figures>>,
}

/// Opens the admin listener, if the settings want one.
///
/// # Errors
/// The address cannot be listened on.
pub async fn open_admin(
    settings: &Settings,
    resolved: &ResolvedSettings,
    parts: AdminParts,
) -> anyhow::Result<Option<AdminDoor>> {
    let Some(wanted) = &settings.admin else {
        return Ok(None);
    };
    let admin = Admin {
        metrics: parts.metrics,
        labels: super::metrics::labels(settings),
        readiness: parts.readiness,
        settings: resolved.values.clone(),
        level: parts.level,
        has_spool: settings.spool.is_some(),
        figures: parts.figures,
    };
    let door = AdminDoor::open(wanted, admin).await;
    door.map(Some)
        .with_context(|| format!("cannot listen on ADMIN_LISTEN={}", wanted.listen))
}
