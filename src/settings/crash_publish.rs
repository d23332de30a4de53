//! Settings of the queue that is told which reports were saved.

use super::aws::{self, AwsSettings};
use super::choice::{PUBLISH, PublishWord};
use super::kind::OPTIONAL_SECRET;
use super::network::OPTIONAL_URL;
use super::reader::Reader;
use super::secret::Secret;
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
    because: "it needs nothing else",
    help: "Who is told the id of a saved report. `sqs`: a queue, from which the processor takes it. `memory`: nobody, for tests. \
           `none`: nobody.",
    kind: PUBLISH,
};

pub(super) static QUEUE_NAME: Setting<Option<String>> = Setting {
    names: &["CRASHMOVER_CRASHPUBLISH_QUEUE_NAME"],
    default: "",
    because: "`sqs` needs it",
    help: "For `sqs`: the queue, which must exist and be a standard queue.",
    kind: aws::QUEUE_NAME,
};

pub(super) static REGION: Setting<String> = Setting {
    names: &["CRASHMOVER_CRASHPUBLISH_REGION", "S3_REGION"],
    default: "us-west-2",
    because: "the original's",
    help: "For `sqs`: the queue's region. `AWS_REGION` is not looked at, as in the original.",
    kind: aws::REGION,
};

static ENDPOINT_URL: Setting<Option<String>> = Setting {
    names: &["CRASHMOVER_CRASHPUBLISH_ENDPOINT_URL", "S3_ENDPOINT_URL"],
    default: "",
    because: "AWS",
    help: "For `sqs`: where to find another service that speaks the SQS protocol.",
    kind: OPTIONAL_URL,
};

static ACCESS_KEY: Setting<Option<Secret>> = Setting {
    names: &["CRASHMOVER_CRASHPUBLISH_ACCESS_KEY", "AWS_ACCESS_KEY_ID"],
    default: "",
    because: "the SDK looks for credentials: environment, profile, web identity, container, instance",
    help: "For `sqs`: id of the access key. `AWS_ACCESS_KEY_ID` is left to the SDK when `AWS_SESSION_TOKEN` stands beside it.",
    kind: aws::ACCESS_KEY,
};

static SECRET_ACCESS_KEY: Setting<Option<Secret>> = Setting {
    names: &[
        "CRASHMOVER_CRASHPUBLISH_SECRET_ACCESS_KEY",
        "AWS_SECRET_ACCESS_KEY",
    ],
    default: "",
    because: "as the access key",
    help: "For `sqs`: the secret of the access key.",
    kind: OPTIONAL_SECRET,
};

impl PublishClass {
    pub(super) fn read(values: &mut Reader) -> Self {
        values.section(&SECTION);
        let word = values.take(&CLASS);
        let queue_name = values.take(&QUEUE_NAME);
        let used = word == PublishWord::Sqs;
        let aws = AwsSettings {
            region: values.take(&REGION),
            endpoint_url: values.take(&ENDPOINT_URL),
            access_key: aws::read_access_key(values, &ACCESS_KEY, &SECRET_ACCESS_KEY, used),
        };
        match word {
            PublishWord::None => Self::None,
            PublishWord::Memory => Self::Memory,
            PublishWord::Sqs => {
                let because = "CRASHMOVER_CRASHPUBLISH_CLASS=sqs";
                let queue_name = values.required(&QUEUE_NAME, queue_name, because);
                Self::Sqs(SqsSettings {
                    // A missing name is a problem by now, and nobody gets to see the settings.
                    queue_name: queue_name.unwrap_or_default(),
                    aws,
                })
            }
        }
    }
}
