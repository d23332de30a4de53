//! What hyper gets of a connection, for any bytes and any number of requests: what the client sent but for encoded bytes of
//! targets and the version of HTTP/1.0 with chunks; never a request that an independent reader does not see at the same
//! place; and the same however the bytes are cut.
//!
//! Input: seed of the cuts (one byte), then the connection's bytes.
#![no_main]

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use antenna_fuzz::cuts::cut;
use antenna_fuzz::http::heads::Heads;
use bytes::{Buf, Bytes};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, header};
use hyper_util::rt::TokioIo;
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::{Builder, Runtime};

fuzz_target!(|data: &[u8]| {
    let Some((seed, sent)) = data.split_first() else {
        return;
    };
    let all = handed_on(&[Bytes::copy_from_slice(sent)]);
    assert!(
        handed_on(&cut(sent, *seed)) == all,
        "the cut makes a difference"
    );
    assert_same_but_for_spelling(sent, &all);
    assert!(handed_on(&[all.clone().into()]) == all, "mended twice");
    let requests = RUNTIME.with(|runtime| runtime.block_on(serve(&all)));
    assert_ended_behind_close(&requests);
    for (request, body) in requests.iter().zip(plain_bodies(sent)) {
        assert_eq!(request.body.as_ref(), Some(&body), "read in another way");
    }
});

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().build().expect("a runtime");
}

fn handed_on(pieces: &[Bytes]) -> Vec<u8> {
    let (mut heads, mut all) = (Heads::new(), Vec::new());
    for piece in pieces {
        let passed = heads.take(piece);
        all.extend_from_slice(&piece[..passed]);
        let mut room = [0; 100];
        loop {
            let mut out = ReadBuf::new(&mut room);
            if !heads.hand_out(&mut out) {
                break;
            }
            all.extend_from_slice(out.filled());
        }
    }
    all
}

/// Nothing is changed but versions, behind which the connection ends, the name of an expectation, and bytes of targets into
/// their percent-encoding. Empty lines before a head may be left out, and all that is refused.
fn assert_same_but_for_spelling(sent: &[u8], handed_on: &[u8]) {
    const EXPECT: &[u8] = b"expect:";
    const CLOSING: &[u8] = b"1\r\nConnection: close";
    let (mut at, mut rest) = (0, handed_on);
    while !rest.is_empty() {
        let byte = *sent.get(at).expect("something was added");
        let encoded = format!("%{byte:02X}");
        let is_version = sent[..=at].ends_with(b" HTTP/1.0") && rest.starts_with(CLOSING);
        let name = sent.get(at..at + EXPECT.len()).unwrap_or_default();
        if is_version {
            rest = &rest[CLOSING.len()..];
        } else if rest[0] == byte {
            rest = &rest[1..];
        } else if name.eq_ignore_ascii_case(EXPECT) && rest.starts_with(b"x-none:") {
            rest = &rest[EXPECT.len()..];
            at += EXPECT.len() - 1;
        } else if rest.starts_with(encoded.as_bytes()) {
            assert!(!byte.is_ascii_alphanumeric() && !byte.is_ascii_control());
            rest = &rest[encoded.len()..];
        } else {
            assert!(matches!(byte, b'\r' | b'\n'), "changed at {at}");
        }
        at += 1;
    }
}

/// A request as hyper read it.
#[derive(Debug, PartialEq)]
struct Seen {
    headers: HeaderMap,
    /// `None`: broken off, or malformed.
    body: Option<Vec<u8>>,
}

fn assert_ended_behind_close(requests: &[Seen]) {
    for request in requests.iter().rev().skip(1) {
        let mut connection = request.headers.get_all(header::CONNECTION).iter();
        assert!(connection.all(|value| value != "close"), "{requests:?}");
    }
}

/// The bodies of the requests that can be read in one way only, by a reader of its own; up to the first that is not whole.
fn plain_bodies(mut rest: &[u8]) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    while let Some((body, behind)) = plain_body(rest) {
        bodies.push(body);
        rest = behind;
    }
    bodies
}

fn plain_body(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let end = memchr::memmem::find(bytes, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let line = lines.next().filter(|line| line.ends_with(" HTTP/1.1"))?;
    let is_odd = |line: &str| line.contains(['\r', '\n']);
    let (mut length, mut is_chunked) = (None, false);
    if is_odd(line) {
        return None;
    }
    for line in lines {
        let (name, value) = line.split_once(':').filter(|_| !is_odd(line))?;
        match &*name.to_ascii_lowercase() {
            "content-length" if length.is_none() => length = Some(value.trim().parse().ok()?),
            "transfer-encoding" if !is_chunked && value.trim().eq_ignore_ascii_case("chunked") => {
                is_chunked = true
            }
            "content-length" | "transfer-encoding" | "connection" | "upgrade" => return None,
            _ => {}
        }
    }
    let behind = &bytes[end + 4..];
    match (length, is_chunked) {
        (None, true) => dechunked(behind),
        (Some(_), true) => None,
        (length, false) => {
            let length = length.unwrap_or(0);
            Some((behind.get(..length)?.to_vec(), &behind[length..]))
        }
    }
}

/// Serves a connection with hyper as `http::connection` does.
async fn serve(bytes: &[u8]) -> Vec<Seen> {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = requests.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let seen = seen.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.ok();
            let is_plain = body.as_ref().is_some_and(|body| body.trailers().is_none());
            seen.lock().expect("no panic").push(Seen {
                headers: head.headers,
                body: body.map(|body| body.to_bytes().to_vec()),
            });
            match is_plain {
                // As `framing` does.
                false => Err("the connection ends"),
                true => Ok(Response::new(Full::new(Bytes::from_static(b"ok")))),
            }
        }
    });
    let connection = Connection {
        pieces: VecDeque::from([Bytes::copy_from_slice(bytes)]),
    };
    // An error is a refusal.
    let _ = http1::Builder::new()
        .half_close(true)
        .max_buf_size(128 * 1024)
        .serve_connection(TokioIo::new(connection), service)
        .await;
    std::mem::take(&mut *requests.lock().expect("no panic"))
}

/// RFC 9112, section 7.1, written once more: the body, or nothing where it is malformed or ends too early.
fn dechunked(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
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
            return Some((body, rest.strip_prefix(b"\r\n")?));
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest[size..].strip_prefix(b"\r\n")?;
    }
}

/// A client that has sent everything and reads.
struct Connection {
    pieces: VecDeque<Bytes>,
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
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
