//! What is answered, by path.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::routing::get;

use crate::logging::LevelHandle;
use crate::metrics::{Labels, Metrics};
use crate::settings::{LogLevel, ResolvedValue};

use super::Readiness;
use super::figures::{Figures, spool_page};

/// `WARNING` and a line feed, with room.
const MOST_BODY_BYTES: usize = 64;
/// For those few bytes, from somebody near.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
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
    pub settings: Vec<ResolvedValue>,
    pub level: LevelHandle,
    pub has_spool: bool,
    /// Filled when the collector is put together.
    pub figures: Arc<OnceLock<Figures>>,
}

/// Answers a request that may be answered.
pub(super) fn routes(admin: Arc<Admin>) -> Router {
    Router::new()
        .route("/live", get(live))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .route("/settings", get(settings))
        .route("/spool", get(spool))
        .route("/log-level", get(log_level).put(set_log_level))
        .fallback(not_found)
        .with_state(admin)
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
    let gauges = admin.figures.get().map(Figures::gauges).unwrap_or_default();
    let page = admin.metrics.prometheus(&admin.labels, &gauges);
    with_type(StatusCode::OK, PROMETHEUS, page)
}

async fn settings(State(admin): State<Arc<Admin>>) -> Response<Body> {
    let settings = admin.settings.iter().map(|setting| {
        serde_json::json!({
            "name": setting.name(),
            "value": setting.shown,
            "source": setting.source,
            "section": setting.section(),
        })
    });
    json(&settings.collect())
}

async fn spool(State(admin): State<Arc<Admin>>) -> Response<Body> {
    if !admin.has_spool {
        return line(
            StatusCode::NOT_FOUND,
            "no spool: CRASHMOVER_SPOOL_DIR is not set",
        );
    }
    let spool = admin.figures.get().and_then(|it| it.spool.as_ref());
    match spool.and_then(spool_page) {
        Some(page) => json(&page),
        None => line(
            StatusCode::SERVICE_UNAVAILABLE,
            "the spool is not looked through yet: ask again in a moment",
        ),
    }
}

async fn log_level(State(admin): State<Arc<Admin>>) -> Response<Body> {
    line(StatusCode::OK, admin.level.get().name())
}

async fn set_log_level(State(admin): State<Arc<Admin>>, request: Request) -> Response<Body> {
    let body = to_bytes(request.into_body(), MOST_BODY_BYTES);
    let Ok(wanted) = tokio::time::timeout(BODY_TIMEOUT, body).await else {
        return line(StatusCode::REQUEST_TIMEOUT, "the body did not come in time");
    };
    let wanted = wanted.as_deref().map(String::from_utf8_lossy);
    let Some(level) = wanted.ok().and_then(|text| LogLevel::parse(text.trim())) else {
        return line(
            StatusCode::BAD_REQUEST,
            "the body must be DEBUG, INFO, WARNING, ERROR or CRITICAL",
        );
    };
    change_level(&admin.level, level);
    line(StatusCode::OK, level.name())
}

fn change_level(handle: &LevelHandle, level: LogLevel) {
    let before = handle.get();
    // Seen with either level, if one of them shows warnings.
    let tell = || tracing::warn!("log level {} instead of {}", level.name(), before.name());
    if level.shows_warnings() {
        handle.set(level);
        tell();
    } else {
        tell();
        handle.set(level);
    }
}

async fn not_found() -> Response<Body> {
    line(
        StatusCode::NOT_FOUND,
        "here are /live /ready /metrics /settings /spool /log-level",
    )
}

/// One line of text.
pub(super) fn line(status: StatusCode, text: &str) -> Response<Body> {
    with_type(status, TEXT, format!("{text}\n"))
}

fn json(value: &serde_json::Value) -> Response<Body> {
    with_type(StatusCode::OK, JSON, format!("{value:#}\n"))
}

fn with_type(status: StatusCode, content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}
