//! What the settings of S3 and SQS have in common: all but names and help, and how a pair of keys is put together.

use std::time::Duration;

use super::network::OPTIONAL_URL;
use super::reader::Reader;
use super::secret::Secret;
use super::setting::Setting;
use super::value_type::{
    OPTIONAL_SECRET, OPTIONAL_TEXT, ParseError, TEXT, ValueType, name, optional, text_of,
};

/// Where an AWS service is and who asks.
#[derive(Clone, Debug)]
pub struct AwsSettings {
    pub region: String,
    /// `http://` or `https://`, host, port. None for AWS itself.
    pub endpoint_url: Option<String>,
    /// None: the SDK's whole chain (environment, profile, web identity, container, instance).
    pub access_key: Option<AccessKey>,
    /// How long one call may take, from the search for credentials to the last byte of the answer.
    pub call_timeout: Duration,
}

/// A key id and its secret.
#[derive(Clone, Debug)]
pub struct AccessKey {
    pub id: Secret,
    pub secret: Secret,
}

/// The declarations of one service. Each is one of those below, with names and help of its own.
pub(super) struct AwsDeclarations {
    pub region: Setting<String>,
    pub endpoint_url: Setting<Option<String>>,
    pub access_key: Setting<Option<Secret>>,
    pub secret_access_key: Setting<Option<Secret>>,
}

pub(super) const REGION: Setting<String> = Setting {
    names: &[],
    default: "us-west-2",
    reason: "the original's",
    help: "",
    kind: ValueType {
        form: "the code of an AWS region",
        example: "us-west-2",
        parse: |text| match text.is_empty() {
            true => Err(ParseError::Form),
            false => text_of(text, |c| c.is_ascii_graphic()),
        },
        ..TEXT
    },
};

pub(super) const ENDPOINT_URL: Setting<Option<String>> = Setting {
    names: &[],
    default: "",
    reason: "AWS",
    help: "",
    kind: OPTIONAL_URL,
};

pub(super) const ACCESS_KEY: Setting<Option<Secret>> = Setting {
    names: &[],
    default: "",
    reason: "the SDK looks for credentials: environment, profile, web identity, container, instance",
    help: "",
    kind: ValueType {
        example: "AKIAXXXXXXXXXXXXXXXX",
        ..OPTIONAL_SECRET
    },
};

pub(super) const SECRET_ACCESS_KEY: Setting<Option<Secret>> = Setting {
    reason: "as the access key",
    kind: OPTIONAL_SECRET,
    ..ACCESS_KEY
};

pub(super) const BUCKET_NAME: ValueType<Option<String>> = ValueType {
    form: "the name of a bucket: letters, digits, `.`, `-` and `_`",
    example: "crash-reports",
    parse: |text| optional(text, |text| name(text, ".-_")),
    ..OPTIONAL_TEXT
};

pub(super) const QUEUE_NAME: ValueType<Option<String>> = ValueType {
    form: "the name of a standard queue: letters, digits, `-` and `_`",
    example: "crash-ids",
    parse: |text| {
        optional(text, |text| {
            if text.contains("://") {
                return Err(ParseError::Because("give the queue's name, not its URL"));
            }
            if text.ends_with(".fifo") {
                return Err(ParseError::Because(
                    "FIFO queues are not supported, use a standard queue",
                ));
            }
            name(text, "-_")
        })
    },
    ..OPTIONAL_TEXT
};

impl AwsSettings {
    /// One half of a key alone is a problem if the key is going to be used.
    pub(super) fn read(
        values: &mut Reader,
        from: &AwsDeclarations,
        call_timeout: Duration,
        is_used: bool,
    ) -> Self {
        Self {
            region: values.take(&from.region),
            endpoint_url: values.take(&from.endpoint_url),
            access_key: read_access_key(values, from, is_used),
            call_timeout,
        }
    }
}

fn read_access_key(
    values: &mut Reader,
    from: &AwsDeclarations,
    is_used: bool,
) -> Option<AccessKey> {
    let (id, secret) = (&from.access_key, &from.secret_access_key);
    let (given_id, given_secret) = (values.take(id), values.take(secret));
    if !is_used || (given_id.is_none() && given_secret.is_none()) {
        return None;
    }
    let given_id = values.required(id, given_id, secret.name());
    let given_secret = values.required(secret, given_secret, id.name());
    Some(AccessKey {
        id: given_id?,
        secret: given_secret?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_and_queues_are_names() {
        let bucket = |text| (BUCKET_NAME.parse)(text);
        assert_eq!(
            bucket("org.crash-reports"),
            Ok(Some("org.crash-reports".to_owned()))
        );
        assert_eq!(bucket(""), Ok(None));
        assert_eq!(bucket("s3://crash"), Err(ParseError::Form));
        let queue = |text| (QUEUE_NAME.parse)(text);
        assert_eq!(queue("crash_ids"), Ok(Some("crash_ids".to_owned())));
        for text in ["https://sqs.us-west-2.amazonaws.com/1/q", "q.fifo"] {
            assert!(matches!(queue(text), Err(ParseError::Because(_))), "{text}");
        }
    }
}
