//! What is counted and logged of a POST: every one ends in exactly one outcome, and the original's metrics keep their
//! meaning.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::crash::CrashId;
use crate::intake::{Encoding, Failed, Head, Malformed, Submission};
use crate::metrics::{Count, Histogram, Outcome, Timing};
use crate::throttle::Verdict;

use super::Collector;
use super::reply::{Refusal, Reply};

/// The body's metrics, by the rules of the record: a body that could be decoded counts with its size.
pub fn count_body<E>(
    collector: &Collector,
    head: Head<'_>,
    result: &Result<Submission, Failed<E>>,
    took: Duration,
) {
    let metrics = &collector.metrics;
    let reason = match result {
        Err(Failed::Malformed(reason)) => Some(*reason),
        Err(Failed::TooLarge | Failed::Body(_)) => return,
        Ok(_) => None,
    };
    if reason.is_some_and(Malformed::is_in_headers) {
        return;
    }
    let extra = collector.intake_limits.extra_encodings;
    let encoding = match result {
        Ok(submission) => submission.encoding,
        Err(_) => head.encodings.to_decode(extra).next(),
    };
    let is_success = !matches!(reason, Some(Malformed::BadGzip | Malformed::BadEncoding));
    // These two say gzip in their names, and mean it.
    if encoding == Some(Encoding::Gzip) {
        metrics.count(Count::GzippedCrash);
        metrics.histogram(
            Histogram::Decompress { is_success },
            took.as_secs_f64() * 1000.0,
        );
    }
    if is_success {
        let payload_bytes = result
            .as_ref()
            .map_or(head.content_length_bytes, |submission| {
                Some(submission.payload_bytes)
            });
        metrics.histogram(
            Histogram::CrashSize {
                is_compressed: encoding.is_some(),
            },
            payload_bytes.unwrap_or(0) as f64,
        );
    }
}

/// One POST, from head to outcome. Dropped without an outcome, it counts as a client that hung up.
pub struct Account {
    collector: Arc<Collector>,
    started: Instant,
    is_open: bool,
}

impl Account {
    pub fn open(collector: Arc<Collector>) -> Self {
        Self {
            collector,
            started: Instant::now(),
            is_open: true,
        }
    }

    pub fn collector(&self) -> &Collector {
        &self.collector
    }

    /// Counts and logs the reply, and hands it on.
    pub fn close(mut self, reply: Reply) -> Reply {
        self.is_open = false;
        count_reply(&self.collector, &reply, self.started);
        log_refusal(&reply);
        reply
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if self.is_open {
            self.collector
                .metrics
                .count(Count::Outcome(Outcome::Disconnected));
        }
    }
}

fn count_reply(collector: &Collector, reply: &Reply, started: Instant) {
    let metrics = &collector.metrics;
    match reply {
        // The original answers this one before it counts anything.
        Reply::Refused(Refusal::Malformed(Malformed::BadBoundary)) => {
            return metrics.count(Count::Outcome(reply.outcome()));
        }
        Reply::Refused(Refusal::Malformed(reason)) => {
            metrics.count(Count::Malformed(reason.code()))
        }
        Reply::Refused(Refusal::UnauthorizedUuid) => metrics.count(Count::UnauthorizedUuid),
        _ => {}
    }
    metrics.count(Count::Outcome(reply.outcome()));
    metrics.time(Timing::OnPost, started.elapsed());
}

pub fn count_verdict(collector: &Collector, verdict: &Verdict) {
    collector
        .metrics
        .count(Count::ThrottleRule(verdict.rule().into()));
    collector
        .metrics
        .count(Count::Throttle(verdict.result().as_str()));
}

/// The original's line, word for word; people and scripts look for it.
pub fn log_verdict(id: &CrashId, verdict: &Verdict) {
    let (rule, result) = (
        verdict.rule(),
        verdict.result().as_str().to_ascii_uppercase(),
    );
    tracing::info!(crash_id = %id, rule, result, "{id}: matched by {rule}; returned {result}");
}

fn log_refusal(reply: &Reply) {
    match reply {
        Reply::Refused(Refusal::Malformed(reason)) => {
            tracing::info!(reason = reason.code(), "malformed submission")
        }
        Reply::Refused(refusal) => tracing::warn!(
            outcome = reply.outcome().code(),
            ?refusal,
            "submission refused"
        ),
        Reply::Rejected { rule } => tracing::info!(%rule, "matched by {rule}; returned REJECT"),
        Reply::Kept(_) | Reply::Faked(_) => {}
    }
}
