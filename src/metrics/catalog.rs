//! Every metric: kind, wire name, tag, and what it says. The kind is in the type.
//!
//! Names and tags are the original's where it has them; dashboards depend on them. Tag values come from this file or are
//! names of throttle rules, so there is a bounded number of them.

use std::sync::Arc;

/// Things that happen and are counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Count {
    /// A submission that could be parsed, whatever was decided about it afterwards.
    IncomingCrash,
    /// A body that came gzipped.
    GzippedCrash,
    /// A body that is no crash report, by reason code.
    Malformed(&'static str),
    /// A submission by throttle result: `accept`, `defer`, `reject`, `fakeaccept`.
    Throttle(&'static str),
    /// A submission by the rule that settled it.
    ThrottleRule(Arc<str>),
    /// A submission with a `uuid` and no right to choose one.
    UnauthorizedUuid,
    /// One POST to `/submit` by how it ended; each has exactly one outcome.
    Outcome(Outcome),
    /// One kept report by where it went in the end; each has exactly one fate.
    Fate(Fate),
    /// A report was saved and, unless publishing had to be put off, published.
    SaveCrash,
    /// One failed attempt to save.
    SaveCrashException,
    /// A report that could not be saved and is lost.
    SaveCrashDropped,
    /// One failed attempt to publish.
    PublishCrashException,
    /// A saved report whose id could not be published and was given up.
    PublishCrashDropped,
    /// One more attempt, by what failed before it.
    Retry(&'static str),
    /// A report saved after its client had been told that it was not.
    SavedLate,
    Heartbeat,
    Lbheartbeat,
    Version,
    Broken,
}

/// How a POST to `/submit` ended, as its client was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// `CrashID=`, and the promise that goes with it.
    Kept,
    /// `CrashID=` without a promise: the rules want the client to believe it.
    Faked,
    /// `Discarded=rule_…`.
    Rejected,
    /// `Discarded=malformed_…`, or a boundary that is too long.
    Malformed,
    /// `Discarded=unauthorized_uuid`.
    Unauthorized,
    /// 413: larger than the limits.
    TooLarge,
    /// 408: the body did not come in time.
    TooSlow,
    /// 503: no room for it.
    Overloaded,
    /// 500: a report that could not be kept.
    NotKept,
    /// The connection broke before the body was read.
    Disconnected,
}

/// Where a kept report went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fate {
    /// In crash storage.
    Saved,
    /// In the spool when the process stopped; the next one saves it.
    Spooled,
    /// Lost: acknowledged before it was saved, and saving failed.
    Failed,
}

/// Durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timing {
    /// One POST, from head to answer.
    OnPost,
    /// One report into crash storage, all attempts.
    CrashSave,
    /// One id into the queue.
    CrashPublish,
    /// One report from acceptance to published.
    CrashHandling,
}

/// Sizes and the like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Histogram {
    /// Bytes of a body as sent, by whether it was compressed.
    CrashSize { is_compressed: bool },
    /// Milliseconds of inflating one body, by whether that worked.
    Decompress { is_success: bool },
}

/// What is the case now, told every ten seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Gauge {
    /// Reports waiting for a crashmover.
    SaveQueueSize,
    /// Reports that crashmovers are working on.
    WorkQueueSize,
    /// Ids waiting to be published.
    PublishQueueSize,
    /// Bytes of reports in memory.
    InFlightBytes,
    /// Open connections.
    Connections,
    /// Reports waiting in the spool to be saved.
    SpoolSaveEntries,
    /// Saved reports waiting in the spool to be published.
    SpoolPublishEntries,
    /// Spool entries set aside because they are damaged.
    SpoolFailedEntries,
    /// Bytes of all spool entries.
    SpoolBytes,
    /// Age of the oldest waiting spool entry, in seconds.
    SpoolOldestSeconds,
}

/// A metric's place in the catalog: its name, and its tag's name and value if it has one.
pub trait Described {
    fn name(&self) -> &'static str;
    fn tag(&self) -> Option<(&'static str, &str)> {
        None
    }
}

impl Described for Count {
    fn name(&self) -> &'static str {
        match self {
            Self::IncomingCrash => "breakpad_resource.incoming_crash",
            Self::GzippedCrash => "breakpad_resource.gzipped_crash",
            Self::Malformed(_) => "breakpad_resource.malformed",
            Self::Throttle(_) => "breakpad_resource.throttle",
            Self::ThrottleRule(_) => "breakpad_resource.throttle_rule",
            Self::UnauthorizedUuid => "breakpad_resource.unauthorized_uuid",
            Self::Outcome(_) => "breakpad_resource.outcome",
            Self::Fate(_) => "crashmover.fate",
            Self::SaveCrash => "crashmover.save_crash.count",
            Self::SaveCrashException => "crashmover.save_crash_exception.count",
            Self::SaveCrashDropped => "crashmover.save_crash_dropped.count",
            Self::PublishCrashException => "crashmover.publish_crash_exception.count",
            Self::PublishCrashDropped => "crashmover.publish_crash_dropped.count",
            Self::Retry(_) => "crashmover.retry_count",
            Self::SavedLate => "crashmover.saved_late.count",
            Self::Heartbeat => "health.heartbeat.count",
            Self::Lbheartbeat => "health.lbheartbeat.count",
            Self::Version => "health.version.count",
            Self::Broken => "health.broken.count",
        }
    }

    fn tag(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Malformed(reason) => Some(("reason", reason)),
            Self::Throttle(result) => Some(("result", result)),
            Self::ThrottleRule(rule) => Some(("rule", rule)),
            Self::Outcome(outcome) => Some(("outcome", outcome.code())),
            Self::Fate(fate) => Some(("fate", fate.code())),
            Self::Retry(what) => Some(("count", what)),
            _ => None,
        }
    }
}

impl Outcome {
    pub fn code(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Faked => "faked",
            Self::Rejected => "rejected",
            Self::Malformed => "malformed",
            Self::Unauthorized => "unauthorized",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::Overloaded => "overloaded",
            Self::NotKept => "not_kept",
            Self::Disconnected => "disconnected",
        }
    }
}

impl Fate {
    pub fn code(self) -> &'static str {
        match self {
            Self::Saved => "saved",
            Self::Spooled => "spooled",
            Self::Failed => "failed",
        }
    }
}

impl Described for Timing {
    fn name(&self) -> &'static str {
        match self {
            Self::OnPost => "breakpad_resource.on_post.time",
            Self::CrashSave => "crashmover.crash_save.time",
            Self::CrashPublish => "crashmover.crash_publish.time",
            Self::CrashHandling => "crashmover.crash_handling.time",
        }
    }
}

impl Described for Histogram {
    fn name(&self) -> &'static str {
        match self {
            Self::CrashSize { .. } => "breakpad_resource.crash_size",
            Self::Decompress { .. } => "breakpad_resource.gzipped_crash_decompress",
        }
    }

    fn tag(&self) -> Option<(&'static str, &str)> {
        Some(match self {
            Self::CrashSize {
                is_compressed: true,
            } => ("payload", "compressed"),
            Self::CrashSize {
                is_compressed: false,
            } => ("payload", "uncompressed"),
            Self::Decompress { is_success: true } => ("result", "success"),
            Self::Decompress { is_success: false } => ("result", "fail"),
        })
    }
}

impl Described for Gauge {
    fn name(&self) -> &'static str {
        match self {
            Self::SaveQueueSize => "crashmover.save_queue_size",
            Self::WorkQueueSize => "crashmover.work_queue_size",
            Self::PublishQueueSize => "crashmover.publish_queue_size",
            Self::InFlightBytes => "breakpad_resource.in_flight_bytes",
            Self::Connections => "breakpad_resource.connections",
            Self::SpoolSaveEntries => "spool.save_entries",
            Self::SpoolPublishEntries => "spool.publish_entries",
            Self::SpoolFailedEntries => "spool.failed_entries",
            Self::SpoolBytes => "spool.bytes",
            Self::SpoolOldestSeconds => "spool.oldest_seconds",
        }
    }
}
