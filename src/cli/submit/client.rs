//! Posts a form to a collector over HTTP or HTTPS. Follows no redirect and uses no proxy, as crash reporters do.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::Frame;
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, USER_AGENT};
use hyper::{Request, Uri};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};

use super::form::Form;
use super::outcome::Outcome;

/// Answers of a collector have less than a hundred bytes.
const LARGEST_ANSWER_BYTES: usize = 64 * 1024;
const CHUNK_BYTES: usize = 64 * 1024;
const WHO: &str = concat!("antenna-submit/", env!("CARGO_PKG_VERSION"));

type Body = BoxBody<Bytes, Infallible>;

/// One report, ready to be posted any number of times.
pub struct Client {
    connections: legacy::Client<HttpsConnector<HttpConnector>, Body>,
    uri: Uri,
    form: Form,
    how: How,
}

/// How the report goes over the wire.
#[derive(Clone, Debug)]
pub struct How {
    pub is_gzip: bool,
    pub is_chunked: bool,
    /// The token of a sender that may choose crash ids.
    pub bearer_token: Option<String>,
    pub timeout: Duration,
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

impl Client {
    /// # Errors
    /// HTTPS is wanted and the system has no certificates to trust; a token that cannot be a header.
    pub fn new(uri: Uri, form: Form, how: How) -> anyhow::Result<Self> {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls(&uri)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        Ok(Self {
            connections: legacy::Client::builder(TokioExecutor::new()).build(https),
            uri,
            form,
            how,
        })
    }

    /// Posts the report once.
    pub async fn post(&self) -> Outcome {
        let answer = async {
            let request = self.request()?;
            let response = self.connections.request(request).await?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), LARGEST_ANSWER_BYTES);
            let body = body.collect().await?.to_bytes();
            Ok::<_, Box<dyn Error + Send + Sync>>((status, body))
        };
        match tokio::time::timeout(self.how.timeout, answer).await {
            Ok(Ok((status, body))) => Outcome::of(status, &body),
            Ok(Err(error)) => Outcome::Failed(self.failure(&*error)),
            Err(_) => Outcome::Failed(format!(
                "no answer within {} s",
                self.how.timeout.as_secs_f64()
            )),
        }
    }

    fn request(&self) -> Result<Request<Body>, hyper::http::Error> {
        let Form { boundary, body } = &self.form;
        let mut request = Request::post(&self.uri).header(USER_AGENT, WHO).header(
            CONTENT_TYPE,
            format!("multipart/form-data; boundary={boundary}"),
        );
        if self.how.is_gzip {
            request = request.header(CONTENT_ENCODING, "gzip");
        }
        if let Some(token) = &self.how.bearer_token {
            let mut value = HeaderValue::try_from(format!("Bearer {token}"))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        request.body(if self.how.is_chunked {
            chunked(body.clone())
        } else {
            Full::new(body.clone()).boxed()
        })
    }

    /// What went wrong on the way, in words, without what was sent.
    fn failure(&self, error: &(dyn Error + 'static)) -> String {
        let is_connect = error
            .downcast_ref::<legacy::Error>()
            .is_some_and(legacy::Error::is_connect);
        let mut deepest = error;
        while let Some(source) = deepest.source() {
            deepest = source;
        }
        let to = self.uri.authority().map_or("", |it| it.as_str());
        match is_connect {
            true => format!("cannot connect to {to}: {deepest}"),
            false => format!("the connection to {to} broke: {deepest}"),
        }
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

/// The system's certificates; read only where they are needed.
fn tls(uri: &Uri) -> anyhow::Result<ClientConfig> {
    let config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?;
    let config = if uri.scheme_str() == Some("https") {
        config
            .with_native_roots()
            .context("the system's certificates cannot be read; SSL_CERT_FILE names others")?
    } else {
        config.with_root_certificates(RootCertStore::empty())
    };
    Ok(config.with_no_client_auth())
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
