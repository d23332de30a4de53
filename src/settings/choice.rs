//! Settings that choose one of a few words, where Mozilla's Antenna also takes the dotted name of a class.

use super::value_type::{ParseError, ValueType, word};

/// From which severity on a line is logged. `Critical` shows the same lines as `Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    Debug,
    Info,
    Warning,
    Error,
    Critical,
}

/// Python's loggers without a level take that of the one above, which the original sets to WARNING.
const LEVELS: [(&str, LogLevel); 8] = [
    ("DEBUG", LogLevel::Debug),
    ("INFO", LogLevel::Info),
    ("WARNING", LogLevel::Warning),
    ("WARN", LogLevel::Warning),
    ("NOTSET", LogLevel::Warning),
    ("ERROR", LogLevel::Error),
    ("CRITICAL", LogLevel::Critical),
    ("FATAL", LogLevel::Critical),
];

impl LogLevel {
    /// Reads a level in any case, for settings and for the operator who changes the level at run time.
    pub fn parse(text: &str) -> Option<Self> {
        word(text, &LEVELS).ok()
    }

    pub fn shows_warnings(self) -> bool {
        match self {
            Self::Debug | Self::Info | Self::Warning => true,
            Self::Error | Self::Critical => false,
        }
    }

    /// As settings and mozlog's users know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }
}

/// When a client gets `CrashID=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledge {
    /// After the report is in crash storage (or, with a spool, durable on disk).
    Saved,
    /// As soon as the report is in the queue in memory.
    Queued,
    /// As soon as the report is durable in the spool.
    Spooled,
}

/// The word given for the crash storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StorageWord {
    Fs,
    Memory,
    None,
    S3,
}

/// The word given for the crash publisher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PublishWord {
    Memory,
    None,
    Sqs,
}

pub(super) const LOG_LEVEL: ValueType<LogLevel> = ValueType {
    form: "`DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`",
    example: "INFO",
    is_secret: false,
    parse: |text| word(text, &LEVELS),
};

pub(super) const ACKNOWLEDGE: ValueType<Acknowledge> = ValueType {
    form: "`saved`, `queued` or `spooled`",
    example: "saved",
    is_secret: false,
    parse: |text| {
        let words = [
            ("saved", Acknowledge::Saved),
            ("queued", Acknowledge::Queued),
            ("spooled", Acknowledge::Spooled),
        ];
        word(text, &words)
    },
};

pub(super) const STORAGE: ValueType<StorageWord> = ValueType {
    form: "`fs`, `s3`, `memory` or `none`, or the original's class, such as `antenna.ext.s3.crashstorage.S3CrashStorage`",
    example: "s3",
    is_secret: false,
    parse: |text| {
        let words = [
            ("fs", Ok(StorageWord::Fs)),
            ("FSCrashStorage", Ok(StorageWord::Fs)),
            ("s3", Ok(StorageWord::S3)),
            ("S3CrashStorage", Ok(StorageWord::S3)),
            ("memory", Ok(StorageWord::Memory)),
            ("InMemoryCrashStorage", Ok(StorageWord::Memory)),
            ("none", Ok(StorageWord::None)),
            ("NoOpCrashStorage", Ok(StorageWord::None)),
            ("gcs", Err(NO_GCS)),
            ("GcsCrashStorage", Err(NO_GCS)),
        ];
        word(class(text), &words)?
    },
};
const NO_GCS: ParseError = ParseError::Because(
    "Google Cloud Storage is not supported, use s3 (its S3-compatible endpoint goes in \
     CRASHMOVER_CRASHSTORAGE_ENDPOINT_URL)",
);

pub(super) const PUBLISH: ValueType<PublishWord> = ValueType {
    form: "`sqs`, `memory` or `none`, or the original's class, such as `antenna.ext.sqs.crashpublish.SQSCrashPublish`",
    example: "sqs",
    is_secret: false,
    parse: |text| {
        let words = [
            ("sqs", Ok(PublishWord::Sqs)),
            ("SQSCrashPublish", Ok(PublishWord::Sqs)),
            ("memory", Ok(PublishWord::Memory)),
            ("InMemoryCrashPublish", Ok(PublishWord::Memory)),
            ("none", Ok(PublishWord::None)),
            ("NoOpCrashPublish", Ok(PublishWord::None)),
            ("pubsub", Err(NO_PUBSUB)),
            ("PubSubCrashPublish", Err(NO_PUBSUB)),
        ];
        word(class(text), &words)?
    },
};
const NO_PUBSUB: ParseError = ParseError::Because("Google Pub/Sub is not supported, use sqs");

/// A word as it is, or the last part of a dotted path: the modules before it moved twice in the original.
fn class(text: &str) -> &str {
    text.rsplit('.').next().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_names_of_the_original_mean_the_same() {
        for (text, word) in [
            ("fs", StorageWord::Fs),
            ("S3", StorageWord::S3),
            (
                "antenna.ext.fs.crashstorage.FSCrashStorage",
                StorageWord::Fs,
            ),
            (
                "antenna.ext.s3.crashstorage.S3CrashStorage",
                StorageWord::S3,
            ),
            (
                "antenna.ext.crashstorage_base.NoOpCrashStorage",
                StorageWord::None,
            ),
            (
                "antenna.ext.crashstorage_base.InMemoryCrashStorage",
                StorageWord::Memory,
            ),
        ] {
            assert_eq!((STORAGE.parse)(text).ok(), Some(word), "{text}");
        }
        for (text, word) in [
            ("None", PublishWord::None),
            (
                "antenna.ext.sqs.crashpublish.SQSCrashPublish",
                PublishWord::Sqs,
            ),
            (
                "antenna.ext.crashpublish_base.NoOpCrashPublish",
                PublishWord::None,
            ),
            (
                "antenna.ext.crashpublish_base.InMemoryCrashPublish",
                PublishWord::Memory,
            ),
        ] {
            assert_eq!((PUBLISH.parse)(text).ok(), Some(word), "{text}");
        }
    }

    #[test]
    fn what_is_not_supported_says_what_to_use_instead() {
        for text in ["gcs", "antenna.ext.gcs.crashstorage.GcsCrashStorage"] {
            let Err(ParseError::Because(why)) = (STORAGE.parse)(text) else {
                panic!("{text} was taken");
            };
            assert!(why.contains("use s3"), "{why}");
        }
        let Err(ParseError::Because(why)) =
            (PUBLISH.parse)("antenna.ext.pubsub.crashpublish.PubSubCrashPublish")
        else {
            panic!("Pub/Sub was taken");
        };
        assert!(why.contains("use sqs"), "{why}");
    }

    #[test]
    fn levels_are_taken_in_any_case() {
        assert_eq!((LOG_LEVEL.parse)("debug").ok(), Some(LogLevel::Debug));
        for text in ["Critical", "FATAL"] {
            assert_eq!((LOG_LEVEL.parse)(text).ok(), Some(LogLevel::Critical));
        }
        for text in ["warn", "NOTSET"] {
            assert_eq!((LOG_LEVEL.parse)(text).ok(), Some(LogLevel::Warning));
        }
        assert!((LOG_LEVEL.parse)("verbose").is_err());
        assert_eq!(
            (ACKNOWLEDGE.parse)("Queued").ok(),
            Some(Acknowledge::Queued)
        );
        assert!((ACKNOWLEDGE.parse)("").is_err());
    }
}
