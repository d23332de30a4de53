//! The front door: routes, and what surrounds them.
//!
//! From the outside in: framing that can be read in two ways is refused; a panic becomes a 500 and a log line; percent signs in the path are decoded, since some proxies
//! encode what need not be; then the routes. Methods are checked here and not by the router, because the recorded answers
//! name `OPTIONS` and do not treat `HEAD` as `GET`.

mod accounts;
mod dockerflow;
mod first_discards;
mod framing;
mod head;
mod limits;
mod odd_target;
mod old_chunked;
mod proxied;
mod proxy_header;
mod reply;
mod server;
mod submit;
mod submit_paths;
mod tls;
mod unread;
mod validity;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{HeaderValue, Method, Response, StatusCode, Uri, header};
use axum::routing::{MethodRouter, any};
use tower::util::{MapRequestLayer, ServiceExt};
use tower::{Layer, Service};
use tower_http::catch_panic::CatchPanicLayer;

pub use first_discards::FirstDiscards;
pub use limits::BodyLimits;
pub use server::{Server, ServerConfig};
pub use submit_paths::SubmitPaths;
pub use tls::{Certificates, Tls, TlsError};

use crate::crashmover::Crashmover;
use crate::health::Health;
use crate::intake::{Heavy, Limits};
use crate::metrics::Metrics;
use crate::throttle::Throttler;

/// Everything a request may need. Built once by `app`.
pub struct Collector {
    pub throttler: Throttler,
    pub first_discards: FirstDiscards,
    pub crashmover: Arc<Crashmover>,
    pub health: Health,
    pub metrics: Metrics,
    pub body_limits: BodyLimits,
    pub intake_limits: Limits,
    pub heavy: Heavy,
    /// Reports are taken here as well as at `/submit`.
    pub submit_paths: SubmitPaths,
    /// Goes before every crash id in an answer: `bp-`.
    pub id_prefix: String,
    /// Who sends this may choose crash ids.
    pub bearer_token: Option<String>,
    /// A `uuid` of anybody else is set aside, and the report kept.
    pub takes_foreign_uuids: bool,
    /// The body of `/__version__`.
    pub version: bytes::Bytes,
}

/// The service for one connection.
pub type Routes =
    tower::util::BoxCloneSyncService<Request, Response<Body>, std::convert::Infallible>;

/// The routes of a collector.
pub fn routes(collector: Arc<Collector>) -> Routes {
    let most_discarded_bytes = collector.body_limits.payload_bytes;
    let submit = only(Method::POST, submit::submit, collector.clone());
    let submit_paths = collector.submit_paths.clone();
    let router = Router::new()
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
            let is_submit = submit_paths.has(request.uri().path());
            let submit = submit.clone();
            async move {
                if is_submit {
                    return submit.call(request, ()).await;
                }
                let answer = reply::error_document(StatusCode::NOT_FOUND);
                unread::answer(request, most_discarded_bytes, answer)
            }
        });
    let catch_panic =
        CatchPanicLayer::custom(|_| reply::error_document(StatusCode::INTERNAL_SERVER_ERROR));
    let service = MapRequestLayer::new(decode_path).layer(router);
    let service = catch_panic
        .layer(service)
        .map_response(|response| response.map(Body::new));
    let service = Routes::new(service);
    Routes::new(tower::service_fn(move |request| {
        framing::guarded(request, service.clone(), most_discarded_bytes)
    }))
}

/// A route for one method; `OPTIONS` is answered, everything else is 405.
fn only<H, T>(method: Method, handler: H, collector: Arc<Collector>) -> MethodRouter
where
    H: Handler<T, Arc<Collector>> + Clone + Sync,
    T: Send + 'static,
{
    let most_discarded_bytes = collector.body_limits.payload_bytes;
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
            unread::answer(request, most_discarded_bytes, answer)
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

/// `/%73ubmit` is `/submit`. A path that decodes to something odd stays as it is, and is not found.
fn decode_path(mut request: Request) -> Request {
    let path = request.uri().path();
    if path.contains('%')
        && let Some(decoded) = percent_decoded(path)
        && let Ok(uri) = Uri::try_from(decoded)
    {
        *request.uri_mut() = uri;
    }
    request
}

fn percent_decoded(path: &str) -> Option<String> {
    let mut pieces = path.split('%');
    let mut decoded = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        decoded.push(u8::from_str_radix(piece.get(..2)?, 16).ok()?);
        decoded.extend_from_slice(&piece.as_bytes()[2..]);
    }
    String::from_utf8(decoded).ok()
}
