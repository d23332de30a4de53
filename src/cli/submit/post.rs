//! One report as it is posted.

use anyhow::Context;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, USER_AGENT};
use hyper::{Request, Uri};

use super::form::Form;
use super::outcome::SubmitOutcome;
use crate::cli::client::{Body, Client};

const CHUNK_BYTES: usize = 64 * 1024;
const WHO: &str = concat!("antenna-submit/", env!("CARGO_PKG_VERSION"));

/// One report, ready to be posted any number of times.
pub struct Post {
    pub client: Client,
    pub uri: Uri,
    pub form: Form,
    pub is_gzip: bool,
    pub is_chunked: bool,
    /// The token of a sender that may choose crash ids.
    pub bearer_token: Option<String>,
}

/// The address to post to; `/submit` where the URL has no path.
///
/// # Errors
/// It is no `http://` or `https://` URL.
pub fn target(url: &str) -> anyhow::Result<Uri> {
    let whole = match url.split_once("://") {
        Some((_, rest)) if !rest.contains('/') => format!("{url}/submit"),
        Some((_, rest)) if rest.find('/') == Some(rest.len() - 1) => format!("{url}submit"),
        _ => url.to_owned(),
    };
    let uri: Uri = whole
        .parse()
        .ok()
        .filter(|uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")))
        .with_context(|| {
            format!("{url} is no URL: write it as http://localhost:8000/submit or https://…")
        })?;
    let has_user = uri.authority().is_some_and(|it| it.as_str().contains('@'));
    anyhow::ensure!(!has_user, "the URL must not carry a user or a password");
    Ok(uri)
}

impl Post {
    /// Posts the report once.
    pub async fn send(&self) -> SubmitOutcome {
        let request = match self.request() {
            Ok(request) => request,
            Err(error) => return SubmitOutcome::Failed(format!("it cannot be sent: {error}")),
        };
        match self.client.ask(request).await {
            Ok((status, body)) => SubmitOutcome::of(status, &body),
            Err(why) => SubmitOutcome::Failed(why),
        }
    }

    fn request(&self) -> Result<Request<Body>, hyper::http::Error> {
        let Form { boundary, body } = &self.form;
        let mut request = Request::post(&self.uri).header(USER_AGENT, WHO).header(
            CONTENT_TYPE,
            format!("multipart/form-data; boundary={boundary}"),
        );
        if self.is_gzip {
            request = request.header(CONTENT_ENCODING, "gzip");
        }
        if let Some(token) = &self.bearer_token {
            let mut value = HeaderValue::try_from(format!("Bearer {token}"))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        request.body(if self.is_chunked {
            chunked(body.clone())
        } else {
            Full::new(body.clone()).boxed()
        })
    }
}

/// A body of unknown length goes in chunks.
fn chunked(body: Bytes) -> Body {
    let mut rest = body;
    let pieces = std::iter::from_fn(move || {
        let piece = rest.split_to(rest.len().min(CHUNK_BYTES));
        (!piece.is_empty()).then(|| Ok(Frame::data(piece)))
    });
    BodyExt::boxed(StreamBody::new(stream::iter(pieces)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_a_path_leads_to_submit() {
        for (url, uri) in [
            ("http://localhost:8000", "http://localhost:8000/submit"),
            ("https://a.example/", "https://a.example/submit"),
            ("http://a/b", "http://a/b"),
            ("http://[::1]:1/submit?x=y", "http://[::1]:1/submit?x=y"),
        ] {
            assert_eq!(target(url).unwrap().to_string(), uri);
        }
    }

    #[test]
    fn other_urls_are_refused_in_words() {
        for url in [
            "localhost:8000",
            "ftp://a/b",
            "a",
            "",
            "http://",
            "http://a b",
        ] {
            let error = target(url).unwrap_err().to_string();
            assert!(error.contains("is no URL"), "{url}: {error}");
        }
        let error = target("http://me:secret@a/").unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
