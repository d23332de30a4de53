//! Replies and refusals: the only table of status, body and outcome.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};

use crate::crash::CrashId;
use crate::crashmover::NotKept;
use crate::intake::Malformed;
use crate::metrics::Outcome;

/// What `/submit` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Kept: clients take the whole body for the id (Crashpad), or want exactly `CrashID=bp-<uuid>` and a line feed
    /// (Firefox), with status 200 and nothing else.
    Kept(CrashId),
    /// The rules want the client to believe that it was kept.
    Faked(CrashId),
    Rejected {
        rule: std::sync::Arc<str>,
    },
    Refused(Refusal),
}

/// Why a POST is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Malformed(Malformed),
    /// A `uuid`, and no right to choose one.
    UnauthorizedUuid,
    /// Larger than the limits, on the wire or inflated.
    TooLarge,
    /// The body did not come in time.
    TooSlow,
    /// No room: memory, queue or spool.
    Overloaded,
    NotKept(NotKept),
    /// The connection broke; nobody reads the answer.
    Disconnected,
}

impl Reply {
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Kept(_) => Outcome::Kept,
            Self::Faked(_) => Outcome::Faked,
            Self::Rejected { .. } => Outcome::Rejected,
            Self::Refused(refusal) => refusal.outcome(),
        }
    }

    /// The response; `prefix` goes before the crash id (`bp-`).
    pub fn into_response(self, prefix: &str) -> Response<Body> {
        match self {
            Self::Kept(id) | Self::Faked(id) => {
                text(StatusCode::OK, format!("CrashID={prefix}{id}\n"))
            }
            Self::Rejected { rule } => text(StatusCode::OK, format!("Discarded=rule_{rule}")),
            Self::Refused(refusal) => refusal.into_response(),
        }
    }
}

impl Refusal {
    fn outcome(self) -> Outcome {
        match self {
            Self::Malformed(_) => Outcome::Malformed,
            Self::UnauthorizedUuid => Outcome::Unauthorized,
            Self::TooLarge => Outcome::TooLarge,
            Self::TooSlow => Outcome::TooSlow,
            Self::Overloaded | Self::NotKept(NotKept::QueueFull | NotKept::SpoolFull) => {
                Outcome::Overloaded
            }
            Self::NotKept(NotKept::SaveFailed | NotKept::TooSlow) => Outcome::NotKept,
            Self::Disconnected => Outcome::Disconnected,
        }
    }

    fn into_response(self) -> Response<Body> {
        match self {
            Self::Malformed(Malformed::BadBoundary) => bad_boundary(),
            Self::Malformed(reason) => text(
                StatusCode::BAD_REQUEST,
                format!("Discarded=malformed_{}", reason.code()),
            ),
            Self::UnauthorizedUuid => text(
                StatusCode::UNAUTHORIZED,
                "Discarded=unauthorized_uuid".to_owned(),
            ),
            Self::TooLarge => text(
                StatusCode::PAYLOAD_TOO_LARGE,
                "Discarded=payload_too_large".to_owned(),
            ),
            Self::TooSlow => text(
                StatusCode::REQUEST_TIMEOUT,
                "Discarded=body_timeout".to_owned(),
            ),
            Self::Overloaded | Self::NotKept(NotKept::QueueFull | NotKept::SpoolFull) => text(
                StatusCode::SERVICE_UNAVAILABLE,
                "Discarded=overloaded".to_owned(),
            ),
            // Recorded: no body at all. Clients must not take anything in it for an id.
            Self::NotKept(NotKept::SaveFailed | NotKept::TooSlow) => {
                text(StatusCode::INTERNAL_SERVER_ERROR, String::new())
            }
            Self::Disconnected => text(
                StatusCode::BAD_REQUEST,
                "Discarded=malformed_disconnected".to_owned(),
            ),
        }
    }
}

/// Recorded word for word.
fn bad_boundary() -> Response<Body> {
    const WHAT: &str = "The value provided for the \\\"Content-Type\\\" header is invalid. \
                        The boundary parameter must consist of 1 to 70 characters";
    json(
        StatusCode::BAD_REQUEST,
        format!("{{\"title\": \"Invalid header value\", \"description\": \"{WHAT}\"}}"),
    )
}

/// An error document of the form `{"title": "404 Not Found"}`, as recorded.
pub fn error_document(status: StatusCode) -> Response<Body> {
    json(
        status,
        format!(
            "{{\"title\": \"{} {}\"}}",
            status.as_u16(),
            status.canonical_reason().unwrap_or_default()
        ),
    )
}

fn json(status: StatusCode, body: String) -> Response<Body> {
    let mut response = with_type(status, "application/json", body);
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("Accept"));
    response
}

fn text(status: StatusCode, body: String) -> Response<Body> {
    with_type(status, "text/plain", body)
}

/// A response of one piece, so that it has a `Content-Length`: old clients read nothing else.
pub fn with_type(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Body>,
) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
