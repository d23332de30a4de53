//! Replies and refusals: the only table of status, body, outcome, metric and log level.

use std::borrow::Cow;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, StatusCode, header};
use tracing::Level;

use crate::crash::CrashId;
use crate::crashmover::NotKept;
use crate::intake::Malformed;
use crate::metrics::{Count, Outcome};

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
    /// Its head or its framing is malformed, or can be read in more than one way.
    BadFraming,
    /// Its head is longer than 16 KiB or has more than 100 lines.
    HeadTooLarge,
    /// To another path than `/submit`.
    WrongPath,
    /// A `uuid`, and no right to choose one.
    UnauthorizedUuid,
    /// Larger than the limits, on the wire or inflated.
    TooLarge,
    /// The body did not come in time.
    TooSlow,
    /// No room: memory, queue or spool.
    Overloaded,
    NotKept(NotKept),
    /// The collector panicked.
    InternalError,
    /// The connection broke; nobody reads the answer.
    Disconnected,
}

/// Everything about one refusal.
struct Row {
    status: StatusCode,
    /// Clients must not take anything in it for an id.
    text: Cow<'static, str>,
    outcome: Outcome,
    /// The original's counter, where it has one.
    count: Option<Count>,
    /// None where it is logged with its cause.
    level: Option<Level>,
}

impl Reply {
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Kept(_) => Outcome::Kept,
            Self::Faked(_) => Outcome::Faked,
            Self::Rejected { .. } => Outcome::Rejected,
            Self::Refused(refusal) => refusal.row().outcome,
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
    /// The table.
    #[rustfmt::skip]
    fn row(self) -> Row {
        let row = |status, text: &'static str, outcome, level| Row {
            status, text: text.into(), outcome, count: None, level,
        };
        const INFO: Option<Level> = Some(Level::INFO);
        const WARN: Option<Level> = Some(Level::WARN);
        match self {
            Self::Malformed(reason) => Row {
                text: format!("Discarded=malformed_{}", reason.code()).into(),
                // The original answers a bad boundary before it counts anything.
                count: (reason != Malformed::BadBoundary).then(|| Count::Malformed(reason.code())),
                ..row(StatusCode::BAD_REQUEST, "", Outcome::Malformed, INFO)
            },
            Self::UnauthorizedUuid => Row {
                count: Some(Count::UnauthorizedUuid),
                ..row(StatusCode::UNAUTHORIZED, "Discarded=unauthorized_uuid", Outcome::Unauthorized, WARN)
            },
            Self::BadFraming => row(StatusCode::BAD_REQUEST, "", Outcome::BadFraming, INFO),
            Self::HeadTooLarge => row(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Discarded=head_too_large", Outcome::TooLarge, WARN),
            Self::WrongPath => row(StatusCode::NOT_FOUND, "", Outcome::WrongPath, INFO),
            Self::TooLarge => row(StatusCode::PAYLOAD_TOO_LARGE, "Discarded=payload_too_large", Outcome::TooLarge, WARN),
            Self::TooSlow => row(StatusCode::REQUEST_TIMEOUT, "Discarded=body_timeout", Outcome::TooSlow, WARN),
            Self::Overloaded | Self::NotKept(NotKept::QueueFull | NotKept::SpoolFull) => {
                row(StatusCode::SERVICE_UNAVAILABLE, "Discarded=overloaded", Outcome::Overloaded, WARN)
            }
            // Recorded: no body at all.
            Self::NotKept(NotKept::SaveFailed | NotKept::TooSlow) => {
                row(StatusCode::INTERNAL_SERVER_ERROR, "", Outcome::NotKept, WARN)
            }
            Self::InternalError => row(StatusCode::INTERNAL_SERVER_ERROR, "", Outcome::InternalError, None),
            Self::Disconnected => row(StatusCode::BAD_REQUEST, "Discarded=malformed_disconnected", Outcome::Disconnected, WARN),
        }
    }

    /// The original's counter, where it has one.
    pub fn count(self) -> Option<Count> {
        self.row().count
    }

    /// One line of the log, unless its cause has one.
    pub fn log(self) {
        let row = self.row();
        let outcome = row.outcome.code();
        match (self, row.level) {
            (Self::Malformed(reason), _) => {
                tracing::info!(reason = reason.code(), "malformed submission");
            }
            (_, Some(Level::WARN)) => {
                tracing::warn!(outcome, refusal = ?self, "submission refused")
            }
            (_, Some(_)) => tracing::info!(outcome, refusal = ?self, "submission refused"),
            (_, None) => {}
        }
    }

    fn into_response(self) -> Response<Body> {
        let row = self.row();
        match self {
            Self::Malformed(Malformed::BadBoundary) => bad_boundary(),
            Self::InternalError | Self::WrongPath => error_document(row.status),
            Self::BadFraming => empty(row.status),
            _ => text(row.status, row.text.into_owned()),
        }
    }

    /// The whole answer on the wire, behind which the connection is closed.
    pub fn as_bytes(self) -> Bytes {
        let Row { status, text, .. } = self.row();
        let (reason, length) = (status.canonical_reason().unwrap_or_default(), text.len());
        let head = format!(
            "HTTP/1.1 {} {reason}\r\nContent-Type: text/plain\r\n",
            status.as_u16()
        );
        format!("{head}Content-Length: {length}\r\nConnection: close\r\n\r\n{text}").into()
    }
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
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
    let mut response = empty(status).map(|_| body.into());
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
