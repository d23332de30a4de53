//! What a client goes on sending although its request is answered: read and forgotten, so that it gets to read the answer.
//!
//! A client that is still sending does not look for an answer, and closing the connection under it would destroy that
//! answer. A client that waits for `100 Continue` sends nothing, and must not be asked to.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Response, header};
use futures_util::StreamExt;
use http_body_util::BodyExt;
use hyper::body::Body as _;
use tokio::sync::oneshot;

/// A client that is refused may go on sending this long before the connection is closed under it.
const DISCARD_FOR: Duration = Duration::from_secs(10);
/// A client that announced to wait and does not: its body is right behind its head, and this is time for both to arrive.
const FIRST_BYTES_WITHIN: Duration = Duration::from_secs(1);

/// A body, or what is left of it.
pub struct UnreadBody {
    pub data: BodyDataStream,
    /// A client that wanted to wait was told to go on.
    pub was_asked_for: bool,
    /// More than this is not read.
    pub most_bytes: u64,
}

/// The answer to a request whose body is not wanted, on any path but `/submit`.
pub fn answer(request: Request, most_bytes: u64, answer: Response<Body>) -> Response<Body> {
    if request.body().is_end_stream() {
        return answer;
    }
    let (head, body) = request.into_parts();
    let rest = UnreadBody {
        data: body.into_data_stream(),
        was_asked_for: false,
        most_bytes,
    };
    let is_unsure = may_wait(&head.headers, &rest);
    let answer = discard_behind(answer, rest, &head.headers);
    // Nobody can tell whether what comes next is the body or another request.
    if is_unsure { last(answer) } else { answer }
}

/// Behind this answer the connection is closed.
pub fn last(mut answer: Response<Body>) -> Response<Body> {
    answer
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// Reads `rest` in the background and forgets it, once `answer` is on its way: before that, hyper would take the reading
/// for a reason to say `100 Continue`.
pub fn discard_behind(
    answer: Response<Body>,
    rest: UnreadBody,
    headers: &HeaderMap,
) -> Response<Body> {
    let first_within = if may_wait(headers, &rest) {
        FIRST_BYTES_WITHIN
    } else {
        DISCARD_FOR
    };
    let (sent, is_sent) = oneshot::channel::<()>();
    tokio::spawn(async move {
        // It is never sent; the other end goes away with the answer.
        let _ = is_sent.await;
        // Whether it ended or the time was up makes no difference.
        let _ = tokio::time::timeout(DISCARD_FOR, discard(rest, first_within)).await;
    });
    // hyper drops a body, and what its closure holds, as soon as it has taken all of it.
    let hold = move |error| {
        let _held = &sent;
        error
    };
    answer.map(|body| Body::new(body.map_err(hold)))
}

fn may_wait(headers: &HeaderMap, rest: &UnreadBody) -> bool {
    headers.contains_key(header::EXPECT) && !rest.was_asked_for
}

async fn discard(mut rest: UnreadBody, first_within: Duration) {
    let Ok(mut next) = tokio::time::timeout(first_within, rest.data.next()).await else {
        return;
    };
    let mut discarded_bytes = 0;
    while let Some(Ok(frame)) = next {
        discarded_bytes += frame.len() as u64;
        if discarded_bytes > rest.most_bytes {
            return;
        }
        next = rest.data.next().await;
    }
}
