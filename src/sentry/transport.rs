//! The way to Sentry: HTTPS in a thread of its own, with deadlines, and a warning in the log when it does not work.

use std::sync::Arc;
use std::time::Duration;

use ::sentry::transports::UreqHttpTransportOptions;
use ::sentry::{Transport, TransportFactory, TransportOptions};
use ureq::http::{Request, Response};
use ureq::middleware::{Middleware, MiddlewareNext};
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Body, Proxy, SendBody};

use crate::logging::OnceIn;
use crate::settings::is_this_machine;

/// For one event from looking up the name to the end of the answer. Nobody waits for it, but events behind it do.
const SEND_WITHIN: Duration = Duration::from_secs(10);
/// Each failure would be a line of the log otherwise.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Sends by rustls with ring, as the AWS client does, through the proxy that the environment names.
pub struct Https;

impl TransportFactory for Https {
    fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
        let proxy = if is_this_machine(options.dsn.host()) {
            None
        } else {
            Proxy::try_from_env()
        };
        let agent = Agent::config_builder()
            .tls_config(tls())
            .proxy(proxy)
            .timeout_global(Some(SEND_WITHIN))
            // The key goes where the operator said, and nowhere else.
            .max_redirects(0)
            .middleware(Watcher(OnceIn::new(TELL_EVERY)))
            .build()
            .new_agent();
        Arc::new(
            UreqHttpTransportOptions::from(options)
                .with_agent(agent)
                .build(),
        )
    }
}

fn tls() -> TlsConfig {
    TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(roots())
        .build()
}

/// The system's, so that a Sentry behind a company's own authority is trusted where S3 is. A system without any, as bare
/// images are, gets Mozilla's list.
fn roots() -> RootCerts {
    let found = rustls_native_certs::load_native_certs().certs;
    if found.is_empty() {
        return RootCerts::WebPki;
    }
    found
        .iter()
        .map(|certificate| Certificate::from_der(certificate).to_owned())
        .collect::<Vec<_>>()
        .into()
}

/// Says in the log that events do not arrive. The key stands in a header, and is in no error.
struct Watcher(OnceIn);

impl Middleware for Watcher {
    fn handle(
        &self,
        request: Request<SendBody>,
        next: MiddlewareNext,
    ) -> Result<Response<Body>, ureq::Error> {
        let result = next.handle(request);
        match &result {
            Ok(response) if response.status().is_success() => {}
            Ok(response) => self.warn(&format!("HTTP {}", response.status())),
            Err(error) => self.warn(&error.to_string()),
        }
        result
    }
}

impl Watcher {
    fn warn(&self, error: &str) {
        if let Some(times) = self.0.count() {
            tracing::warn!(error, times, "Sentry did not take an event; the log has it");
        }
    }
}
