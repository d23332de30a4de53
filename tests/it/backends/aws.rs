//! How the tests reach servers that speak like AWS.

use std::time::{Duration, Instant};

use antenna::aws::AwsError;
use antenna::settings::{AccessKey, AwsSettings, Secret};
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};

use crate::support::fault_proxy::Fault;

/// Must never be seen in an error, a log line or a debug print.
pub const SECRET_ACCESS_KEY: &str = "very-secret-key";
pub const ACCESS_KEY: &str = "access-key-id";
pub const REGION: &str = "eu-west-3";
/// For calls that are meant to fail by their deadline.
pub const SHORT: Duration = Duration::from_millis(400);
/// For all other calls: longer than any pause of a busy machine.
pub const LONG: Duration = Duration::from_secs(60);

pub fn settings(endpoint_url: &str, call_timeout: Duration) -> AwsSettings {
    AwsSettings {
        region: REGION.to_owned(),
        endpoint_url: Some(endpoint_url.to_owned()),
        access_key: access_key(ACCESS_KEY, SECRET_ACCESS_KEY),
        call_timeout,
    }
}

pub fn access_key(id: &str, secret: &str) -> Option<AccessKey> {
    let (id, secret) = (Secret::new(id), Secret::new(secret));
    Some(AccessKey { id, secret })
}

/// A configuration that does not come from the code under test: for looking behind its back.
pub fn plain_sdk_config(endpoint_url: &str) -> aws_config::SdkConfig {
    let http_client = aws_smithy_http_client::Builder::new().build_http();
    aws_config::SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(endpoint_url)
        .http_client(http_client)
        .credentials_provider(aws_sdk_s3::config::SharedCredentialsProvider::new(
            Credentials::new(ACCESS_KEY, SECRET_ACCESS_KEY, None, None, "test"),
        ))
        .build()
}

/// The answer of S3 to a request it does not grant.
pub fn s3_error(status: &str, code: &str, message: &str) -> Fault {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
         <AWSAccessKeyId>{ACCESS_KEY}</AWSAccessKeyId><RequestId>4442587FB7D0A2F9</RequestId></Error>"
    );
    Fault::answer(status, "application/xml", &body)
}

/// The answer of SQS to a request it does not grant.
pub fn sqs_error(status: &str, code: &str, message: &str) -> Fault {
    let body =
        serde_json::json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": message});
    Fault::answer(status, "application/x-amz-json-1.0", &body.to_string())
}

/// AWS's own error below a backend's.
pub fn aws_error<'a>(source: &'a (dyn std::error::Error + 'static)) -> &'a AwsError {
    source.downcast_ref().expect("the source is an AwsError")
}

/// What a person reads says where, and shows no key.
pub fn assert_names_the_place(error: &impl std::fmt::Display, thing: &str, endpoint_url: &str) {
    let text = error.to_string();
    for part in [thing, REGION, endpoint_url] {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
    assert!(!text.contains(SECRET_ACCESS_KEY), "{text}");
}

/// Much longer than [`SHORT`], much shorter than for ever.
pub fn assert_soon(start: Instant) {
    assert!(start.elapsed() < Duration::from_secs(20));
}
