//! What is counted and logged of a POST: every one ends in exactly one outcome, and the original's metrics keep their
//! meaning.

use std::time::{Duration, Instant};

use crate::crash::CrashId;
use crate::intake::{self, Failed, Head, Malformed, Submission};
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
    let is_compressed = intake::is_gzip(head.content_encoding);
    let is_success = reason != Some(Malformed::BadGzip);
    if is_compressed {
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
            Histogram::CrashSize { is_compressed },
            payload_bytes.unwrap_or(0) as f64,
        );
    }
}

pub fn count_reply(collector: &Collector, reply: &Reply, started: Instant) {
    let metrics = &collector.metrics;
    match reply {
        // The original answers this one before it counts.
        Reply::Refused(Refusal::Malformed(Malformed::BadBoundary)) => {}
        Reply::Refused(Refusal::Malformed(reason)) => {
            metrics.count(Count::Malformed(reason.code()))
        }
        Reply::Refused(Refusal::UnauthorizedUuid) => metrics.count(Count::UnauthorizedUuid),
        _ => {}
    }
    let outcome = reply.outcome();
    metrics.count(Count::Outcome(outcome));
    if reply != &Reply::Refused(Refusal::Malformed(Malformed::BadBoundary))
        && outcome != Outcome::Disconnected
    {
        metrics.time(Timing::OnPost, started.elapsed());
    }
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

pub fn log_refusal(reply: &Reply) {
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
