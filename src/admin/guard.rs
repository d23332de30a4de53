//! Who is answered: those who ask by a name that is ours, and have the token where there is one.
//!
//! A web page in an operator's browser can give its own name the address of this listener (DNS rebinding). The browser
//! then takes us for that page's server, but says so: the name stands in `Host`, the page in `Origin`.

use std::net::IpAddr;

use axum::body::Body;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Request, Response, StatusCode, header};
use subtle::ConstantTimeEq;

use crate::settings::Secret;

use super::answers::line;

/// Probes have no token, and learn nothing from these.
const WITHOUT_TOKEN: [&str; 2] = ["/live", "/ready"];

/// Whom to answer.
pub(super) struct Guard {
    /// In small letters, besides addresses and `localhost`.
    pub names: Vec<String>,
    pub token: Option<Secret>,
}

impl Guard {
    /// The answer to a request that is refused: 403 for a foreign name, 401 without the token.
    pub fn refusal(&self, request: &Request<impl Sized>) -> Option<Response<Body>> {
        let headers = request.headers();
        if !self.is_for_us(request) {
            return Some(line(
                StatusCode::FORBIDDEN,
                "not by this name: use an address, localhost or the machine's name, or add the name to ADMIN_HOSTS",
            ));
        }
        if !is_from_us(headers) {
            let why = "not from another web page";
            return Some(line(StatusCode::FORBIDDEN, why));
        }
        let is_open = WITHOUT_TOKEN.contains(&request.uri().path());
        if is_open || self.has_token(headers) {
            return None;
        }
        let why = "this needs the header Authorization: Bearer with the value of ADMIN_TOKEN";
        let mut refusal = line(StatusCode::UNAUTHORIZED, why);
        let scheme = header::HeaderValue::from_static("Bearer");
        refusal
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, scheme);
        Some(refusal)
    }

    /// Every name in the request is ours. Without any (HTTP/1.0) no browser sent it.
    fn is_for_us(&self, request: &Request<impl Sized>) -> bool {
        let mut named = request.headers().get_all(header::HOST).iter();
        let target = request.uri().authority();
        target.is_none_or(|it| self.is_ours(it.as_str()))
            && named.all(|value| value.to_str().is_ok_and(|host| self.is_ours(host)))
    }

    fn is_ours(&self, authority: &str) -> bool {
        let Ok(parsed) = authority.parse::<Authority>() else {
            return false;
        };
        let host = parsed.host().to_ascii_lowercase();
        let address = host.trim_start_matches('[').trim_end_matches(']');
        let name = host.strip_suffix('.').unwrap_or(&host);
        !authority.contains('@')
            && (address.parse::<IpAddr>().is_ok()
                || name == "localhost"
                || self.names.iter().any(|own| own == name))
    }

    fn has_token(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else {
            return true;
        };
        let sent = single(headers, header::AUTHORIZATION).and_then(|value| value.split_once(' '));
        sent.is_some_and(|(scheme, sent)| {
            scheme.eq_ignore_ascii_case("bearer")
                // In constant time, so that the token cannot be found out byte by byte.
                && bool::from(sent.trim().as_bytes().ct_eq(token.expose().as_bytes()))
        })
    }
}

/// No page asks, or one of this very listener.
fn is_from_us(headers: &HeaderMap) -> bool {
    if !headers.contains_key(header::ORIGIN) {
        return true;
    }
    let origin = single(headers, header::ORIGIN).unwrap_or_default();
    let host = single(headers, header::HOST);
    let origin = origin
        .split_once("://")
        .map(|(_, authority)| authority.to_ascii_lowercase());
    origin.is_some() && origin == host.map(str::to_ascii_lowercase)
}

/// The value of a header that is there once, and is text.
fn single(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    value.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(token: Option<&str>, path: &str, headers: &[(&str, &str)]) -> u16 {
        let guard = Guard {
            names: vec!["collector-1".to_owned()],
            token: token.map(Secret::new),
        };
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let refusal = guard.refusal(&request.body(()).unwrap());
        refusal.map_or(200, |refusal| refusal.status().as_u16())
    }

    #[test]
    fn only_own_names_are_answered() {
        for host in [
            "127.0.0.1:8001",
            "[::1]:8001",
            "[::1]",
            "10.0.0.7",
            "localhost",
            "LOCALHOST.:1",
            "Collector-1:8001",
        ] {
            assert_eq!(status(None, "/live", &[("Host", host)]), 200, "{host}");
        }
        assert_eq!(status(None, "/live", &[]), 200);
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:8001",
            "evil.example:127",
            "a@127.0.0.1",
            "",
            "a b",
        ] {
            assert_eq!(status(None, "/live", &[("Host", host)]), 403, "{host}");
        }
        let two = [("Host", "127.0.0.1"), ("Host", "evil.example")];
        assert_eq!(status(None, "/metrics", &two), 403);
        let target = "http://evil.example/metrics";
        assert_eq!(status(None, target, &[("Host", "127.0.0.1")]), 403);
    }

    #[test]
    fn a_page_of_somebody_else_is_refused() {
        let host = ("Host", "127.0.0.1:8001");
        let from = |origin| status(None, "/log-level", &[host, ("Origin", origin)]);
        assert_eq!(from("http://127.0.0.1:8001"), 200);
        for origin in [
            "null",
            "",
            "http://127.0.0.1",
            "http://10.0.0.7:8001",
            "http://evil.example",
        ] {
            assert_eq!(from(origin), 403, "{origin}");
        }
    }

    #[test]
    fn the_token_is_needed_for_all_but_probes() {
        let with = |value| {
            let sent = [("Host", "localhost"), ("Authorization", value)];
            status(Some("secret"), "/metrics", &sent)
        };
        assert_eq!(with("Bearer secret"), 200);
        assert_eq!(with("bearer secret"), 200);
        for wrong in [
            "Bearer",
            "Bearer secre",
            "Bearer secrets",
            "Basic secret",
            "secret",
        ] {
            assert_eq!(with(wrong), 401, "{wrong}");
        }
        let without = |path| status(Some("secret"), path, &[("Host", "localhost")]);
        assert_eq!(without("/metrics"), 401);
        assert_eq!(without("/live/"), 401);
        assert_eq!(without("/live"), 200);
        assert_eq!(without("/ready"), 200);
        let twice = [
            ("Authorization", "Bearer secret"),
            ("Authorization", "Bearer secret"),
        ];
        assert_eq!(status(Some("secret"), "/metrics", &twice), 401);
    }
}
