//! AWS's error codes and HTTP statuses, and what each means for whoever asked. No texts here.

use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};

/// Codes beyond the SDK's own lists that pass by themselves: bytes are damaged or lost on the way once, clocks are set
/// right, temporary credentials renewed, and full buckets emptied.
const PASSING: [&str; 14] = [
    "BadDigest",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteBody",
    "InternalError",
    "InternalFailure",
    "OperationAborted",
    "QuotaExceeded",
    "RequestExpired",
    "RequestInTheFuture",
    "RequestTimeTooSkewed",
    "ServiceUnavailable",
    "TokenRefreshRequired",
    "XAmzContentSHA256Mismatch",
];
const BAD_CREDENTIALS: [&str; 8] = [
    "AuthFailure",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];
const MISSING: [&str; 5] = [
    "AWS.SimpleQueueService.NonExistentQueue",
    "NoSuchBucket",
    "NoSuchKey",
    "NotFound",
    "QueueDoesNotExist",
];

/// What a failure means for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwsErrorKind {
    /// Time-outs, no connection, 5xx, throttling, clocks apart: it may work when tried again.
    Transient,
    /// There are no credentials, or AWS does not know them.
    BadCredentials,
    /// The credentials are known but lack a permission.
    Denied,
    /// The bucket, key or queue is not there.
    Missing,
    /// Anything else: somebody has to act.
    Refused,
}

/// Codes first, since one status has many meanings.
pub fn kind_of(status: u16, code: &str, message: &str) -> AwsErrorKind {
    // SQS has no code of its own for clocks that are apart.
    let clocks_apart = ["Signature expired", "Signature not yet current"]
        .iter()
        .any(|start| message.starts_with(start));
    let passing = [THROTTLING_ERRORS, TRANSIENT_ERRORS, &PASSING]
        .iter()
        .any(|codes| codes.contains(&code));
    // Covers what stands behind the service too: KMS.ThrottlingException.
    if passing || clocks_apart || code.contains("Throttl") {
        AwsErrorKind::Transient
    } else if BAD_CREDENTIALS.contains(&code) {
        AwsErrorKind::BadCredentials
    } else if MISSING.contains(&code) {
        AwsErrorKind::Missing
    } else {
        kind_of_status(status, code)
    }
}

fn kind_of_status(status: u16, code: &str) -> AwsErrorKind {
    match status {
        // The service does not know the request: asking again will not teach it.
        501 => AwsErrorKind::Refused,
        408 | 429 | 500.. => AwsErrorKind::Transient,
        404 => AwsErrorKind::Missing,
        401 | 403 => AwsErrorKind::Denied,
        _ if code.contains("AccessDenied") => AwsErrorKind::Denied,
        _ => AwsErrorKind::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AwsErrorKind::{BadCredentials, Denied, Missing, Refused, Transient};

    #[test]
    fn codes_and_statuses_are_told_apart() {
        for (status, code, kind) in [
            (503, "SlowDown", Transient),
            (503, "", Transient),
            (500, "SomethingNew", Transient),
            (429, "", Transient),
            (408, "", Transient),
            (400, "RequestTimeout", Transient),
            (400, "ThrottlingException", Transient),
            (400, "KMS.ThrottlingException", Transient),
            (400, "BadDigest", Transient),
            (400, "IncompleteBody", Transient),
            (403, "QuotaExceeded", Transient),
            (403, "RequestTimeTooSkewed", Transient),
            (403, "ExpiredToken", Transient),
            (409, "OperationAborted", Transient),
            (403, "InvalidAccessKeyId", BadCredentials),
            (400, "UnrecognizedClientException", BadCredentials),
            (403, "AccessDenied", Denied),
            (400, "AccessDeniedException", Denied),
            (400, "KMS.AccessDeniedException", Denied),
            (403, "", Denied),
            (401, "", Denied),
            (404, "NoSuchBucket", Missing),
            (404, "", Missing),
            (400, "AWS.SimpleQueueService.NonExistentQueue", Missing),
            (501, "NotImplemented", Refused),
            (301, "PermanentRedirect", Refused),
            (400, "EntityTooLarge", Refused),
        ] {
            assert_eq!(kind_of(status, code, ""), kind, "{status} {code}");
        }
    }

    #[test]
    fn clocks_that_are_apart_are_not_bad_credentials() {
        let of = |message| kind_of(403, "InvalidSignatureException", message);
        assert_eq!(of("Signature expired: 2026 is now earlier"), Transient);
        assert_eq!(of("Signature not yet current: 2026"), Transient);
        assert_eq!(of("The signature does not match"), BadCredentials);
    }
}
