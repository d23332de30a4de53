//! The request under way, for the events that are made while it lasts: what may be told of it, and nothing else.

use std::sync::atomic::{AtomicBool, Ordering};

use ::sentry::protocol;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT,
    HOST, HeaderName, TRANSFER_ENCODING, USER_AGENT,
};
use hyper::{HeaderMap, Method, Uri};
use tracing::Span;
use tracing_subscriber::registry::{LookupSpan, Registry};

use super::event::cut;

/// The headers that decide how a request is read. What is not named here is not told: new headers with secrets or
/// addresses in them are invented all the time.
const TOLD: [HeaderName; 9] = [
    ACCEPT,
    ACCEPT_ENCODING,
    CONNECTION,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    EXPECT,
    TRANSFER_ENCODING,
    USER_AGENT,
];
const LONGEST_CHARS: usize = 200;

/// What is remembered of a request. Cloning its parts copies no text.
#[derive(Debug)]
pub struct Request {
    method: Method,
    uri: Uri,
    host: Option<hyper::header::HeaderValue>,
    headers: HeaderMap,
    has_panicked: AtomicBool,
}

impl Request {
    fn of<B>(request: &hyper::Request<B>) -> Self {
        let mut headers = HeaderMap::with_capacity(TOLD.len());
        for name in TOLD {
            if let Some(value) = request.headers().get(&name) {
                headers.insert(name, value.clone());
            }
        }
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            host: request.headers().get(HOST).cloned(),
            headers,
            has_panicked: AtomicBool::new(false),
        }
    }

    /// Whether it panicked before; remembers if it does now.
    pub fn has_panicked(&self, does_now: bool) -> bool {
        self.has_panicked.fetch_or(does_now, Ordering::Relaxed)
    }

    /// `GET /__broken__`: never with the query.
    pub fn title(&self) -> String {
        let method = cut(self.method.as_str(), LONGEST_CHARS);
        format!("{method} {}", self.path())
    }

    pub fn told(&self) -> protocol::Request {
        let text = |value: &hyper::header::HeaderValue| {
            cut(&String::from_utf8_lossy(value.as_bytes()), LONGEST_CHARS)
        };
        let headers = self.headers.iter();
        protocol::Request {
            url: self.url(),
            method: Some(cut(self.method.as_str(), LONGEST_CHARS)),
            headers: headers
                .map(|(name, value)| (name.to_string(), text(value)))
                .collect(),
            ..protocol::Request::default()
        }
    }

    fn path(&self) -> String {
        cut(self.uri.path(), LONGEST_CHARS)
    }

    /// The host goes through a parser, as a `Host` may hold more than a name: `user:password@host`.
    fn url(&self) -> Option<::sentry::types::protocol::latest::Url> {
        let host = self.host.as_ref().and_then(|host| host.to_str().ok());
        let host = host.and_then(|host| host.parse::<hyper::http::uri::Authority>().ok());
        let host = host.as_ref().map_or("unknown", |host| host.host());
        format!("http://{}{}", cut(host, LONGEST_CHARS), self.path())
            .parse()
            .ok()
    }
}

/// What is said within this span is about the request.
pub fn span_of<B>(request: &hyper::Request<B>) -> Span {
    let span = tracing::error_span!("request");
    // Beside the span and not in its fields, which others could write down.
    span.with_subscriber(|(id, subscriber)| {
        let registry = subscriber.downcast_ref::<Registry>();
        if let Some(span) = registry.and_then(|registry| registry.span(id)) {
            span.extensions_mut().insert(Request::of(request));
        }
    });
    span
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &str, headers: &[(&str, &str)]) -> Request {
        let mut request = hyper::Request::builder().method("POST").uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Request::of(&request.body(()).unwrap())
    }

    #[test]
    fn what_may_be_secret_is_not_told() {
        let secret = [
            "Authorization",
            "Cookie",
            "Set-Cookie",
            "X-Forwarded-For",
            "X-Real-Ip",
            "Forwarded",
            "Proxy-Authorization",
            "X-Api-Token",
            "Referer",
        ];
        let mut headers: Vec<_> = secret.map(|name| (name, "hunter2")).into();
        headers.extend([
            ("User-Agent", "curl/8"),
            ("Host", "me:hunter2@crashes:8000"),
        ]);
        let request = request("/submit?token=hunter2#hunter2", &headers);
        let told = format!("{} {:?}", request.title(), request.told());
        assert!(!told.contains("hunter2"), "{told}");
        assert_eq!(request.title(), "POST /submit");
        assert_eq!(
            request.told().url.unwrap().as_str(),
            "http://crashes/submit"
        );
        let told = request.told().headers;
        assert_eq!(told.len(), 1);
        assert_eq!(told["user-agent"], "curl/8");
    }

    #[test]
    fn odd_requests_are_told_as_well() {
        let long = "x".repeat(5000);
        let headers = [("Host", "not a host"), ("User-Agent", long.as_str())];
        let told = request(&format!("/{long}"), &headers).told();
        assert!(told.url.unwrap().as_str().starts_with("http://unknown/xxx"));
        assert!(told.headers["user-agent"].chars().count() <= LONGEST_CHARS + 1);
        assert!(request("*", &[]).title().starts_with("POST "));
        let absolute = request("http://me:hunter2@elsewhere/submit?hunter2", &[]);
        assert!(!format!("{:?}", absolute.told()).contains("hunter2"));
    }

    #[test]
    fn a_request_panics_once() {
        let request = request("/", &[]);
        assert!(!request.has_panicked(false));
        assert!(!request.has_panicked(true));
        assert!(request.has_panicked(false));
    }
}
