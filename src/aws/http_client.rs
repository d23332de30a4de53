//! The HTTP client below the AWS SDK: TLS, proxies, idle connections. Timeouts come with the SDK's configuration.

use std::time::Duration;

use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, ConnectorBuilder};
use hyper::Uri;

use crate::settings::is_this_machine;

/// Short, so that a connection is seldom used again just as the other side gives it up.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// HTTPS by rustls with ring and the system's certificates, through the proxy that the environment names.
///
/// An endpoint on this machine is never looked for behind a proxy.
pub fn http_client(endpoint_url: Option<&str>) -> SharedHttpClient {
    let endpoint = endpoint_url.and_then(|url| url.parse::<Uri>().ok());
    let is_local = endpoint.is_some_and(|url| url.host().is_some_and(is_this_machine));
    // Hidden in the docs, but the way the SDK builds its own default client; only this way takes a proxy.
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = ConnectorBuilder::default()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .pool_idle_timeout(IDLE_TIMEOUT)
            .proxy_config(if is_local {
                ProxyConfig::disabled()
            } else {
                ProxyConfig::from_env()
            });
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.build()
    })
}
