//! HTTP/1.0 requests with chunked bodies, as Crashpad's socket transport sends them (Android, old Linux builds).
//!
//! RFC 9112 §6.1 says that such framing is to be handled with caution, and hyper answers 400. Here the head of a
//! connection's first request is looked at before hyper sees it: exactly one `Transfer-Encoding`, exactly `chunked`, and no
//! `Content-Length` make it an HTTP/1.1 request, after which the connection is closed. Other framing goes on unchanged,
//! so nothing that hyper would refuse is let through in another form. Other connections pay for one look at their first
//! line.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use super::odd_target;

/// No client sends a longer head; a longer one is left to hyper.
const MAX_HEAD_BYTES: usize = 16 * 1024;
const READ_BYTES: usize = 4 * 1024;

/// A connection of which some bytes have been read already.
pub struct PrefixedStream<C> {
    read: Bytes,
    connection: C,
}

/// What a connection's first request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstRequest {
    /// Anything that is hyper's business alone.
    Usual,
    /// HTTP/1.0 with a chunked body, made HTTP/1.1: the client reads `Content-Length` in that spelling only, and the
    /// connection is closed behind the answer.
    OldChunked,
}

/// Reads as much of a connection as is needed to tell what its first request is.
///
/// # Errors
/// The connection broke.
pub async fn begin<C: AsyncRead + Unpin>(
    mut connection: C,
) -> io::Result<(PrefixedStream<C>, FirstRequest)> {
    let mut read = Vec::with_capacity(READ_BYTES);
    loop {
        let is_end = connection.read_buf(&mut read).await? == 0;
        // No further than that, however much has arrived: what is found must not depend on how the bytes came.
        let first = match look_at(&read[..read.len().min(MAX_HEAD_BYTES)]) {
            FirstLook::More if !is_end && read.len() < MAX_HEAD_BYTES => continue,
            FirstLook::More | FirstLook::Usual => FirstRequest::Usual,
            FirstLook::OldChunked { version_at } => {
                read[version_at..version_at + NEW.len()].copy_from_slice(NEW);
                forget_expectation(&mut read);
                FirstRequest::OldChunked
            }
        };
        let read = odd_target::mended(&read, MAX_HEAD_BYTES)
            .unwrap_or(read)
            .into();
        return Ok((PrefixedStream { read, connection }, first));
    }
}

const OLD: &[u8] = b"HTTP/1.0";
const NEW: &[u8] = b"HTTP/1.1";

#[derive(Debug, PartialEq, Eq)]
enum FirstLook {
    /// Too little was read to tell.
    More,
    Usual,
    OldChunked {
        version_at: usize,
    },
}

fn look_at(read: &[u8]) -> FirstLook {
    let Some(line_end) = memchr::memmem::find(read, b"\r\n") else {
        return FirstLook::More;
    };
    let line = &read[..line_end];
    // A bare CR or LF ends the line for others, and what stands behind it is not the version.
    let is_one_line = memchr::memchr2(b'\r', b'\n', line).is_none();
    let Some(version_at) = line_end
        .checked_sub(OLD.len())
        .filter(|at| is_one_line && line[*at..] == *OLD)
    else {
        return FirstLook::Usual;
    };
    let Some(head_end) = memchr::memmem::find(read, b"\r\n\r\n") else {
        return FirstLook::More;
    };
    let headers = if head_end == line_end {
        &[]
    } else {
        &read[line_end + 2..head_end]
    };
    if is_plainly_chunked(headers) {
        FirstLook::OldChunked { version_at }
    } else {
        FirstLook::Usual
    }
}

/// One `Transfer-Encoding: chunked`, no `Content-Length`, and no line that could be read in two ways.
fn is_plainly_chunked(headers: &[u8]) -> bool {
    let mut encodings = 0;
    for line in lines(headers) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return false;
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        let is_odd = name.is_empty()
            || name.iter().any(|byte| !byte.is_ascii_graphic())
            || memchr::memchr2(b'\r', b'\n', line).is_some();
        if is_odd || name.eq_ignore_ascii_case(b"content-length") {
            return false;
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            encodings += 1;
            if !value.eq_ignore_ascii_case(b"chunked") {
                return false;
            }
        }
    }
    encodings == 1
}

/// The header lines as CR LF divides them. hyper also takes a bare LF for the end of a line, others do not.
fn lines(headers: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut begin = 0;
    let ends = memchr::memmem::find_iter(headers, b"\r\n").chain([headers.len()]);
    ends.map(move |end| {
        let line = &headers[begin..end];
        begin = end + 2;
        line
    })
}

/// Nothing of HTTP/1.0 knows `100 Continue`, so an expectation there means nothing (RFC 9110 §10.1.1), and the answer to it
/// would be taken for the final one.
fn forget_expectation(head: &mut [u8]) {
    const EXPECT: &[u8] = b"\r\nexpect:";
    let starts: Vec<_> = head
        .windows(EXPECT.len())
        .take_while(|window| !window.starts_with(b"\r\n\r\n"))
        .enumerate()
        .filter(|(_, window)| window.eq_ignore_ascii_case(EXPECT))
        .map(|(at, _)| at + 2)
        .collect();
    for at in starts {
        head[at..at + EXPECT.len() - 3].copy_from_slice(b"x-none");
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for PrefixedStream<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read.is_empty() {
            return Pin::new(&mut self.connection).poll_read(cx, out);
        }
        let length = self.read.len().min(out.remaining());
        out.put_slice(&self.read[..length]);
        self.read.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for PrefixedStream<C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.connection).poll_shutdown(cx))?;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
