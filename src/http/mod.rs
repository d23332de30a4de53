//! The front door: routes, and what surrounds them.
//!
//! Methods are checked here and not by the router, because the recorded answers name `OPTIONS` and do not treat `HEAD` as
//! `GET`.

mod accounts;
mod cause;
mod connection;
mod dockerflow;
mod first_discards;
mod framing;
mod head;
mod health;
mod limits;
mod lingering_close;
mod path;
mod reply;
mod submit;
mod submit_paths;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::routing::{MethodRouter, any};
use tower::util::{MapRequestLayer, ServiceExt};
use tower::{Layer, Service};
use tower_http::catch_panic::CatchPanicLayer;

pub use connection::{Certificates, Server, Tls, TlsError};
pub use first_discards::FirstDiscards;
pub use health::{Check, Health};

use crate::crashmover::Crashmover;
use crate::intake::Heavy;
use crate::logging::OnceIn;
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::throttle::Throttler;

/// Everything a request may need. Built once by `app`.
pub struct Collector {
    pub throttler: Throttler,
    pub first_discards: FirstDiscards,
    pub crashmover: Arc<Crashmover>,
    pub health: Health,
    pub metrics: Metrics,
    pub settings: Settings,
    pub heavy: Heavy,
    /// The body of `/__version__`.
    pub version: bytes::Bytes,
    /// Keeps `/__broken__` from filling the log.
    pub breaks: OnceIn,
}

/// The service for one connection.
pub type Routes =
    tower::util::BoxCloneSyncService<Request, Response<Body>, std::convert::Infallible>;

/// What surrounds the routes, from the outside in. Connections come before it: see `connection`.
///
/// 1. `outermost`: what belongs to a request as a whole, its place in Sentry's events.
/// 2. `accounts`: a POST has an account before anything can refuse it, and an outcome whatever happens.
/// 3. `framing`: what can be read in two ways is refused.
/// 4. A panic becomes a 500 and a log line.
/// 5. Percent signs in the path are decoded, since some proxies encode what need not be.
/// 6. Path and method.
pub fn routes(collector: Arc<Collector>, outermost: impl FnOnce(Routes) -> Routes) -> Routes {
    let most_discarded_bytes = collector.settings.body.payload_bytes;
    let metrics = collector.metrics.clone();
    outermost(surrounded(paths(collector), most_discarded_bytes, metrics))
}

/// Layers 2 to 5.
fn surrounded(paths: Router, most_discarded_bytes: u64, metrics: Metrics) -> Routes {
    let catch_panic =
        CatchPanicLayer::custom(|_| reply::error_document(StatusCode::INTERNAL_SERVER_ERROR));
    let service = MapRequestLayer::new(path::decode).layer(paths);
    let service = catch_panic
        .layer(service)
        .map_response(|response| response.map(Body::new));
    let service = Routes::new(service);
    let service = Routes::new(tower::service_fn(move |request| {
        framing::guarded(request, service.clone(), most_discarded_bytes)
    }));
    Routes::new(tower::service_fn(move |request| {
        accounts::accounted(request, service.clone(), metrics.clone())
    }))
}

fn paths(collector: Arc<Collector>) -> Router {
    let most_discarded_bytes = collector.settings.body.payload_bytes;
    let submit = only(Method::POST, submit::submit, collector.clone());
    let submit_paths = collector.settings.clients.submit_paths.clone();
    Router::new()
        .route("/submit", submit.clone())
        .route(
            "/__heartbeat__",
            only(Method::GET, dockerflow::heartbeat, collector.clone()),
        )
        .route(
            "/__lbheartbeat__",
            only(Method::GET, dockerflow::lbheartbeat, collector.clone()),
        )
        .route(
            "/__version__",
            only(Method::GET, dockerflow::version, collector.clone()),
        )
        .route(
            "/__broken__",
            only(Method::GET, dockerflow::broken, collector),
        )
        .fallback(move |request: Request| {
            let is_submit = submit_paths::has(&submit_paths, request.uri().path());
            let submit = submit.clone();
            async move {
                if is_submit {
                    return submit.call(request, ()).await;
                }
                let answer = reply::error_document(StatusCode::NOT_FOUND);
                lingering_close::answer(request, most_discarded_bytes, answer)
            }
        })
}

/// A route for one method; `OPTIONS` is answered, everything else is 405.
fn only<H, T>(method: Method, handler: H, collector: Arc<Collector>) -> MethodRouter
where
    H: Handler<T, Arc<Collector>> + Clone + Sync,
    T: Send + 'static,
{
    let most_discarded_bytes = collector.settings.body.payload_bytes;
    let service = handler.with_state(collector);
    any(move |request: Request| {
        let (mut service, method) = (service.clone(), method.clone());
        async move {
            if request.method() == method {
                let Ok(response) = service.call(request).await;
                return response;
            }
            let is_question = request.method() == Method::OPTIONS;
            let answer = if is_question {
                allowed(StatusCode::OK, method.as_str())
            } else {
                not_allowed(&method)
            };
            lingering_close::answer(request, most_discarded_bytes, answer)
        }
    })
}

fn not_allowed(method: &Method) -> Response<Body> {
    let response = allowed(
        StatusCode::METHOD_NOT_ALLOWED,
        &format!("{method}, OPTIONS"),
    );
    let (mut parts, body) = reply::error_document(StatusCode::METHOD_NOT_ALLOWED).into_parts();
    parts.headers.extend(response.into_parts().0.headers);
    Response::from_parts(parts, body)
}

fn allowed(status: StatusCode, methods: &str) -> Response<Body> {
    let mut response = reply::with_type(status, "application/json", Body::empty());
    if let Ok(methods) = HeaderValue::try_from(methods) {
        response.headers_mut().insert(header::ALLOW, methods);
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::routing::post;

    use super::*;
    use crate::metrics::{Count, Outcome};

    async fn fails() -> StatusCode {
        panic!("in here")
    }

    #[tokio::test]
    async fn a_panic_is_a_500_and_its_outcome_is_that_the_collector_failed() {
        let metrics = Metrics::default();
        let paths = Router::new().route("/submit", post(fails));
        let routes = surrounded(paths, 100, metrics.clone());
        let request = Request::post("/submit").body(Body::empty()).unwrap();
        let response = routes.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        for outcome in Outcome::ALL {
            let expected = u64::from(outcome == Outcome::InternalError);
            let counted = metrics.total(&Count::Outcome(outcome));
            assert_eq!(counted, expected, "{}", outcome.code());
        }
    }
}
