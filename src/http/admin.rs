//! The side door, for whoever runs the collector: metrics, readiness, settings, spool, log level.
//!
//! On an address of its own and without asking who comes, so that it can be kept from the outside. Nothing here touches
//! reports, and nothing waits for storage: it answers when everything else is stuck.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use axum::routing::get;
use tokio_util::sync::CancellationToken;

use crate::logging::LevelHandle;
use crate::metrics::{Labels, Metrics};
use crate::settings::{LoadedValue, LogLevel};

use super::Routes;
use super::reply::with_type;

/// `WARNING` and a line feed, with room.
const MOST_BODY_BYTES: usize = 64;
const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
/// What Prometheus expects of its text format.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What the admin listener can tell.
pub struct Admin {
    pub metrics: Metrics,
    pub labels: Labels,
    pub readiness: Readiness,
    /// Secrets are masked in it.
    pub settings: Vec<LoadedValue>,
    pub level: LevelHandle,
    /// The spool's figures; none while there is no spool.
    pub spool: Box<dyn Fn() -> Option<serde_json::Value> + Send + Sync>,
}

/// Whether a load balancer should send reports here.
#[derive(Clone, Default)]
pub struct Readiness {
    is_verified: Arc<AtomicBool>,
    stop: CancellationToken,
}

impl Readiness {
    /// Not ready yet, and not any more once `stop` is cancelled.
    pub fn until(stop: CancellationToken) -> Self {
        Self {
            is_verified: Arc::default(),
            stop,
        }
    }

    /// Storage and queue were verified, and the front door is open.
    pub fn set_ready(&self) {
        self.is_verified.store(true, Ordering::Release);
    }

    fn state(&self) -> Result<&'static str, &'static str> {
        if self.stop.is_cancelled() {
            Err("stopping: what was taken is finished, nothing new is accepted")
        } else if self.is_verified.load(Ordering::Acquire) {
            Ok("ready")
        } else {
            Err("starting: storage and queue are not verified yet")
        }
    }
}

/// The routes of the admin listener.
pub fn admin_routes(admin: Arc<Admin>) -> Routes {
    let router = Router::new()
        .route("/live", get(live))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .route("/settings", get(settings))
        .route("/spool", get(spool))
        .route("/log-level", get(log_level).put(set_log_level))
        .fallback(not_found)
        .with_state(admin);
    Routes::new(router)
}

async fn live() -> Response<Body> {
    line(StatusCode::OK, "live")
}

async fn ready(State(admin): State<Arc<Admin>>) -> Response<Body> {
    match admin.readiness.state() {
        Ok(text) => line(StatusCode::OK, text),
        Err(text) => line(StatusCode::SERVICE_UNAVAILABLE, text),
    }
}

async fn metrics(State(admin): State<Arc<Admin>>) -> Response<Body> {
    with_type(
        StatusCode::OK,
        PROMETHEUS,
        admin.metrics.prometheus(&admin.labels),
    )
}

async fn settings(State(admin): State<Arc<Admin>>) -> Response<Body> {
    let settings = admin.settings.iter().map(|setting| {
        serde_json::json!({
            "name": setting.name,
            "value": setting.shown,
            "source": setting.source,
            "section": setting.section,
        })
    });
    json(&settings.collect())
}

async fn spool(State(admin): State<Arc<Admin>>) -> Response<Body> {
    match (admin.spool)() {
        Some(figures) => json(&figures),
        None => line(
            StatusCode::NOT_FOUND,
            "no spool: CRASHMOVER_SPOOL_DIR is not set, or it is not open yet",
        ),
    }
}

async fn log_level(State(admin): State<Arc<Admin>>) -> Response<Body> {
    line(StatusCode::OK, admin.level.get().name())
}

async fn set_log_level(State(admin): State<Arc<Admin>>, request: Request) -> Response<Body> {
    let wanted = to_bytes(request.into_body(), MOST_BODY_BYTES).await.ok();
    let wanted = wanted.as_deref().map(String::from_utf8_lossy);
    let Some(level) = wanted.and_then(|text| LogLevel::parse(text.trim())) else {
        return line(
            StatusCode::BAD_REQUEST,
            "the body must be DEBUG, INFO, WARNING, ERROR or CRITICAL",
        );
    };
    let before = admin.level.get();
    // Seen with either level, if one of them shows warnings.
    let tell = || tracing::warn!("log level {} instead of {}", level.name(), before.name());
    if level.shows_warnings() {
        admin.level.set(level);
        tell();
    } else {
        tell();
        admin.level.set(level);
    }
    line(StatusCode::OK, level.name())
}

async fn not_found() -> Response<Body> {
    line(
        StatusCode::NOT_FOUND,
        "here are /live /ready /metrics /settings /spool /log-level",
    )
}

fn line(status: StatusCode, text: &str) -> Response<Body> {
    with_type(status, TEXT, format!("{text}\n"))
}

fn json(value: &serde_json::Value) -> Response<Body> {
    with_type(StatusCode::OK, JSON, format!("{value:#}\n"))
}
