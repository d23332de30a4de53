//! What the settings of S3 and SQS have in common: the kinds of their values, and how a pair of keys is put together.

use super::kind::{Kind, OPTIONAL_SECRET, OPTIONAL_TEXT, TEXT, Unfit, optional};
use super::reader::Reader;
use super::secret::Secret;
use super::setting::Setting;

/// Where an AWS service is and who asks.
#[derive(Clone, Debug)]
pub struct AwsSettings {
    pub region: String,
    /// None for AWS itself.
    pub endpoint_url: Option<String>,
    /// None to let the SDK find credentials.
    pub access_key: Option<AccessKey>,
}

/// A key id and its secret.
#[derive(Clone, Debug)]
pub struct AccessKey {
    pub id: Secret,
    pub secret: Secret,
}

pub(super) const REGION: Kind<String> = Kind {
    form: "the code of an AWS region",
    example: "us-west-2",
    parse: |text| match text.is_empty() || !text.chars().all(|c| c.is_ascii_graphic()) {
        true => Err(Unfit::Form),
        false => Ok(text.to_owned()),
    },
    ..TEXT
};

pub(super) const ACCESS_KEY: Kind<Option<Secret>> = Kind {
    example: "AKIAXXXXXXXXXXXXXXXX",
    ..OPTIONAL_SECRET
};

pub(super) const BUCKET_NAME: Kind<Option<String>> = Kind {
    form: "the name of a bucket: letters, digits, `.`, `-` and `_`",
    example: "crash-reports",
    parse: |text| optional(text, |text| name(text, ".-_")),
    ..OPTIONAL_TEXT
};

pub(super) const QUEUE_NAME: Kind<Option<String>> = Kind {
    form: "the name of a standard queue: letters, digits, `-` and `_`",
    example: "crash-ids",
    parse: |text| {
        optional(text, |text| {
            if text.contains("://") {
                return Err(Unfit::Because("give the queue's name, not its URL"));
            }
            if text.ends_with(".fifo") {
                return Err(Unfit::Because(
                    "FIFO queues are not supported, use a standard queue",
                ));
            }
            name(text, "-_")
        })
    },
    ..OPTIONAL_TEXT
};

fn name(text: &str, punctuation: &str) -> Result<String, Unfit> {
    let fits = |c: char| c.is_ascii_alphanumeric() || punctuation.contains(c);
    match text.chars().all(fits) {
        true => Ok(text.to_owned()),
        false => Err(Unfit::Form),
    }
}

/// Takes both halves of a key; one alone is a problem if the key is going to be used.
pub(super) fn read_access_key(
    values: &mut Reader,
    id: &Setting<Option<Secret>>,
    secret: &Setting<Option<Secret>>,
    used: bool,
) -> Option<AccessKey> {
    let given_id = values.take(id);
    let given_secret = values.take(secret);
    if !used || (given_id.is_none() && given_secret.is_none()) {
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
        assert_eq!(bucket("s3://crash"), Err(Unfit::Form));
        let queue = |text| (QUEUE_NAME.parse)(text);
        assert_eq!(queue("crash_ids"), Ok(Some("crash_ids".to_owned())));
        for text in ["https://sqs.us-west-2.amazonaws.com/1/q", "q.fifo"] {
            assert!(matches!(queue(text), Err(Unfit::Because(_))), "{text}");
        }
    }
}
