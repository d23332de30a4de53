//! `POST /submit`: the whole decision about one submission.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, header, request::Parts};
use chrono::{DateTime, Utc};
use subtle::ConstantTimeEq;

use crate::crash::{CrashId, CrashReport, Metadata, RawCrash};
use crate::crashmover::Reservation;
use crate::intake::{self, Failed, Head, Malformed, Submission};
use crate::metrics::Count;
use crate::throttle::Keep;

use super::Collector;
use super::accounts::{count_body, count_reply, count_verdict, log_refusal, log_verdict};
use super::limits::{BodyFailed, LimitedBody};
use super::reply::{Refusal, Reply};

/// A client that is refused may go on sending this long before the connection is closed under it.
const DISCARD_FOR: Duration = Duration::from_secs(10);

/// Takes one report, decides, and answers. Every call ends in exactly one outcome.
pub async fn submit(State(collector): State<Arc<Collector>>, request: Request) -> Response<Body> {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let mut body = LimitedBody::new(body, collector.body_limits);
    let reply = match decide(&collector, &parts.headers, &mut body).await {
        Ok(reply) => reply,
        Err(refusal) => Reply::Refused(refusal),
    };
    count_reply(&collector, &reply, started);
    log_refusal(&reply);
    let mut response = reply.into_response(&collector.id_prefix);
    if !body.has_ended() {
        response
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
        discard_rest(&parts, body, collector.body_limits.payload_bytes);
    }
    response
}

/// The decision. The order of the checks is recorded.
async fn decide(
    collector: &Arc<Collector>,
    headers: &HeaderMap,
    body: &mut LimitedBody,
) -> Result<Reply, Refusal> {
    let head = head(headers);
    if head
        .content_length_bytes
        .is_some_and(|bytes| bytes > collector.body_limits.payload_bytes)
    {
        return Err(Refusal::TooLarge);
    }
    if !collector.crashmover.has_room() {
        return Err(Refusal::Overloaded);
    }
    let budget = collector.crashmover.budget();
    let announced_bytes = head.content_length_bytes.unwrap_or(0);
    let mut reservation = budget
        .reserve(announced_bytes)
        .map_err(|_| Refusal::Overloaded)?;
    let submission = read(collector, head, body, &mut reservation).await?;
    collector.metrics.count(Count::IncomingCrash);

    let received = Utc::now();
    let verdict =
        collector
            .throttler
            .throttle(&submission.annotations, received, &mut rand::random::<f64>);
    let chosen = chosen_id(collector, headers, &submission)?;
    count_verdict(collector, &verdict);
    let make = |digit| {
        chosen
            .clone()
            .unwrap_or_else(|| CrashId::make(rand::random(), digit, received.date_naive()))
    };
    match (verdict.keep(), verdict.digit()) {
        (Some(keep), _) => {
            let id = make(keep.digit());
            log_verdict(&id, &verdict);
            keep_report(
                collector,
                assemble(&keep, id, submission, headers, received),
                reservation,
            )
            .await
        }
        (None, Some(digit)) => {
            let id = make(digit);
            log_verdict(&id, &verdict);
            Ok(Reply::Faked(id))
        }
        (None, None) => Ok(Reply::Rejected {
            rule: verdict.rule().into(),
        }),
    }
}

async fn read(
    collector: &Collector,
    head: Head<'_>,
    body: &mut LimitedBody,
    reservation: &mut Reservation,
) -> Result<Submission, Refusal> {
    let started = Instant::now();
    let keep = |bytes| reservation.keep(bytes).map_err(|_| BodyFailed::OutOfMemory);
    let result = intake::parse(head, body, &collector.intake_limits, keep).await;
    count_body(collector, head, &result, started.elapsed());
    result.map_err(|failed| match failed {
        Failed::Malformed(reason) => Refusal::Malformed(reason),
        Failed::TooLarge | Failed::Body(BodyFailed::TooLarge) => Refusal::TooLarge,
        Failed::Body(BodyFailed::TooSlow) => Refusal::TooSlow,
        Failed::Body(BodyFailed::OutOfMemory) => Refusal::Overloaded,
        Failed::Body(BodyFailed::Disconnected) => Refusal::Disconnected,
    })
}

/// The id that the sender chose, if it may.
///
/// # Errors
/// A `uuid` without the token of the stage submitter, or one that is no crash id.
fn chosen_id(
    collector: &Collector,
    headers: &HeaderMap,
    submission: &Submission,
) -> Result<Option<CrashId>, Refusal> {
    let Some(uuid) = submission.annotations.get("uuid") else {
        return Ok(None);
    };
    if !is_authorised(collector, headers) {
        return Err(Refusal::UnauthorizedUuid);
    }
    let id = uuid.as_str().and_then(|uuid| CrashId::parse(uuid).ok());
    id.map(Some)
        .ok_or(Refusal::Malformed(Malformed::InvalidUuid))
}

/// Compares in constant time, so that the token cannot be found out byte by byte.
fn is_authorised(collector: &Collector, headers: &HeaderMap) -> bool {
    let Some(token) = &collector.bearer_token else {
        return false;
    };
    let sent = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    sent.is_some_and(|sent| bool::from(sent.ct_eq(token.as_bytes())))
}

fn assemble(
    keep: &Keep,
    id: CrashId,
    submission: Submission,
    headers: &HeaderMap,
    received: DateTime<Utc>,
) -> CrashReport {
    let metadata = Metadata {
        notes: submission.notes,
        payload: submission.payload,
        payload_compressed: submission.is_compressed,
        payload_bytes: submission.payload_bytes,
        throttle_rule: keep.rule().to_owned(),
        user_agent: user_agent(headers),
        submitted: received,
    };
    let raw_crash = RawCrash::assemble(&id, submission.annotations, metadata, &submission.dumps);
    CrashReport::new(id, raw_crash, submission.dumps)
}

/// In a task of its own: once a report is complete it is kept even if its client hangs up.
async fn keep_report(
    collector: &Arc<Collector>,
    report: CrashReport,
    reservation: Reservation,
) -> Result<Reply, Refusal> {
    let (id, crashmover) = (report.id.clone(), collector.crashmover.clone());
    let taken = tokio::spawn(async move { crashmover.take(report, reservation).await });
    match taken.await {
        Ok(Ok(_receipt)) => Ok(Reply::Kept(id)),
        Ok(Err(not_kept)) => Err(Refusal::NotKept(not_kept)),
        Err(_panicked) => Err(Refusal::NotKept(crate::crashmover::NotKept::SaveFailed)),
    }
}

fn discard_rest(parts: &Parts, body: LimitedBody, most_bytes: u64) {
    // A client that waits for `100 Continue` has sent nothing yet, and asking for its body would make it.
    if !parts.headers.contains_key(header::EXPECT) {
        tokio::spawn(body.discard(2 * most_bytes, DISCARD_FOR));
    }
}

fn head(headers: &HeaderMap) -> Head<'_> {
    Head {
        content_type: last(headers, header::CONTENT_TYPE),
        content_encoding: only(headers, header::CONTENT_ENCODING),
        content_length_bytes: only(headers, header::CONTENT_LENGTH)
            .and_then(|value| std::str::from_utf8(value).ok()?.parse().ok()),
        is_chunked: headers.contains_key(header::TRANSFER_ENCODING),
    }
}

fn last(headers: &HeaderMap, name: HeaderName) -> Option<&[u8]> {
    headers
        .get_all(name)
        .iter()
        .next_back()
        .map(HeaderValue::as_bytes)
}

/// The header if it was sent once: encodings applied twice are not known, as recorded.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&[u8]> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() {
        None
    } else {
        Some(first.as_bytes())
    }
}

/// All `User-Agent` headers joined by commas, read as Latin-1, as recorded; `None` where there is nothing but blanks.
fn user_agent(headers: &HeaderMap) -> Option<String> {
    let agents: Vec<String> = headers
        .get_all(header::USER_AGENT)
        .iter()
        .map(|value| value.as_bytes().iter().copied().map(char::from).collect())
        .collect();
    let joined = agents.join(",");
    let trimmed = joined.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}
