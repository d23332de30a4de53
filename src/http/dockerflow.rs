//! The endpoints for whoever runs the collector: heartbeats, version, and an error on purpose.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use serde_json::json;

use crate::crash::to_python_json;
use crate::metrics::Count;

use super::Collector;
use super::reply::{error_document, with_type};

/// Whether a report could be kept now: really asks storage and queue. 503 with what is wrong if not.
pub async fn heartbeat(State(collector): State<Arc<Collector>>) -> Response<Body> {
    collector.metrics.count(Count::Heartbeat);
    let problems = collector.health.check().await;
    let status = if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let errors: Vec<_> = problems
        .iter()
        .map(|problem| json!({"name": problem.name, "msg": problem.message}))
        .collect();
    with_type(
        status,
        "application/json",
        to_python_json(&json!({"errors": errors})),
    )
}

/// Whether connections are handled: checks nothing.
pub async fn lbheartbeat(State(collector): State<Arc<Collector>>) -> Response<Body> {
    collector.metrics.count(Count::Lbheartbeat);
    with_type(
        StatusCode::OK,
        "application/json; charset=utf-8",
        Body::empty(),
    )
}

/// What runs here: `version.json` as it was found at start.
pub async fn version(State(collector): State<Arc<Collector>>) -> Response<Body> {
    collector.metrics.count(Count::Version);
    with_type(
        StatusCode::OK,
        "application/json; charset=utf-8",
        collector.version.clone(),
    )
}

/// Fails on purpose, to see whether errors are reported: once a second, so that a stranger cannot fill log and Sentry.
pub async fn broken(State(collector): State<Arc<Collector>>) -> Response<Body> {
    collector.metrics.count(Count::Broken);
    if collector.breaks.count().is_none() {
        return error_document(StatusCode::INTERNAL_SERVER_ERROR);
    }
    panic!("intentional exception at /__broken__")
}
