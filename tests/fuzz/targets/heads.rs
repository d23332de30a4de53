//! What the HTTP/1.0 adapter hands to hyper, for any bytes of a connection: what the client sent but for a version and
//! encoded bytes of the target, or one request that hyper reads as an independent reader does, and never a second one.
//!
//! Input: seed of the cuts (one byte), then the connection's bytes.
#![no_main]

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use antenna_fuzz::cuts::cut;
use antenna_fuzz::http::http10_chunked::{FirstRequest, begin};
use bytes::{Buf, Bytes};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, Version, header};
use hyper_util::rt::TokioIo;
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::runtime::{Builder, Runtime};

fuzz_target!(|data: &[u8]| {
    let Some((seed, sent)) = data.split_first() else {
        return;
    };
    let check = async {
        let (all, first) = handed_on(Connection::whole(sent)).await;
        let in_pieces = handed_on(Connection::of(cut(sent, *seed))).await;
        assert!(
            in_pieces == (all.clone(), first),
            "the cut makes a difference"
        );
        assert_same_but_for_spelling(sent, &all, first);
        match first {
            FirstRequest::OldChunked => assert_one_request(sent, *seed).await,
            FirstRequest::Usual if all != sent => {
                assert_same_requests(&all, &blanked(sent)).await;
            }
            FirstRequest::Usual => {}
        }
    };
    RUNTIME.with(|runtime| runtime.block_on(check));
});

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().build().expect("a runtime");
}

async fn handed_on(connection: Connection) -> (Vec<u8>, FirstRequest) {
    let (mut begun, first) = begin(connection).await.expect("memory does not break");
    let mut all = Vec::new();
    begun
        .read_to_end(&mut all)
        .await
        .expect("memory does not break");
    (all, first)
}

/// Nothing is changed but the version's last digit, the name of an expectation where the version changes, and bytes of the
/// target into their percent-encoding.
fn assert_same_but_for_spelling(sent: &[u8], handed_on: &[u8], first: FirstRequest) {
    const EXPECT: &[u8] = b"\r\nexpect:";
    let line_end = memchr::memmem::find(sent, b"\r\n").unwrap_or(0);
    let head_end = memchr::memmem::find(sent, b"\r\n\r\n").unwrap_or(0);
    let is_old = first == FirstRequest::OldChunked;
    let (mut at, mut rest) = (0, handed_on);
    while at < sent.len() {
        let byte = sent[at];
        let encoded = format!("%{byte:02X}");
        let is_version = at + 1 == line_end && is_old;
        let name = sent.get(at..at + EXPECT.len()).unwrap_or_default();
        if is_old && at < head_end && name.eq_ignore_ascii_case(EXPECT) {
            assert!(rest.starts_with(b"\r\nx-none:"));
            rest = &rest[EXPECT.len()..];
            at += EXPECT.len() - 1;
        } else if is_version {
            assert_eq!((byte, rest[0]), (b'0', b'1'));
            rest = &rest[1..];
        } else if at < line_end && byte != b'%' && rest.starts_with(encoded.as_bytes()) {
            assert!(!byte.is_ascii_alphanumeric() && !byte.is_ascii_control());
            rest = &rest[encoded.len()..];
        } else {
            assert_eq!(rest.first(), Some(&byte), "at {at}");
            rest = &rest[1..];
        }
        at += 1;
    }
    assert!(rest.is_empty(), "something was added");
}

/// The request line with its target replaced: how the target is spelled must not change what follows.
fn blanked(sent: &[u8]) -> Vec<u8> {
    let line_end = memchr::memmem::find(sent, b"\r\n").expect("a line");
    let line = &sent[..line_end];
    let method_end = memchr::memchr(b' ', line).expect("a method");
    let target_end = memchr::memrchr(b' ', line).expect("a version");
    [&sent[..=method_end], b"/", &sent[target_end..]].concat()
}

/// A request as hyper read it.
#[derive(Debug, PartialEq)]
struct Seen {
    version: Version,
    headers: HeaderMap,
    /// `None`: broken off, or malformed.
    body: Option<Vec<u8>>,
}

async fn assert_one_request(sent: &[u8], seed: u8) {
    let connection = Connection::of(cut(sent, seed));
    let answers = connection.answers.clone();
    let (begun, _) = begin(connection).await.expect("memory does not break");
    let requests = serve(begun, FirstRequest::OldChunked).await;
    let answers = answers.lock().expect("no panic").clone();
    assert!(requests.len() <= 1, "two requests: {requests:?}");
    let Some(request) = requests.first() else {
        return;
    };
    assert_eq!(request.version, Version::HTTP_11);
    assert!(!request.headers.contains_key(header::CONTENT_LENGTH));
    let encodings: Vec<_> = request
        .headers
        .get_all(header::TRANSFER_ENCODING)
        .iter()
        .collect();
    assert!(matches!(encodings[..], [one] if one.as_bytes().eq_ignore_ascii_case(b"chunked")));
    if let Some(body) = &request.body {
        let head_end = memchr::memmem::find(sent, b"\r\n\r\n").expect("a head") + 4;
        let expected = dechunked(&sent[head_end..]);
        assert_eq!(Some(body), expected.as_ref(), "read in another way");
        let finals = memchr::memmem::find_iter(&answers, b"HTTP/1.1 200 ").count();
        assert_eq!(finals, 1, "{}", String::from_utf8_lossy(&answers));
    }
}

async fn assert_same_requests(mended: &[u8], plain: &[u8]) {
    let mended = serve(Connection::whole(mended), FirstRequest::Usual).await;
    let plain = serve(Connection::whole(plain), FirstRequest::Usual).await;
    // A target that hyper refuses is refused; one that it takes must not change the rest.
    if !mended.is_empty() {
        assert_eq!(mended, plain);
    }
}

/// Serves a connection with hyper as `http::server` does.
async fn serve<C>(connection: C, first: FirstRequest) -> Vec<Seen>
where
    C: AsyncRead + AsyncWrite + Unpin,
{
    let is_old = first == FirstRequest::OldChunked;
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = requests.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let seen = seen.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = body
                .collect()
                .await
                .ok()
                .map(|body| body.to_bytes().to_vec());
            let is_broken = body.is_none();
            seen.lock().expect("no panic").push(Seen {
                version: head.version,
                headers: head.headers,
                body,
            });
            match is_broken {
                true => Err("broken"),
                false => Ok(Response::new(Full::new(Bytes::from_static(b"ok")))),
            }
        }
    });
    // An error is a refusal.
    let _ = http1::Builder::new()
        .title_case_headers(is_old)
        .keep_alive(!is_old)
        .half_close(true)
        .max_buf_size(128 * 1024)
        .serve_connection(TokioIo::new(connection), service)
        .await;
    std::mem::take(&mut *requests.lock().expect("no panic"))
}

/// RFC 9112, section 7.1, written once more: the body, or nothing where it is malformed or ends too early.
fn dechunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line_end = memchr::memmem::find(rest, b"\r\n")?;
        let line = std::str::from_utf8(&rest[..line_end]).ok();
        let size = match line {
            Some(line) => line.split(';').next().unwrap_or_default(),
            // An extension may hold anything.
            None => std::str::from_utf8(rest[..line_end].split(|b| *b == b';').next()?).ok()?,
        };
        let size = usize::from_str_radix(size.trim_matches([' ', '\t']), 16).ok()?;
        rest = &rest[line_end + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest[size..].strip_prefix(b"\r\n")?;
    }
}

/// A client that has sent everything and reads.
struct Connection {
    pieces: VecDeque<Bytes>,
    answers: Arc<Mutex<Vec<u8>>>,
}

impl Connection {
    fn of(pieces: Vec<Bytes>) -> Self {
        Self {
            pieces: pieces.into(),
            answers: Arc::default(),
        }
    }

    fn whole(sent: &[u8]) -> Self {
        Self::of(vec![Bytes::copy_from_slice(sent)])
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(piece) = self.pieces.front_mut() {
            let length = piece.len().min(out.remaining());
            out.put_slice(&piece[..length]);
            piece.advance(length);
            if piece.is_empty() {
                self.pieces.pop_front();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.answers
            .lock()
            .expect("no panic")
            .extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
