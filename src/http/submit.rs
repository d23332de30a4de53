//! `POST /submit`: the whole decision about one submission.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, Response, header};
use chrono::{DateTime, Utc};
use subtle::ConstantTimeEq;
use tracing::Instrument;

use crate::crash::{Annotations, CrashId, CrashReport, Metadata, NoMemory, RawCrash};
use crate::crashmover::{OutOfMemory, Receipt, Reservation};
use crate::fail_point;
use crate::intake::{self, Failed, Head, Malformed, Submission, Upload, Weight};
use crate::metrics::Count;
use crate::throttle::{Keep, Verdict};

use super::Collector;
use super::accounts::{Account, log_verdict};
use super::head::{head, joined, user_agent};
use super::limits::{BodyError, LimitedBody};
use super::lingering_close;
use super::reply::{Refusal, Reply};

/// Takes one report, decides, and answers. Every call ends in exactly one outcome, even if its client hangs up.
pub async fn submit(
    State(collector): State<Arc<Collector>>,
    Extension(account): Extension<Arc<Account>>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let mut body = LimitedBody::new(body, collector.settings.body);
    let query = parts.uri.query();
    let reply = match decide(&collector, &account, &parts.headers, query, &mut body).await {
        Ok(Decision::Told(reply)) => account.close(reply),
        Ok(Decision::Keep(report, reservation)) => {
            keep(collector.clone(), account, *report, reservation).await
        }
        Err(refusal) => account.close(Reply::Refused(refusal)),
    };
    let response = reply.into_response(&collector.settings.http.dump_id_prefix);
    if body.has_ended() {
        response
    } else {
        lingering_close::last(lingering_close::discard_behind(
            response,
            body.into_rest(),
            &parts.headers,
        ))
    }
}

/// What is to be done about a submission.
enum Decision {
    Told(Reply),
    Keep(Box<CrashReport>, Reservation),
}

/// The decision. The order of the checks is recorded.
async fn decide(
    collector: &Collector,
    account: &Account,
    headers: &HeaderMap,
    query: Option<&str>,
    body: &mut LimitedBody,
) -> Result<Decision, Refusal> {
    let head = head(headers, query);
    let announced_bytes = head.content_length_bytes.unwrap_or(0);
    if announced_bytes > collector.settings.body.payload_bytes {
        return Err(Refusal::TooLarge);
    }
    if !collector.crashmover.has_room() {
        return Err(Refusal::Overloaded);
    }
    body.admit(collector.crashmover.budget().reserve(announced_bytes)?);
    let mut submission = read(collector, account, head, body).await?;
    collector.metrics.count(Count::IncomingCrash);

    let received = Utc::now();
    let notes = collector
        .throttler
        .apply_aliases(&mut submission.annotations);
    submission.notes.extend(notes);
    let dice = &mut rand::random::<f64>;
    let verdict = collector
        .throttler
        .throttle(&submission.annotations, received, dice);
    let chosen = chosen_id(collector, headers, &mut submission)?;
    account.count_verdict(&verdict);
    let Some(digit) = verdict.digit() else {
        let rule = verdict.rule().into();
        tell_first_discard(collector, &verdict, &submission.annotations, received);
        return Ok(Decision::Told(Reply::Rejected { rule }));
    };
    let id = chosen.unwrap_or_else(|| CrashId::make(rand::random(), digit, received.date_naive()));
    log_verdict(&id, &verdict);
    let Some(keep) = verdict.keep() else {
        return Ok(Decision::Told(Reply::Faked(id)));
    };
    let (report, reservation) = assemble(
        collector,
        &keep,
        id,
        submission,
        user_agent(headers),
        received,
        body,
    )
    .await?;
    Ok(Decision::Keep(Box::new(report), reservation))
}

/// The client's owner may not know yet what the collector's rules want, and the client tells nobody.
fn tell_first_discard(
    collector: &Collector,
    verdict: &Verdict,
    annotations: &Annotations,
    now: DateTime<Utc>,
) {
    let rule = verdict.rule();
    if let Some(lack) = collector.throttler.lack(rule, annotations, now)
        && collector
            .first_discards
            .is_first(rule, &lack, annotations.get("ProductName"))
    {
        tracing::info!(rule, "{rule} discards reports of a product: {lack}");
    }
}

async fn read(
    collector: &Collector,
    account: &Account,
    head: Head<'_>,
    body: &mut LimitedBody,
) -> Result<Submission, Refusal> {
    let started = Instant::now();
    let result = intake::parse(head, body, &collector.settings.intake, &collector.heavy).await;
    let encoding = match &result {
        Ok(submission) => submission.encoding,
        Err(_) => head
            .encodings
            .to_decode(collector.settings.intake.extra_encodings)
            .next(),
    };
    account.count_body(head, encoding, &result, started.elapsed());
    result.map_err(|failed| match failed {
        Failed::Malformed(reason) => Refusal::Malformed(reason),
        Failed::TooLarge => Refusal::TooLarge,
        Failed::Body(why) => why.into(),
    })
}

impl From<BodyError> for Refusal {
    fn from(why: BodyError) -> Self {
        match why {
            BodyError::TooLarge => Self::TooLarge,
            BodyError::TooSlow => Self::TooSlow,
            BodyError::OutOfMemory => Self::Overloaded,
            BodyError::Disconnected => Self::Disconnected,
        }
    }
}

impl From<OutOfMemory> for Refusal {
    fn from(error: OutOfMemory) -> Self {
        BodyError::from(error).into()
    }
}

/// The id that the sender chose, if it may.
///
/// # Errors
/// A `uuid` without the token of the stage submitter, or one that is no crash id.
fn chosen_id(
    collector: &Collector,
    headers: &HeaderMap,
    submission: &mut Submission,
) -> Result<Option<CrashId>, Refusal> {
    let Some(uuid) = submission.annotations.get("uuid") else {
        return Ok(None);
    };
    if !is_authorised(collector, headers) {
        if !collector.settings.clients.extra_reports.foreign_uuids {
            return Err(Refusal::UnauthorizedUuid);
        }
        if let Some(new) = submission.annotations.set_aside("uuid") {
            let note = format!("uuid is not the sender's to choose: kept as {new}");
            submission.notes.push(note);
        }
        return Ok(None);
    }
    let id = uuid.as_str().and_then(|uuid| CrashId::parse(uuid).ok());
    id.map(Some)
        .ok_or(Refusal::Malformed(Malformed::InvalidUuid))
}

/// Compares in constant time, so that the token cannot be found out byte by byte.
fn is_authorised(collector: &Collector, headers: &HeaderMap) -> bool {
    let Some(token) = &collector.settings.http.stage_submitter_bearer_token else {
        return false;
    };
    let sent = joined(headers, header::AUTHORIZATION);
    let sent = sent.strip_prefix(b"Bearer ");
    sent.is_some_and(|sent| bool::from(sent.ct_eq(token.expose().as_bytes())))
}

/// The report, and the memory that it takes from now on.
async fn assemble(
    collector: &Collector,
    keep: &Keep,
    id: CrashId,
    submission: Submission,
    user_agent: Option<String>,
    received: DateTime<Utc>,
    body: &mut LimitedBody,
) -> Result<(CrashReport, Reservation), Refusal> {
    let Weight {
        all_bytes,
        dumps_bytes,
    } = submission.weight;
    let metadata = Metadata {
        notes: submission.notes,
        payload: submission.payload,
        payload_compressed: submission.encoding.is_some(),
        payload_bytes: submission.payload_bytes,
        throttle_rule: keep.rule().to_owned(),
        user_agent,
        submitted: received,
    };
    let (annotations, dumps) = (submission.annotations, submission.dumps);
    let room = |bytes| body.hold(all_bytes + bytes).is_ok();
    let assembling = || RawCrash::assemble(&id, annotations, metadata, &dumps, room);
    let raw_crash = collector.heavy.run(all_bytes - dumps_bytes, assembling);
    let raw_crash = raw_crash.await.map_err(|NoMemory| Refusal::Overloaded)?;
    let mut reservation = body.take_reservation().ok_or(Refusal::Overloaded)?;
    reservation.shrink_to(dumps_bytes + raw_crash.length_bytes());
    Ok((CrashReport::new(id, raw_crash, dumps), reservation))
}

/// In a task of its own: once a report is complete it is kept even if its client hangs up.
async fn keep(
    collector: Arc<Collector>,
    account: Arc<Account>,
    report: CrashReport,
    reservation: Reservation,
) -> Reply {
    let (id, books) = (report.id.clone(), account.clone());
    let kept = async move {
        let id = report.id.clone();
        let taken = collector.crashmover.take(report, reservation).await;
        fail_point::reach("reply.before");
        account.close(match taken {
            Ok(Receipt) => Reply::Kept(id),
            Err(not_kept) => Reply::Refused(Refusal::NotKept(not_kept)),
        })
    };
    // What is said in there still belongs to this request.
    let kept = tokio::spawn(kept.in_current_span());
    kept.await.unwrap_or_else(|error| {
        tracing::error!(crash_id = %id, %error, "{id} not kept: the collector itself failed");
        books.close(Reply::Refused(Refusal::InternalError))
    })
}
