//! What is counted and logged of a POST: every one ends in exactly one outcome, and the original's metrics keep their
//! meaning.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, Response, StatusCode};
use tower::util::ServiceExt;

use crate::crash::CrashId;
use crate::intake::{Encoding, Failed, Head, Malformed, Submission};
use crate::metrics::{Count, Histogram, Metrics, Outcome, Timing};
use crate::throttle::Verdict;

use super::Routes;
use super::reply::{Refusal, Reply};

/// Opens an account for every POST and closes it with the answer, unless a layer further in has closed it.
pub async fn accounted(
    mut request: Request,
    routes: Routes,
    metrics: Metrics,
) -> Result<Response<Body>, Infallible> {
    if request.method() != Method::POST {
        return routes.oneshot(request).await;
    }
    let account = Arc::new(Account::open(metrics));
    request.extensions_mut().insert(account.clone());
    let response = routes.oneshot(request).await?;
    if account.is_open() {
        account.close(Reply::Refused(
            if response.status() == StatusCode::INTERNAL_SERVER_ERROR {
                Refusal::InternalError
            } else {
                Refusal::WrongPath
            },
        ));
    }
    Ok(response)
}

/// Counts and logs a POST whose head was refused before it became a request.
pub fn refused_head(metrics: &Metrics, refusal: Refusal) {
    Account::open(metrics.clone()).close(Reply::Refused(refusal));
}

/// One POST, from head to outcome. Dropped while open, it counts as a client that hung up.
pub struct Account {
    metrics: Metrics,
    started: Instant,
    is_closed: AtomicBool,
    has_bad_chunks: AtomicBool,
}

impl Account {
    fn open(metrics: Metrics) -> Self {
        Self {
            metrics,
            started: Instant::now(),
            is_closed: AtomicBool::new(false),
            has_bad_chunks: AtomicBool::new(false),
        }
    }

    fn is_open(&self) -> bool {
        !self.is_closed.load(Ordering::Acquire)
    }

    /// The body's chunks are malformed, which its reader cannot tell from a broken connection.
    pub fn note_bad_chunks(&self) {
        self.has_bad_chunks.store(true, Ordering::Release);
    }

    /// Counts and logs the reply, and hands it on. The first reply is the one that counts.
    pub fn close(&self, mut reply: Reply) -> Reply {
        if reply == Reply::Refused(Refusal::Disconnected)
            && self.has_bad_chunks.load(Ordering::Acquire)
        {
            reply = Reply::Refused(Refusal::BadFraming);
        }
        if !self.is_closed.swap(true, Ordering::AcqRel) {
            self.count_reply(&reply);
            log_reply(&reply);
        }
        reply
    }

    fn count_reply(&self, reply: &Reply) {
        self.metrics.count(Count::Outcome(reply.outcome()));
        if let Reply::Refused(refusal) = reply {
            if let Some(count) = refusal.count() {
                self.metrics.count(count);
            }
            // What the original answers before its handler is called.
            if matches!(
                refusal,
                Refusal::Malformed(Malformed::BadBoundary)
                    | Refusal::BadFraming
                    | Refusal::HeadTooLarge
                    | Refusal::WrongPath
            ) {
                return;
            }
        }
        self.metrics.time(Timing::OnPost, self.started.elapsed());
    }

    /// The body's metrics, by the rules of the record: a body that could be decoded counts with its size.
    pub fn count_body<E>(
        &self,
        head: Head<'_>,
        encoding: Option<Encoding>,
        result: &Result<Submission, Failed<E>>,
        took: Duration,
    ) {
        let reason = match result {
            Err(Failed::Malformed(reason)) => Some(*reason),
            Err(Failed::TooLarge | Failed::Body(_)) => return,
            Ok(_) => None,
        };
        if reason.is_some_and(Malformed::is_in_headers) {
            return;
        }
        let is_success = !matches!(reason, Some(Malformed::BadGzip | Malformed::BadEncoding));
        // These two say gzip in their names, and mean it.
        if encoding == Some(Encoding::Gzip) {
            self.metrics.count(Count::GzippedCrash);
            self.metrics.histogram(
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
            self.metrics.histogram(
                Histogram::CrashSize {
                    is_compressed: encoding.is_some(),
                },
                payload_bytes.unwrap_or(0) as f64,
            );
        }
    }

    pub fn count_verdict(&self, verdict: &Verdict) {
        self.metrics
            .count(Count::ThrottleRule(verdict.rule().into()));
        self.metrics
            .count(Count::Throttle(verdict.result().as_str()));
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if self.is_open() {
            self.metrics.count(Count::Outcome(Outcome::Disconnected));
        }
    }
}

/// The original's line, word for word; people and scripts look for it.
pub fn log_verdict(id: &CrashId, verdict: &Verdict) {
    let (rule, result) = (
        verdict.rule(),
        verdict.result().as_str().to_ascii_uppercase(),
    );
    tracing::info!(crash_id = %id, rule, result, "{id}: matched by {rule}; returned {result}");
}

fn log_reply(reply: &Reply) {
    match reply {
        Reply::Refused(refusal) => refusal.log(),
        Reply::Rejected { rule } => tracing::info!(%rule, "matched by {rule}; returned REJECT"),
        Reply::Kept(_) | Reply::Faked(_) => {}
    }
}
