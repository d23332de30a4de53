//! Settings of the queue that is told which reports were saved.

use std::time::Duration;

use super::aws::{self, AwsDeclarations, AwsSettings};
use super::choice::{PUBLISH, PublishWord};
use super::reader::Reader;
use super::setting::{Section, Setting};

/// Who is told, with all that the choice needs.
#[derive(Clone, Debug)]
pub enum PublishClass {
    None,
    Memory,
    Sqs(SqsSettings),
}

/// A queue.
#[derive(Clone, Debug)]
pub struct SqsSettings {
    /// The queue's name, not its URL.
    pub queue_name: String,
    pub aws: AwsSettings,
}

static SECTION: Section = Section {
    title: "Crash publishing",
    intro: "",
};

static CLASS: Setting<PublishWord> = Setting {
    names: &["CRASHMOVER_CRASHPUBLISH_CLASS"],
    default: "none",
    reason: "it needs nothing else",
    help: "Who is told the id of a saved report. `sqs`: a queue, from which the processor takes it. `memory`: nobody, for tests. \
           `none`: nobody.",
    kind: PUBLISH,
};

pub(super) static QUEUE_NAME: Setting<Option<String>> = Setting {
    names: &["CRASHMOVER_CRASHPUBLISH_QUEUE_NAME"],
    default: "",
    reason: "`sqs` needs it",
    help: "For `sqs`: the queue, which must exist and be a standard queue.",
    kind: aws::QUEUE_NAME,
};

pub(super) static AWS: AwsDeclarations = AwsDeclarations {
    region: Setting {
        names: &["CRASHMOVER_CRASHPUBLISH_REGION", "S3_REGION"],
        help: "For `sqs`: the queue's region. `AWS_REGION` is not looked at, as in the original.",
        ..aws::REGION
    },
    endpoint_url: Setting {
        names: &["CRASHMOVER_CRASHPUBLISH_ENDPOINT_URL", "S3_ENDPOINT_URL"],
        help: "For `sqs`: where to find another service that speaks the SQS protocol.",
        ..aws::ENDPOINT_URL
    },
    access_key: Setting {
        names: &["CRASHMOVER_CRASHPUBLISH_ACCESS_KEY", "AWS_ACCESS_KEY_ID"],
        help: "For `sqs`: id of the access key. `AWS_ACCESS_KEY_ID` is left to the SDK when `AWS_SESSION_TOKEN` stands beside it.",
        ..aws::ACCESS_KEY
    },
    secret_access_key: Setting {
        names: &[
            "CRASHMOVER_CRASHPUBLISH_SECRET_ACCESS_KEY",
            "AWS_SECRET_ACCESS_KEY",
        ],
        help: "For `sqs`: the secret of the access key.",
        ..aws::SECRET_ACCESS_KEY
    },
};

impl PublishClass {
    pub(super) fn read(values: &mut Reader, call_timeout: Duration) -> Self {
        values.section(&SECTION);
        let word = values.take(&CLASS);
        let queue_name = values.take(&QUEUE_NAME);
        let aws = AwsSettings::read(values, &AWS, call_timeout, word == PublishWord::Sqs);
        match word {
            PublishWord::None => Self::None,
            PublishWord::Memory => Self::Memory,
            PublishWord::Sqs => {
                let reason = "CRASHMOVER_CRASHPUBLISH_CLASS=sqs";
                let queue_name = values.required(&QUEUE_NAME, queue_name, reason);
                Self::Sqs(SqsSettings {
                    // A missing name is a problem by now, and the settings are not used.
                    queue_name: queue_name.unwrap_or_default(),
                    aws,
                })
            }
        }
    }
}
