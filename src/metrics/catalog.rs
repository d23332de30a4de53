//! Every metric: kind, wire name and tag. The kind is in the type; what each says is in `help.rs`.
//!
//! Names and tags are the original's where it has them; dashboards depend on them. Tag values come from this file or are
//! names of throttle rules, so there is a bounded number of them.

use std::sync::Arc;

/// Things that happen and are counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Count {
    IncomingCrash,
    GzippedCrash,
    Malformed(&'static str),
    Throttle(&'static str),
    ThrottleRule(Arc<str>),
    UnauthorizedUuid,
    ProxyHeaderFailed,
    TlsFailed,
    Outcome(Outcome),
    Fate(Fate),
    SaveCrash,
    SaveCrashException,
    SaveCrashDropped,
    PublishCrashException,
    PublishCrashDropped,
    Retry(&'static str),
    SavedLate,
    Heartbeat,
    Lbheartbeat,
    Version,
    Broken,
    Resumed,
    LogLinesLost,
    StatsdLinesLost,
    StatsdSendFailed,
}

/// Tag values that other parts decide.
#[derive(Clone, Debug)]
pub struct TagValues {
    pub malformed_reasons: Vec<&'static str>,
    pub throttle_results: Vec<&'static str>,
    pub throttle_rules: Vec<Arc<str>>,
}

/// How a POST to `/submit` ended, as its client was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    Kept,
    Faked,
    Rejected,
    Malformed,
    Unauthorized,
    TooLarge,
    TooSlow,
    Overloaded,
    NotKept,
    Disconnected,
}

/// Where a kept report went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fate {
    Saved,
    Spooled,
    Failed,
}

/// Durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timing {
    OnPost,
    CrashSave,
    CrashPublish,
    CrashHandling,
}

/// Sizes and the like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Histogram {
    CrashSize { is_compressed: bool },
    Decompress { is_success: bool },
}

/// What is the case now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Gauge {
    SaveQueueSize,
    WorkQueueSize,
    PublishQueueSize,
    PublishOldestSeconds,
    InFlightBytes,
    Connections,
    SpoolSaveEntries,
    SpoolPublishEntries,
    SpoolFailedEntries,
    SpoolBytes,
    SpoolOldestSeconds,
    CertificateDaysLeft,
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
            Self::ProxyHeaderFailed => "breakpad_resource.proxy_header_failed",
            Self::TlsFailed => "breakpad_resource.tls_failed",
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
            Self::Resumed => "spool.resumed",
            Self::LogLinesLost => "logging.lines_lost",
            Self::StatsdLinesLost => "statsd.lines_lost",
            Self::StatsdSendFailed => "statsd.send_failed",
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
            Self::PublishOldestSeconds => "crashmover.publish_oldest_seconds",
            Self::InFlightBytes => "breakpad_resource.in_flight_bytes",
            Self::Connections => "breakpad_resource.connections",
            Self::SpoolSaveEntries => "spool.save_entries",
            Self::SpoolPublishEntries => "spool.publish_entries",
            Self::SpoolFailedEntries => "spool.failed_entries",
            Self::SpoolBytes => "spool.bytes",
            Self::SpoolOldestSeconds => "spool.oldest_seconds",
            Self::CertificateDaysLeft => "tls.certificate_days_left",
        }
    }
}
