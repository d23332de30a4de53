//! What S3 and SQS have in common: where to find AWS, who we are there, and what its failures mean.
//!
//! Of the environment only credentials, proxies and trusted certificates count. Retries, timeouts and protocol details are fixed here, so that an `AWS_…` variable cannot change them.

mod codes;
mod error;
mod http_client;

use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::{
    RequestChecksumCalculation, ResponseChecksumValidation, SharedHttpClient,
};

pub use codes::AwsErrorKind;
pub use error::AwsError;
use http_client::http_client;

use crate::settings::{AccessKey, AwsSettings};

/// A host that does not even open a connection in this time is treated as away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// What can be used of the settings: the SDK's form of them, and words for logs and errors.
#[derive(Clone, Debug)]
pub struct Aws {
    pub sdk: SdkConfig,
    /// `region us-west-2, endpoint http://127.0.0.1:5000`
    pub place: String,
    pub call_timeout: Duration,
}

impl Aws {
    /// Chooses where credentials come from. Reads files and environment but does not use the network.
    pub async fn prepare(settings: &AwsSettings) -> Self {
        let region = Region::new(settings.region.clone());
        let endpoint_url = settings.endpoint_url.as_deref();
        let http_client = http_client(endpoint_url);
        let place = match endpoint_url {
            Some(url) => format!("region {region}, endpoint {url}"),
            None => format!("region {region}, AWS's own endpoint"),
        };
        let mut sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .credentials_provider(credentials(settings, &region, &http_client).await)
            .region(region)
            .http_client(http_client)
            // One retry policy is in force, the crashmover's: its count is the one in the metrics.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts(settings.call_timeout))
            // It cannot see a server that stops reading a body of one piece; the deadline can.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            // Anything else sends bodies as `aws-chunked` with trailers, which some stores keep as the object's encoding.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        sdk.set_endpoint_url(settings.endpoint_url.clone());
        Self {
            sdk: sdk.build(),
            place,
            call_timeout: settings.call_timeout,
        }
    }
}

async fn credentials(
    settings: &AwsSettings,
    region: &Region,
    http_client: &SharedHttpClient,
) -> SharedCredentialsProvider {
    if let Some(AccessKey { id, secret }) = &settings.access_key {
        let keys = Credentials::new(id.expose(), secret.expose(), None, None, "settings");
        return SharedCredentialsProvider::new(keys);
    }
    let chain = DefaultCredentialsChain::builder()
        .region(region.clone())
        .configure(ProviderConfig::default().with_http_client(http_client.clone()))
        .build();
    SharedCredentialsProvider::new(chain.await)
}

fn timeouts(call_timeout: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT.min(call_timeout))
        .read_timeout(call_timeout)
        .operation_attempt_timeout(call_timeout)
        .operation_timeout(call_timeout)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Secret;

    /// Settings of a place where nobody listens.
    pub fn settings(endpoint_url: &str) -> AwsSettings {
        AwsSettings {
            region: "eu-west-3".to_owned(),
            endpoint_url: Some(endpoint_url.to_owned()),
            access_key: Some(AccessKey {
                id: Secret::new("access-key-id"),
                secret: Secret::new("very-secret-key"),
            }),
            call_timeout: Duration::from_secs(5),
        }
    }

    #[tokio::test]
    async fn the_place_is_said_and_no_key() {
        let settings = settings("https://store:9000/s3");
        let aws = Aws::prepare(&settings).await;
        let place = "region eu-west-3, endpoint https://store:9000/s3";
        assert_eq!(aws.place, place);
        let settings = format!("{settings:?}");
        for secret in ["access-key-id", "very-secret-key"] {
            assert!(!settings.contains(secret), "{settings}");
        }
    }

    #[tokio::test]
    async fn the_sdk_never_retries_by_itself() {
        let sdk = Aws::prepare(&settings("http://127.0.0.1:1")).await.sdk;
        assert_eq!(sdk.retry_config().unwrap().max_attempts(), 1);
        let timeouts = sdk.timeout_config().unwrap();
        assert_eq!(timeouts.connect_timeout(), Some(CONNECT_TIMEOUT));
        assert_eq!(timeouts.operation_timeout(), Some(Duration::from_secs(5)));
    }
}
