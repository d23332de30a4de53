//! What S3 and SQS have in common: where to find AWS, who we are there, and what its failures mean.
//!
//! Of the environment only credentials, proxies, trusted certificates and, where no setting names one, the region
//! count. Retries, timeouts and protocol details are fixed here, so that an `AWS_…` variable cannot change them.

mod codes;
mod error;
mod http_client;

use std::fmt;
use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::region::ProfileFileRegionProvider;
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
use hyper::Uri;

pub use codes::AwsErrorKind;
pub use error::AwsError;
use http_client::http_client;

/// A host that does not even open a connection in this time is treated as away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Signing needs some region; stores that are not AWS do not care which.
const REGION_OF_OTHER_STORES: &str = "us-east-1";

/// Where AWS, or something that speaks like it, is to be found, and who we are there.
#[derive(Clone)]
pub struct AwsConfig {
    /// None: `AWS_REGION`, `AWS_DEFAULT_REGION` or the profile's; `us-east-1` if there is an endpoint.
    pub region: Option<String>,
    /// `http://` or `https://`, host, port. None: AWS's own.
    pub endpoint_url: Option<String>,
    /// None, together with the secret: the SDK's whole chain (environment, profile, web identity, container, instance).
    pub access_key: Option<String>,
    pub secret_access_key: Option<String>,
    /// How long one call may take, from the search for credentials to the last byte of the answer.
    pub call_timeout: Duration,
}

/// Never shows the keys.
impl fmt::Debug for AwsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsConfig")
            .field("region", &self.region)
            .field("endpoint_url", &self.endpoint_url.as_deref().map(shown))
            .field("has_access_key", &self.access_key.is_some())
            .field("call_timeout", &self.call_timeout)
            .finish_non_exhaustive()
    }
}

/// A configuration that can be used: the SDK's form of it, and words for logs and errors.
#[derive(Clone, Debug)]
pub struct Aws {
    pub sdk: SdkConfig,
    /// `region us-west-2, endpoint http://127.0.0.1:5000`
    pub place: String,
    pub call_timeout: Duration,
}

impl AwsConfig {
    /// Settles region and credentials provider. Reads files and environment but does not use the network.
    ///
    /// # Errors
    /// What an operator has to put right in the settings: no region, half a pair of keys, a useless endpoint.
    pub async fn settle(&self) -> Result<Aws, AwsError> {
        let endpoint = self.endpoint()?;
        let region = self.settle_region().await?;
        let http_client = http_client(endpoint.as_ref());
        let credentials = self.credentials(&region, http_client.clone()).await?;
        let place = match &self.endpoint_url {
            Some(url) => format!("region {region}, endpoint {}", shown(url)),
            None => format!("region {region}, AWS's own endpoint"),
        };
        let mut sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(region)
            .credentials_provider(credentials)
            .http_client(http_client)
            // One retry policy is in force, the crashmover's: its count is the one in the metrics.
            .retry_config(RetryConfig::disabled())
            .timeout_config(self.timeouts())
            // It cannot see a server that stops reading a body of one piece; the deadline can.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            // Anything else sends bodies as `aws-chunked` with trailers, which some stores keep as the object's encoding.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        sdk.set_endpoint_url(self.endpoint_url.clone());
        Ok(Aws {
            sdk: sdk.build(),
            place,
            call_timeout: self.call_timeout,
        })
    }

    fn endpoint(&self) -> Result<Option<Uri>, AwsError> {
        let Some(url) = &self.endpoint_url else {
            return Ok(None);
        };
        match url.parse::<Uri>() {
            Ok(uri)
                if matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() =>
            {
                Ok(Some(uri))
            }
            _ => Err(AwsError::misconfigured(format!(
                "the endpoint URL {:?} is not of the form http://host:port or https://host:port",
                shown(url)
            ))),
        }
    }

    async fn settle_region(&self) -> Result<Region, AwsError> {
        if let Some(region) = &self.region {
            return Ok(Region::new(region.clone()));
        }
        let found = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
            .or_else(ProfileFileRegionProvider::new())
            .region()
            .await;
        match (found, &self.endpoint_url) {
            (Some(region), _) => Ok(region),
            (None, Some(_)) => Ok(Region::from_static(REGION_OF_OTHER_STORES)),
            (None, None) => Err(AwsError::misconfigured(
                "no AWS region is set, neither by the …_REGION setting nor by AWS_REGION"
                    .to_owned(),
            )),
        }
    }

    async fn credentials(
        &self,
        region: &Region,
        http_client: SharedHttpClient,
    ) -> Result<SharedCredentialsProvider, AwsError> {
        match (&self.access_key, &self.secret_access_key) {
            (Some(key), Some(secret)) => Ok(SharedCredentialsProvider::new(Credentials::new(
                key, secret, None, None, "settings",
            ))),
            (None, None) => {
                let chain = DefaultCredentialsChain::builder()
                    .region(region.clone())
                    .configure(ProviderConfig::default().with_http_client(http_client))
                    .build()
                    .await;
                Ok(SharedCredentialsProvider::new(chain))
            }
            _ => Err(AwsError::misconfigured(
                "…_ACCESS_KEY and …_SECRET_ACCESS_KEY must be set both, or neither".to_owned(),
            )),
        }
    }

    fn timeouts(&self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT.min(self.call_timeout))
            .read_timeout(self.call_timeout)
            .operation_attempt_timeout(self.call_timeout)
            .operation_timeout(self.call_timeout)
            .build()
    }
}

/// A URL without the user and password that it may carry.
fn shown(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, place))) => format!("{scheme}://{place}"),
        (None, Some((_, place))) => place.to_owned(),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
impl AwsConfig {
    /// A whole configuration of a place where nobody listens.
    fn for_tests() -> Self {
        Self {
            region: Some("eu-west-3".to_owned()),
            endpoint_url: Some("http://127.0.0.1:1".to_owned()),
            access_key: Some("access-key-id".to_owned()),
            secret_access_key: Some("very-secret-key".to_owned()),
            call_timeout: Duration::from_secs(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refusal(config: AwsConfig) -> String {
        let error = config.settle().await.unwrap_err();
        assert_eq!(error.kind(), AwsErrorKind::Refused);
        error.to_string()
    }

    #[tokio::test]
    async fn half_a_pair_of_keys_is_refused() {
        for (access_key, secret_access_key) in
            [(Some("a".to_owned()), None), (None, Some("b".to_owned()))]
        {
            let config = AwsConfig {
                access_key,
                secret_access_key,
                ..AwsConfig::for_tests()
            };
            assert!(refusal(config).await.contains("both, or neither"));
        }
    }

    #[tokio::test]
    async fn an_endpoint_needs_scheme_and_host() {
        for url in [
            "127.0.0.1:4566",
            "ftp://host",
            "http://",
            "s3",
            "",
            "http://a b",
        ] {
            let config = AwsConfig {
                endpoint_url: Some(url.to_owned()),
                ..AwsConfig::for_tests()
            };
            assert!(refusal(config).await.contains("http://host:port"), "{url}");
        }
    }

    #[tokio::test]
    async fn place_and_debug_text_show_no_secret() {
        let config = AwsConfig {
            endpoint_url: Some("https://user:password@store:9000/s3".to_owned()),
            ..AwsConfig::for_tests()
        };
        let aws = config.settle().await.unwrap();
        assert_eq!(
            aws.place,
            "region eu-west-3, endpoint https://store:9000/s3"
        );
        let config = format!("{config:?}");
        for secret in ["password", "access-key-id", "very-secret-key"] {
            assert!(!config.contains(secret), "{config}");
        }
    }

    #[tokio::test]
    async fn the_sdk_never_retries_by_itself() {
        let sdk = AwsConfig::for_tests().settle().await.unwrap().sdk;
        assert_eq!(sdk.retry_config().unwrap().max_attempts(), 1);
        let timeouts = sdk.timeout_config().unwrap();
        assert_eq!(timeouts.connect_timeout(), Some(CONNECT_TIMEOUT));
        assert_eq!(timeouts.operation_timeout(), Some(Duration::from_secs(5)));
    }
}
