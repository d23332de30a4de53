//! Framing of requests that is open to more than one reading, beyond what hyper refuses.
//!
//! A proxy in front may find the end of such a request at another place, and one client's bytes become another's request.
//! So transfer codings other than one plain `chunked` are refused, and a connection is not used again after a chunked body
//! that was not read to a plain end. hyper refuses most other things (RFC 9112 §11.2); `tests/it/smuggling` has them all.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Response, header};
use hyper::body::{Frame, SizeHint};
use tower::util::ServiceExt;

use super::Routes;
use super::accounts::Account;
use super::cause;
use super::lingering_close;
use super::reply::{Refusal, Reply};

/// Answers a request through `routes` if the end of its body can be found in one way only.
///
/// Of a body that is refused up to `most_discarded_bytes` are read, so that its client can read the answer.
pub async fn guarded(
    request: Request,
    routes: Routes,
    most_discarded_bytes: u64,
) -> Result<Response<Body>, Infallible> {
    if !request.headers().contains_key(header::TRANSFER_ENCODING) {
        return routes.oneshot(request).await;
    }
    let account = request.extensions().get::<Arc<Account>>().cloned();
    if !is_plainly_chunked(request.headers()) {
        let reply = Reply::Refused(Refusal::BadFraming);
        let reply = account.map_or(reply.clone(), |account| account.close(reply));
        let answer =
            lingering_close::answer(request, most_discarded_bytes, reply.into_response(""));
        return Ok(lingering_close::last(answer));
    }
    let plain_end = Arc::new(AtomicBool::new(false));
    let noted = |body| {
        Body::new(NotedEnd {
            body,
            plain_end: Some(plain_end.clone()),
            account,
        })
    };
    let response = routes.oneshot(request.map(noted)).await?;
    if plain_end.load(Ordering::Acquire) {
        Ok(response)
    } else {
        Ok(lingering_close::last(response))
    }
}

/// One line with one coding. hyper goes by the last coding of the last line: it takes `gzip, chunked` and `chunked, chunked`.
fn is_plainly_chunked(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::TRANSFER_ENCODING).iter();
    let is_chunked = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"chunked");
    values.next().is_some_and(is_chunked) && values.next().is_none()
}

/// A chunked body that notes whether it ended plainly: read to its end, without trailers.
///
/// hyper takes `0 CR LF LF` and all that follows up to an empty line for trailers. Whoever sees the end at the bare line
/// feed sees the next request there. No crash client sends trailers.
struct NotedEnd {
    body: Body,
    /// `None` once there were trailers.
    plain_end: Option<Arc<AtomicBool>>,
    account: Option<Arc<Account>>,
}

impl hyper::body::Body for NotedEnd {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match (&frame, &self.plain_end) {
            (None, Some(plain_end)) => plain_end.store(true, Ordering::Release),
            (Some(Ok(frame)), _) if frame.is_trailers() => self.plain_end = None,
            (Some(Err(error)), _) if is_malformed(error) => {
                self.account
                    .iter()
                    .for_each(|account| account.note_bad_chunks());
            }
            _ => {}
        }
        Poll::Ready(frame)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// hyper's word for chunks and trailers that it cannot read, or that are longer than it likes (16 KiB each).
fn is_malformed(error: &axum::Error) -> bool {
    cause::find::<io::Error>(error)
        .is_some_and(|io| matches!(io.kind(), ErrorKind::InvalidData | ErrorKind::InvalidInput))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    fn request(codings: &[&str], body: Body) -> Request {
        let mut request = Request::new(body);
        for coding in codings {
            request.headers_mut().append(
                header::TRANSFER_ENCODING,
                HeaderValue::from_str(coding).unwrap(),
            );
        }
        request
    }

    async fn served(request: Request, is_read: bool) -> Response<Body> {
        let routes = Routes::new(tower::service_fn(move |request: Request| async move {
            if is_read {
                let whole = axum::body::to_bytes(request.into_body(), 100).await;
                whole.unwrap();
            }
            Ok(Response::new(Body::empty()))
        }));
        guarded(request, routes, 100).await.unwrap()
    }

    fn closes(response: &Response<Body>) -> bool {
        response.headers().contains_key(header::CONNECTION)
    }

    #[tokio::test]
    async fn one_plain_chunked_and_no_coding_at_all_are_served() {
        for codings in [&[][..], &["chunked"], &["Chunked"]] {
            let response = served(request(codings, Body::from("a")), true).await;
            assert_eq!(response.status(), StatusCode::OK, "{codings:?}");
            assert!(!closes(&response), "{codings:?}");
        }
    }

    #[tokio::test]
    async fn every_other_coding_is_refused_and_the_connection_closed() {
        for codings in [
            &["gzip, chunked"][..],
            &["chunked, chunked"],
            &[",chunked"],
            &["chunked", "chunked"],
            &["identity", "chunked"],
            &["identity"],
            &[""],
        ] {
            let response = served(request(codings, Body::from("a")), true).await;
            assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{codings:?}");
            assert!(closes(&response), "{codings:?}");
        }
    }

    #[tokio::test]
    async fn a_body_that_was_not_read_or_has_trailers_closes_the_connection() {
        assert!(closes(
            &served(request(&["chunked"], Body::from("a")), false).await
        ));
        let frames = [
            Ok::<_, axum::Error>(Frame::data(Bytes::from("a"))),
            Ok(Frame::trailers(HeaderMap::new())),
        ];
        let stream = futures_util::stream::iter(frames);
        let body = Body::new(http_body_util::StreamBody::new(stream));
        assert!(closes(&served(request(&["chunked"], body), true).await));
    }
}
