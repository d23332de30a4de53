//! What every metric says, in words for `docs/metrics.md`, and lists of all of them. Names and tags are in `catalog.rs`.

use super::catalog::{Count, Fate, Gauge, Histogram, Outcome, TagValues, Timing};

/// Failures after which something is tried again: the values of `Count::Retry`.
const RETRIED: [&str; 2] = [
    "save_crash_exception.count",
    "publish_crash_exception.count",
];

impl Count {
    /// All there are, one for each value of a tag.
    pub fn all(values: &TagValues) -> Vec<Self> {
        let mut all = vec![Self::IncomingCrash, Self::GzippedCrash];
        all.extend(
            values
                .malformed_reasons
                .iter()
                .map(|it| Self::Malformed(it)),
        );
        all.extend(values.throttle_results.iter().map(|it| Self::Throttle(it)));
        let rules = values.throttle_rules.iter().cloned();
        all.extend(rules.map(Self::ThrottleRule));
        all.extend([
            Self::UnauthorizedUuid,
            Self::ProxyHeaderFailed,
            Self::TlsFailed,
        ]);
        all.extend(Outcome::ALL.map(Self::Outcome));
        all.extend(Fate::ALL.map(Self::Fate));
        all.extend([
            Self::SaveCrash,
            Self::SaveCrashException,
            Self::SaveCrashDropped,
            Self::PublishCrashException,
            Self::PublishCrashDropped,
        ]);
        all.extend(RETRIED.map(Self::Retry));
        all.extend([
            Self::SavedLate,
            Self::Heartbeat,
            Self::Lbheartbeat,
            Self::Version,
            Self::Broken,
            Self::Resumed,
            Self::LogLinesLost,
            Self::StatsdLinesLost,
            Self::StatsdSendFailed,
        ]);
        all
    }

    pub fn help(&self) -> &'static str {
        match self {
            Self::IncomingCrash => {
                "A submission that could be parsed, whatever was decided about it afterwards."
            }
            Self::GzippedCrash => {
                "A body that came gzipped. Other encodings show in `crash_size` only, as `compressed`."
            }
            Self::Malformed(_) => "A body that is no crash report.",
            Self::Throttle(_) => "A submission, by throttle result.",
            Self::ThrottleRule(_) => "A submission, by the rule that settled it.",
            Self::UnauthorizedUuid => "A submission with a `uuid` and no right to choose one.",
            Self::ProxyHeaderFailed => {
                "A connection that was closed because it began with no PROXY header."
            }
            Self::TlsFailed => {
                "A connection that ended without a TLS handshake: plain HTTP, an old TLS, a certificate that the client \
                 does not trust, or nothing in time."
            }
            Self::Outcome(_) => {
                "One POST to `/submit` by how it ended; each has exactly one outcome."
            }
            Self::Fate(_) => "One kept report by where it went in the end.",
            Self::SaveCrash => "A report that was saved and published.",
            Self::SaveCrashException => "One failed attempt to save.",
            Self::SaveCrashDropped => "A report that could not be saved: it is lost to us.",
            Self::PublishCrashException => "One failed attempt to publish.",
            Self::PublishCrashDropped => "A saved report whose id was given up and not published.",
            Self::Retry(_) => "One more attempt, by the failure before it.",
            Self::SavedLate => "A report saved after its client had been told that it was not.",
            Self::Heartbeat => "A request for `/__heartbeat__`.",
            Self::Lbheartbeat => "A request for `/__lbheartbeat__`.",
            Self::Version => "A request for `/__version__`.",
            Self::Broken => "A request for `/__broken__`.",
            Self::Resumed => {
                "A report in the spool that this process did not acknowledge: found at its start, put back by `spool retry`, or \
                 spooled after its client was told no."
            }
            Self::LogLinesLost => "A log line lost because the output was too slow.",
            Self::StatsdLinesLost => {
                "A line for StatsD that found 10,000 others waiting, or was in a packet that the network refused."
            }
            Self::StatsdSendFailed => "A packet of lines for StatsD that the network refused.",
        }
    }
}

impl Outcome {
    pub const ALL: [Self; 10] = [
        Self::Kept,
        Self::Faked,
        Self::Rejected,
        Self::Malformed,
        Self::Unauthorized,
        Self::TooLarge,
        Self::TooSlow,
        Self::Overloaded,
        Self::NotKept,
        Self::Disconnected,
    ];

    pub fn help(self) -> &'static str {
        match self {
            Self::Kept => "200 `CrashID=…`, and the promise that goes with it",
            Self::Faked => {
                "200 `CrashID=…` without a promise: the rules want the client to believe it"
            }
            Self::Rejected => "200 `Discarded=rule_…`",
            Self::Malformed => "400 `Discarded=malformed_…`, or a boundary that is too long",
            Self::Unauthorized => "401 `Discarded=unauthorized_uuid`",
            Self::TooLarge => "413: larger than the limits",
            Self::TooSlow => "408: the body did not come in time",
            Self::Overloaded => "503: no room for it",
            Self::NotKept => "500: a report that could not be kept",
            Self::Disconnected => {
                "the connection broke before the body was read; nobody reads an answer"
            }
        }
    }
}

impl Fate {
    pub const ALL: [Self; 3] = [Self::Saved, Self::Spooled, Self::Failed];

    pub fn help(self) -> &'static str {
        match self {
            Self::Saved => "in crash storage",
            Self::Spooled => {
                "put into the spool when the process stopped; the next process saves it"
            }
            Self::Failed => {
                "lost: acknowledged before it was saved, and saving failed, or damaged in the spool"
            }
        }
    }
}

impl Timing {
    pub const ALL: [Self; 4] = [
        Self::OnPost,
        Self::CrashSave,
        Self::CrashPublish,
        Self::CrashHandling,
    ];

    pub fn help(self) -> &'static str {
        match self {
            Self::OnPost => "One POST, from head to answer.",
            Self::CrashSave => "One report into crash storage, all attempts.",
            Self::CrashPublish => "One call of the queue; told for each id in it.",
            Self::CrashHandling => "One report from acceptance to published.",
        }
    }
}

impl Histogram {
    /// Both values of every tag.
    pub const ALL: [Self; 4] = [
        Self::CrashSize {
            is_compressed: true,
        },
        Self::CrashSize {
            is_compressed: false,
        },
        Self::Decompress { is_success: true },
        Self::Decompress { is_success: false },
    ];

    pub fn help(self) -> &'static str {
        match self {
            Self::CrashSize { .. } => "Bytes of a body as sent.",
            Self::Decompress { .. } => {
                "Milliseconds from the first byte of a gzipped body to the last, inflated."
            }
        }
    }
}

impl Gauge {
    pub const ALL: [Self; 12] = [
        Self::SaveQueueSize,
        Self::WorkQueueSize,
        Self::PublishQueueSize,
        Self::PublishOldestSeconds,
        Self::InFlightBytes,
        Self::Connections,
        Self::SpoolSaveEntries,
        Self::SpoolPublishEntries,
        Self::SpoolFailedEntries,
        Self::SpoolBytes,
        Self::SpoolOldestSeconds,
        Self::CertificateDaysLeft,
    ];

    pub fn help(self) -> &'static str {
        match self {
            Self::SaveQueueSize => "Reports waiting for a crashmover.",
            Self::WorkQueueSize => "Reports that crashmovers are working on.",
            Self::PublishQueueSize => "Ids waiting to be published.",
            Self::PublishOldestSeconds => {
                "How long ago the report was accepted whose id waits longest, in seconds."
            }
            Self::InFlightBytes => "Bytes set aside for reports in memory.",
            Self::Connections => "Open connections.",
            Self::SpoolSaveEntries => "Reports waiting in the spool to be saved.",
            Self::SpoolPublishEntries => "Saved reports waiting in the spool to be published.",
            Self::SpoolFailedEntries => {
                "Spool entries set aside: damaged, or refused by the queue."
            }
            Self::SpoolBytes => "Bytes on disk of the entries that wait.",
            Self::SpoolOldestSeconds => "Age of the oldest waiting spool entry, in seconds.",
            Self::CertificateDaysLeft => {
                "Whole days until the first certificate of `TLS_CERTIFICATE` ends, 0 afterwards; only with TLS."
            }
        }
    }
}
