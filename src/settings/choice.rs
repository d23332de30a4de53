//! Settings that choose one of a few words, where the original also takes the dotted name of a class.

use super::kind::{Kind, Unfit};

/// From which severity on a line is logged. `Critical` shows the same lines as `Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    Debug,
    Info,
    Warning,
    Error,
    Critical,
}

impl LogLevel {
    /// Reads a level in any case, for settings and for whoever changes the level at run time.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_uppercase().as_str() {
            "DEBUG" => Some(Self::Debug),
            "INFO" => Some(Self::Info),
            // Python's loggers without a level take that of the one above, which the original sets to WARNING.
            "WARNING" | "WARN" | "NOTSET" => Some(Self::Warning),
            "ERROR" => Some(Self::Error),
            "CRITICAL" | "FATAL" => Some(Self::Critical),
            _ => None,
        }
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

/// When a client is told that its report is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledge {
    /// After the report is in crash storage (or, with a spool, durable on disk).
    Saved,
    /// As soon as the report is in the queue in memory.
    Queued,
    /// As soon as the report is durable in the spool.
    Spooled,
}

/// An encoding of bodies that the original does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtraEncoding {
    Deflate,
    Brotli,
    Zstd,
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

pub(super) const LOG_LEVEL: Kind<LogLevel> = Kind {
    form: "`DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`",
    example: "INFO",
    secret: false,
    parse: |text| LogLevel::parse(text).ok_or(Unfit::Form),
};

pub(super) const ACKNOWLEDGE: Kind<Acknowledge> = Kind {
    form: "`saved`, `queued` or `spooled`",
    example: "saved",
    secret: false,
    parse: |text| match text.to_ascii_lowercase().as_str() {
        "saved" => Ok(Acknowledge::Saved),
        "queued" => Ok(Acknowledge::Queued),
        "spooled" => Ok(Acknowledge::Spooled),
        _ => Err(Unfit::Form),
    },
};

pub(super) const EXTRA_ENCODINGS: Kind<Vec<ExtraEncoding>> = Kind {
    form: "`deflate`, `br`, `zstd`, or several of them with commas between",
    example: "deflate,br,zstd",
    secret: false,
    parse: |text| {
        let words = text.split(',').map(str::trim);
        words
            .filter(|_| !text.is_empty())
            .map(extra_encoding)
            .collect()
    },
};

fn extra_encoding(word: &str) -> Result<ExtraEncoding, Unfit> {
    match word.to_ascii_lowercase().as_str() {
        "deflate" => Ok(ExtraEncoding::Deflate),
        "br" => Ok(ExtraEncoding::Brotli),
        "zstd" => Ok(ExtraEncoding::Zstd),
        "gzip" | "x-gzip" => Err(Unfit::Because("gzip is always decoded, leave it out")),
        _ => Err(Unfit::Form),
    }
}

pub(super) const STORAGE: Kind<StorageWord> = Kind {
    form: "`fs`, `s3`, `memory` or `none`, or the original's class, such as `antenna.ext.s3.crashstorage.S3CrashStorage`",
    example: "s3",
    secret: false,
    parse: |text| match word_or_class(text).as_str() {
        "fs" | "FSCrashStorage" => Ok(StorageWord::Fs),
        "s3" | "S3CrashStorage" => Ok(StorageWord::S3),
        "memory" | "InMemoryCrashStorage" => Ok(StorageWord::Memory),
        "none" | "NoOpCrashStorage" => Ok(StorageWord::None),
        "gcs" | "GcsCrashStorage" => Err(Unfit::Because(
            "Google Cloud Storage is not supported, use s3 (its S3-compatible endpoint goes in \
             CRASHMOVER_CRASHSTORAGE_ENDPOINT_URL)",
        )),
        _ => Err(Unfit::Form),
    },
};

pub(super) const PUBLISH: Kind<PublishWord> = Kind {
    form: "`sqs`, `memory` or `none`, or the original's class, such as `antenna.ext.sqs.crashpublish.SQSCrashPublish`",
    example: "sqs",
    secret: false,
    parse: |text| match word_or_class(text).as_str() {
        "sqs" | "SQSCrashPublish" => Ok(PublishWord::Sqs),
        "memory" | "InMemoryCrashPublish" => Ok(PublishWord::Memory),
        "none" | "NoOpCrashPublish" => Ok(PublishWord::None),
        "pubsub" | "PubSubCrashPublish" => {
            Err(Unfit::Because("Google Pub/Sub is not supported, use sqs"))
        }
        _ => Err(Unfit::Form),
    },
};

/// A short word in lower case, or the last part of a dotted path: the modules before it moved twice in the original.
fn word_or_class(text: &str) -> String {
    match text.rsplit_once('.') {
        Some((_, class)) => class.to_owned(),
        None => text.to_ascii_lowercase(),
    }
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
            let Err(Unfit::Because(why)) = (STORAGE.parse)(text) else {
                panic!("{text} was taken");
            };
            assert!(why.contains("use s3"), "{why}");
        }
        let Err(Unfit::Because(why)) =
            (PUBLISH.parse)("antenna.ext.pubsub.crashpublish.PubSubCrashPublish")
        else {
            panic!("Pub/Sub was taken");
        };
        assert!(why.contains("use sqs"), "{why}");
    }

    #[test]
    fn encodings_are_a_list_of_known_names() {
        let all = [
            ExtraEncoding::Zstd,
            ExtraEncoding::Brotli,
            ExtraEncoding::Deflate,
        ];
        let taken = |text| (EXTRA_ENCODINGS.parse)(text).ok();
        assert_eq!(taken(""), Some(vec![]));
        assert_eq!(taken("zstd, BR,deflate"), Some(all.to_vec()));
        for text in ["brotli", "br,", ",", "br zstd", "identity"] {
            assert_eq!(taken(text), None, "{text}");
        }
        let gzip = (EXTRA_ENCODINGS.parse)("br,gzip");
        assert!(matches!(gzip, Err(Unfit::Because(_))));
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
