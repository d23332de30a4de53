//! A client's connection as hyper gets it: its heads are looked at, waiting and writing
//! have deadlines, and its memory is counted.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::super::reply::Refusal;
use super::heads::Heads;
use super::memory::Memory;
use super::patience::{Awaited, Patience};

/// See the module.
pub struct ClientStream<C> {
    connection: C,
    heads: Heads,
    memory: Memory,
    patience: Patience,
    has_served: bool,
    /// While no request is under way: what is waited for, and until when.
    waiting: Option<(Awaited, BoxFuture<'static, ()>)>,
    /// While the client does not read its answers.
    write_deadline: Option<Pin<Box<Sleep>>>,
    refusal: Option<Refusal>,
    /// The answer to a refused head, sent before the connection is shut down.
    final_answer: Bytes,
}

impl<C> ClientStream<C> {
    pub fn new(connection: C, patience: Patience, memory: Memory) -> Self {
        Self {
            connection,
            heads: Heads::new(),
            memory,
            patience,
            has_served: false,
            waiting: None,
            write_deadline: None,
            refusal: None,
            final_answer: Bytes::new(),
        }
    }

    /// Why the last head was refused here.
    pub fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    /// The connection itself.
    pub fn into_inner(self) -> C {
        self.connection
    }

    /// Whether the last head is that of a POST.
    pub fn is_post(&self) -> bool {
        self.heads.is_post()
    }

    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let awaited = match (self.has_served, self.heads.has_begun()) {
            (false, _) => Awaited::First,
            (true, false) => Awaited::Next,
            (true, true) => Awaited::Rest,
        };
        if self.waiting.as_ref().is_none_or(|(it, _)| *it != awaited) {
            self.waiting = Some((awaited, self.patience.end(awaited)));
            if awaited == Awaited::Next {
                self.heads.settle();
                self.memory.release();
            }
        }
        let Some((_, end)) = &mut self.waiting else {
            return Poll::Pending;
        };
        end.as_mut().poll(cx)
    }

    /// Something is handed on.
    fn serve(&mut self) {
        self.waiting = None;
        self.has_served = true;
    }

    /// True if the head must not be served. hyper sees the end of the connection then.
    fn refuses(&mut self) -> bool {
        if self.refusal.is_none() {
            self.refusal = if self.heads.is_too_large() {
                Some(Refusal::HeadTooLarge)
            } else if !self.memory.has_room_for_head(self.heads.cost_bytes()) {
                Some(Refusal::Overloaded)
            } else {
                None
            };
            self.final_answer = self.refusal.map(Refusal::as_bytes).unwrap_or_default();
        }
        self.refusal.is_some()
    }
}

impl<C: AsyncRead + Unpin> ClientStream<C> {
    /// Reads no more at once than there is memory for.
    fn poll_read_some(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let most = self.memory.most_read_bytes();
        let connection = Pin::new(&mut self.connection);
        if out.remaining() <= most {
            return connection.poll_read(cx, out);
        }
        let mut some = ReadBuf::new(out.initialize_unfilled_to(most));
        ready!(connection.poll_read(cx, &mut some))?;
        let length = some.filled().len();
        out.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for ClientStream<C> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            let before = out.filled().len();
            let handed_out = this.heads.hand_out(out);
            if this.refuses() {
                out.set_filled(before);
                return Poll::Ready(Ok(()));
            }
            if handed_out {
                this.serve();
                return Poll::Ready(Ok(()));
            }
            match this.poll_read_some(cx, out) {
                Poll::Ready(read) => read.map_err(broken)?,
                Poll::Pending if this.heads.is_waiting() => return this.poll_patience(cx).map(Ok),
                Poll::Pending => return Poll::Pending,
            }
            let new = &out.filled()[before..];
            if new.is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.memory.read(new.len());
            let passed = this.heads.take(new);
            out.set_filled(before + passed);
            if this.refuses() {
                out.set_filled(before);
                return Poll::Ready(Ok(()));
            }
            if passed > 0 {
                this.serve();
                return Poll::Ready(Ok(()));
            }
        }
    }
}

/// An attacker who can cut a TLS connection can make a body look shorter than it was, unless its end is signed (`close_notify`).
/// rustls' name for a missing signature is the one that hyper has for a body that ends early, which may be complete
/// nevertheless (`limits`); so here it gets the name of a broken connection.
fn broken(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(io::ErrorKind::ConnectionAborted, error),
        _ => error,
    }
}

impl<C: AsyncWrite + Unpin> ClientStream<C> {
    /// A client that does not read has the time of a head until all that waits for it is sent; reading a little does not
    /// extend it.
    fn in_time<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            return written;
        }
        let timeout = self.patience.header_timeout;
        let write_deadline = self
            .write_deadline
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        ready!(write_deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for ClientStream<C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.connection).poll_write(cx, bytes);
        self.in_time(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.connection).poll_write_vectored(cx, slices);
        self.in_time(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.connection).poll_flush(cx);
        if flushed.is_ready() {
            self.write_deadline = None;
        }
        self.in_time(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.final_answer.is_empty() {
            let answer = self.final_answer.clone();
            let written = ready!(self.as_mut().poll_write(cx, &answer))?;
            self.final_answer.advance(written);
        }
        let shut = Pin::new(&mut self.connection).poll_shutdown(cx);
        self.in_time(cx, shut)
    }
}
