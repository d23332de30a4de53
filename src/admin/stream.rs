//! A connection that says when something last went over it, and breaks when its client does not read.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// When something last went over a connection. Clones are of the same connection.
#[derive(Clone)]
pub(super) struct LastSeen(Arc<Mutex<Instant>>);

impl LastSeen {
    pub fn now() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    pub fn get(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn touch(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

/// The connection.
pub(super) struct Stream {
    connection: TcpStream,
    last_seen: LastSeen,
    write_timeout: Duration,
    /// Runs while the client reads nothing of what waits.
    unread: Option<Pin<Box<Sleep>>>,
}

impl Stream {
    /// `write_timeout`: how long an answer may go unread.
    pub fn new(connection: TcpStream, last_seen: LastSeen, write_timeout: Duration) -> Self {
        Self {
            connection,
            last_seen,
            write_timeout,
            unread: None,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.connection).poll_read(cx, out));
        self.last_seen.touch();
        Poll::Ready(read)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = Pin::new(&mut self.connection).poll_write(cx, bytes) {
            self.unread = None;
            self.last_seen.touch();
            return Poll::Ready(written);
        }
        let longest = self.write_timeout;
        let unread = self.unread.get_or_insert_with(|| Box::pin(sleep(longest)));
        ready!(unread.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn an_answer_that_is_not_read_breaks_the_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (connection, _) = listener.accept().await.unwrap();
        let mut stream = Stream::new(connection, LastSeen::now(), Duration::from_millis(50));
        // More than the kernel keeps for a client.
        let error = stream.write_all(&vec![0; 64 << 20]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
