//! What AWS's failures mean: worth another try or not, and a text that tells an operator what to do.
//!
//! The text never holds keys, tokens or signatures: only code and first line of an answer are taken over, because AWS
//! repeats signed headers, session token included, further down.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use super::codes::{AwsErrorKind, kind_of};

const LONGEST_TEXT_CHARS: usize = 400;
const NO_CREDENTIALS: &str = "no credentials found: neither in the …_ACCESS_KEY settings nor in environment, profile, \
    web identity, container or instance metadata";

/// A call to AWS failed, or could not be made.
#[derive(Clone, Debug)]
pub struct AwsError {
    kind: AwsErrorKind,
    code: Option<String>,
    text: String,
    advice: Option<String>,
}

impl AwsError {
    /// Classifies what the SDK returned.
    pub fn of<E>(error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error.raw_response() {
            Some(answer) if !answer.status().is_success() => {
                let status = answer.status().as_u16();
                let mut told = Self::told(status, error.code(), error.message());
                if let (301 | 307 | 400, Some(region)) =
                    (status, answer.headers().get("x-amz-bucket-region"))
                {
                    told.text.push_str(&format!(" (it is in region {region})"));
                }
                told
            }
            _ => Self::untold(error),
        }
    }

    /// AWS said no, with a code in most cases; answers to HEAD have none.
    fn told(status: u16, code: Option<&str>, message: Option<&str>) -> Self {
        let message = first_line(message);
        let text = match (code, message) {
            (Some(code), "") => format!("{code} (HTTP {status})"),
            (Some(code), message) => format!("{code} (HTTP {status}): {message}"),
            (None, _) => format!("HTTP {status}"),
        };
        Self::new(kind_of(status, code.unwrap_or_default(), message), text).with_code(code)
    }

    /// AWS took a batch but not this entry of it.
    pub fn of_entry(code: &str, message: Option<&str>, sender_fault: bool) -> Self {
        let message = first_line(message);
        let like_status = if sender_fault { 400 } else { 500 };
        let text = format!("{code}: {message}");
        Self::new(kind_of(like_status, code, message), text).with_code(Some(code))
    }

    /// No whole answer came.
    fn untold<E: Error + 'static>(error: &SdkError<E>) -> Self {
        let kind = match in_chain::<CredentialsError>(error) {
            // Instance metadata may come up later than we do, and cannot be told from none at all.
            Some(CredentialsError::CredentialsNotLoaded(_)) => {
                return Self::passing(NO_CREDENTIALS.to_owned());
            }
            Some(CredentialsError::InvalidConfiguration(_)) => AwsErrorKind::BadCredentials,
            None if matches!(error, SdkError::ConstructionFailure(_)) => AwsErrorKind::Refused,
            _ => AwsErrorKind::Transient,
        };
        let text = match error {
            SdkError::TimeoutError(_) => "no answer in time".to_owned(),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                format!("no answer in time: {}", chain_text(error))
            }
            _ => chain_text(error),
        };
        Self::new(kind, text)
    }

    /// The head of an answer came, but not all of its body.
    pub fn broken_off(error: &(dyn Error + 'static)) -> Self {
        Self::passing(format!("the answer broke off: {}", chain_text(error)))
    }

    /// Something that may be better next time.
    pub fn passing(text: String) -> Self {
        Self::new(AwsErrorKind::Transient, text)
    }

    fn new(kind: AwsErrorKind, text: String) -> Self {
        Self {
            kind,
            code: None,
            text: cut(text),
            advice: None,
        }
    }

    fn with_code(mut self, code: Option<&str>) -> Self {
        self.code = code.map(str::to_owned);
        self
    }

    /// Adds what to do, if permissions, credentials or a missing thing are the matter.
    ///
    /// `permission` is the IAM action that the call needs, `on` its resource, `missing` what to do when that is not there.
    #[must_use]
    pub fn advising(mut self, permission: &str, on: &str, missing: &str) -> Self {
        let credentials = "check the access key and its secret, or the role";
        self.advice = match self.kind {
            AwsErrorKind::Denied if self.code.is_none() => Some(format!(
                "the credentials need {permission} on {on}; if they have it, {credentials}"
            )),
            AwsErrorKind::Denied => Some(format!("the credentials need {permission} on {on}")),
            AwsErrorKind::BadCredentials => Some(credentials.to_owned()),
            AwsErrorKind::Missing => Some(missing.to_owned()),
            AwsErrorKind::Transient | AwsErrorKind::Refused => None,
        };
        self
    }

    pub fn kind(&self) -> AwsErrorKind {
        self.kind
    }

    /// AWS's own code, for instance `AccessDenied`. None if no answer came, or one without a code.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.advice {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

impl Error for AwsError {}

/// Without its full stop: advice may follow.
fn first_line(message: Option<&str>) -> &str {
    let line = message.and_then(|text| text.lines().next());
    line.unwrap_or_default().trim_end_matches('.')
}

/// The causes below the SDK's own "dispatch failure", outermost first.
fn chain_text(error: &(dyn Error + 'static)) -> String {
    let causes: Vec<String> = chain(error)
        .skip(1)
        .map(|cause| cause.to_string().replace('\n', " "))
        .filter(|cause| cause != "other")
        .collect();
    if causes.is_empty() {
        error.to_string()
    } else {
        causes.join(": ")
    }
}

fn in_chain<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    chain(error).find_map(|cause| cause.downcast_ref())
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        (*error).source()
    })
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST_TEXT_CHARS) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{Aws, tests::settings};
    use aws_credential_types::provider::future::ProvideCredentials as Provided;
    use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};

    #[test]
    fn only_the_first_line_of_an_answer_is_shown() {
        let message = "The signature does not match.\n\nThe Canonical String for this request should have been\n\
                       'POST\n/\n\nx-amz-security-token:SECRET'";
        let error = AwsError::told(403, Some("SignatureDoesNotMatch"), Some(message));
        assert_eq!(
            error.to_string(),
            "SignatureDoesNotMatch (HTTP 403): The signature does not match"
        );
    }

    #[test]
    fn long_texts_are_cut() {
        let error = AwsError::told(400, Some("Odd"), Some(&"é".repeat(10_000)));
        assert_eq!(error.to_string().chars().count(), LONGEST_TEXT_CHARS + 1);
    }

    #[test]
    fn advice_fits_the_kind() {
        let advised = |status, code| {
            AwsError::told(status, code, None)
                .advising("s3:PutObject", "arn:aws:s3:::b/*", "create it")
                .to_string()
        };
        assert_eq!(
            advised(403, Some("AccessDenied")),
            "AccessDenied (HTTP 403); the credentials need s3:PutObject on arn:aws:s3:::b/*"
        );
        assert_eq!(
            advised(403, None),
            "HTTP 403; the credentials need s3:PutObject on arn:aws:s3:::b/*; if they have it, \
             check the access key and its secret, or the role"
        );
        assert_eq!(advised(404, None), "HTTP 404; create it");
        assert_eq!(advised(503, Some("SlowDown")), "SlowDown (HTTP 503)");
    }

    #[derive(Debug)]
    struct NoLuck(fn() -> CredentialsError);

    impl ProvideCredentials for NoLuck {
        fn provide_credentials<'a>(&'a self) -> Provided<'a>
        where
            Self: 'a,
        {
            Provided::ready(Err((self.0)()))
        }
    }

    async fn without_credentials(error: fn() -> CredentialsError) -> AwsError {
        let aws = Aws::prepare(&settings("http://127.0.0.1:1")).await;
        let provider = SharedCredentialsProvider::new(NoLuck(error));
        let sdk = aws.sdk.into_builder().credentials_provider(provider);
        let client = aws_sdk_s3::Client::new(&sdk.build());
        let answer = client.head_bucket().bucket("crashes").send().await;
        AwsError::of(&answer.unwrap_err())
    }

    #[tokio::test]
    async fn credentials_that_may_still_come_are_transient() {
        let error = without_credentials(CredentialsError::not_loaded_no_source).await;
        assert_eq!(error.kind(), AwsErrorKind::Transient);
        assert!(error.to_string().starts_with("no credentials found"));
        let error = without_credentials(|| CredentialsError::provider_error("STS is away")).await;
        assert_eq!(error.kind(), AwsErrorKind::Transient);
        assert_eq!(
            error.to_string(),
            "an error occurred while loading credentials: STS is away"
        );
    }

    #[tokio::test]
    async fn a_profile_that_makes_no_sense_is_not() {
        let error = without_credentials(|| CredentialsError::invalid_configuration("a loop")).await;
        assert_eq!(error.kind(), AwsErrorKind::BadCredentials);
    }
}
