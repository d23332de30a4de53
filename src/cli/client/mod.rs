//! The HTTP client of commands that ask a collector. Follows no redirect and uses no proxy, as crash reporters do.

mod any_certificate;
mod connector;

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Limited};
use hyper::{Request, Uri};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};

use any_certificate::AnyCertificate;
use connector::Connector;

/// Answers of a collector have less than a hundred bytes.
const LARGEST_ANSWER_BYTES: usize = 64 * 1024;

/// What is sent.
pub type Body = BoxBody<Bytes, Infallible>;

/// Whose certificates are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Those that the system trusts.
    System,
    /// All: for asking ourselves only, by an address that no certificate names.
    Anybody,
}

/// A collector, to be asked any number of times.
pub struct Client {
    connections: legacy::Client<HttpsConnector<Connector>, Body>,
    timeout: Duration,
}

impl Client {
    /// `is_proxied`: connections begin with a header of the PROXY protocol, for a collector that expects one.
    ///
    /// # Errors
    /// HTTPS is wanted and the system has no certificates to trust.
    pub fn new(
        uri: &Uri,
        trust: Trust,
        is_proxied: bool,
        timeout: Duration,
    ) -> anyhow::Result<Self> {
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls(uri, trust)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(Connector::new(is_proxied));
        Ok(Self {
            connections: legacy::Client::builder(TokioExecutor::new()).build(https),
            timeout,
        })
    }

    /// Status and body of the answer.
    ///
    /// # Errors
    /// There was none in time: why, in words, without what was sent.
    pub async fn ask(&self, request: Request<Body>) -> Result<(u16, Bytes), String> {
        let to = request.uri().authority().map(ToString::to_string);
        let answer = async {
            let response = self.connections.request(request).await?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), LARGEST_ANSWER_BYTES);
            let body = body.collect().await?.to_bytes();
            Ok::<_, Box<dyn Error + Send + Sync>>((status, body))
        };
        match tokio::time::timeout(self.timeout, answer).await {
            Ok(answer) => answer.map_err(|error| failure(&to.unwrap_or_default(), &*error)),
            Err(_) => Err(format!("no answer within {} s", self.timeout.as_secs_f64())),
        }
    }
}

fn failure(to: &str, error: &(dyn Error + 'static)) -> String {
    let is_connect = error
        .downcast_ref::<legacy::Error>()
        .is_some_and(legacy::Error::is_connect);
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let why = plain(&deepest.to_string());
    match is_connect {
        true => format!("cannot connect to {to}: {why}"),
        false => format!("the connection to {to} broke: {why}"),
    }
}

/// What rustls says of certificates, in the words of the one who made them.
fn plain(error: &str) -> String {
    let known = [
        (
            "CaUsedAsEndEntity",
            "its certificate is one of an authority (CA:TRUE), which no server may show; make it with CA:FALSE",
        ),
        (
            "UnknownIssuer",
            "nobody whom this system trusts has signed its certificate; SSL_CERT_FILE names a file with others",
        ),
    ];
    let found = known.iter().find(|(name, _)| error.contains(name));
    found.map_or_else(|| error.to_owned(), |(_, words)| (*words).to_owned())
}

/// The system's certificates are read only where they are needed.
fn tls(uri: &Uri, trust: Trust) -> anyhow::Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?;
    let config = if trust == Trust::Anybody {
        let verifier = Arc::new(AnyCertificate(provider));
        config
            .dangerous()
            .with_custom_certificate_verifier(verifier)
    } else if uri.scheme_str() == Some("https") {
        config
            .with_native_roots()
            .context("the system's certificates cannot be read; SSL_CERT_FILE names others")?
    } else {
        config.with_root_certificates(RootCertStore::empty())
    };
    Ok(config.with_no_client_auth())
}
