//! Connections that must begin with a header of the PROXY protocol: it is read, checked and taken away.
//!
//! Exactly the header is read, so whatever comes next, TLS or a request, finds the connection as if there had been none.

use std::io;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::proxy_header::{Found, MOST_LINE_BYTES, look_at};
use crate::logging::OnceIn;
use crate::metrics::{Count, Metrics};

/// One line of the log for all that go wrong in this time: a balancer that is set up otherwise does it each time.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// What was read of one connection's header.
pub struct Header {
    read: [u8; MOST_LINE_BYTES],
    length: usize,
}

impl Header {
    pub fn new() -> Self {
        Self {
            read: [0; MOST_LINE_BYTES],
            length: 0,
        }
    }

    /// Reads the header from the beginning of a connection, and not a byte more. May be given up at any moment.
    ///
    /// # Errors
    /// What came is no header, or the connection ended before the header did.
    pub async fn take_off(&mut self, connection: &mut TcpStream) -> io::Result<()> {
        loop {
            let seen = connection.peek(&mut self.read[self.length..]).await?;
            if seen == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let length = self.length + seen;
            match look_at(&self.read[..length]) {
                Found::More => self.consume(connection, length).await?,
                Found::Header { bytes } => {
                    self.consume(connection, bytes.min(length)).await?;
                    return skip(connection, bytes - self.length).await;
                }
                Found::Malformed(why) => {
                    self.length = length;
                    return Err(io::Error::new(io::ErrorKind::InvalidData, why));
                }
            }
        }
    }

    /// Reads what was seen before, up to `end`.
    async fn consume(&mut self, connection: &mut TcpStream, end: usize) -> io::Result<()> {
        connection
            .read_exact(&mut self.read[self.length..end])
            .await?;
        self.length = end;
        Ok(())
    }

    /// True if anything came. Silence is no mistake: some balancers send the header with a client's first bytes (AWS), or
    /// nothing if they only look whether somebody listens.
    pub fn has_begun(&self) -> bool {
        self.length > 0
    }
}

async fn skip(connection: &mut TcpStream, bytes: usize) -> io::Result<()> {
    let mut rest = connection.take(bytes as u64);
    match tokio::io::copy(&mut rest, &mut tokio::io::sink()).await? {
        skipped if skipped == bytes as u64 => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Counts the connections that are closed for want of a header, and tells the operator.
pub struct Refusals {
    metrics: Metrics,
    told: OnceIn,
}

impl Refusals {
    pub fn new(metrics: Metrics) -> Self {
        Self {
            metrics,
            told: OnceIn::new(TELL_EVERY),
        }
    }

    /// One connection more. The reason is the last one's; whose connection it was is not told.
    pub fn add(&self, why: &str) {
        self.metrics.count(Count::ProxyHeaderFailed);
        if let Some(connections) = self.told.count() {
            tracing::warn!(
                connections,
                "connections closed: no PROXY header, though PROXY_PROTOCOL is on: {why}"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    async fn connected() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, server) = tokio::join!(client, listener.accept());
        let client = client.unwrap();
        client.set_nodelay(true).unwrap();
        (client, server.unwrap().0)
    }

    fn headers() -> [Vec<u8>; 4] {
        let v2 = |announced: u16| {
            let start = b"\r\n\r\n\0\r\nQUIT\n\x21\x11";
            let block = vec![b'\n'; usize::from(announced)];
            [start, &announced.to_be_bytes()[..], &block].concat()
        };
        let v1 = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n";
        [v1.to_vec(), v2(12), v2(100), v2(4096)]
    }

    #[tokio::test]
    async fn exactly_the_header_is_taken_off_whatever_follows_and_however_it_is_cut() {
        for header in headers() {
            for follows in ["", "G", "PROXY UNKNOWN\r\nPOST /"] {
                let bytes = [&header, follows.as_bytes()].concat();
                for piece in [1, 15, 16, 17, 107, 250, bytes.len()] {
                    let (mut client, mut server) = connected().await;
                    let sending = async {
                        for piece in bytes.chunks(piece) {
                            client.write_all(piece).await.unwrap();
                            tokio::task::yield_now().await;
                        }
                        drop(client);
                    };
                    let reading = async {
                        let taken = Header::new().take_off(&mut server).await;
                        taken.expect("a header");
                        let mut rest = String::new();
                        server.read_to_string(&mut rest).await.unwrap();
                        rest
                    };
                    assert_eq!(tokio::join!(sending, reading).1, follows);
                }
            }
        }
    }

    #[tokio::test]
    async fn a_header_that_ends_too_early_is_none() {
        for header in headers() {
            for cut in [0, 1, 14, header.len() - 1] {
                let (mut client, mut server) = connected().await;
                client.write_all(&header[..cut]).await.unwrap();
                drop(client);
                let mut read = Header::new();
                let error = read.take_off(&mut server).await.unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
                assert_eq!(read.has_begun(), cut > 0);
            }
        }
    }
}
