//! A TCP proxy on 127.0.0.1 in front of any server, whose behaviour can be switched while it runs.
//!
//! ```ignore
//! let proxy = FaultProxy::before(server_address).await;
//! client_of(proxy.url());
//! proxy.set(Fault::Refuse).await;   // in force when this returns; open connections are gone
//! proxy.set(Fault::Pass).await;     // the same address answers again
//! ```
//! It knows nothing of HTTP but the length of a request, which `Answer` needs.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{self, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

const BACKLOG: u32 = 1024;

/// How the proxy treats connections that are opened from now on.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Everything goes through.
    Pass,
    /// Connections are refused, as if nobody listened.
    Refuse,
    /// Takes every request and never answers.
    Hang,
    /// Half-open: connections are accepted, but nothing is ever read or answered.
    StopReading,
    /// Holds back each piece of an answer for this long.
    Delay(Duration),
    /// Closes a connection after so many bytes of requests have gone through.
    CutRequestAfter(u64),
    /// Closes a connection after so many bytes of answers have gone through.
    CutAnswerAfter(u64),
    /// Reads one whole request, which goes nowhere, sends these bytes and closes. See [`Fault::answer`].
    Answer(Arc<str>),
    /// The same, but keeps the connection open afterwards and says nothing more.
    AnswerAndHang(Arc<str>),
}

impl Fault {
    /// The same HTTP answer to every request, for instance
    /// `Fault::answer("503 Slow Down", "application/xml", "<Error><Code>SlowDown</Code></Error>")`.
    pub fn answer(status: &str, content_type: &str, body: &str) -> Self {
        Self::Answer(
            format!(
                "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{body}",
                body.len()
            )
            .into(),
        )
    }
}

/// A running proxy. It ends when dropped.
pub struct FaultProxy {
    address: SocketAddr,
    orders: mpsc::Sender<(Fault, oneshot::Sender<()>)>,
    accepted: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl FaultProxy {
    /// Starts with [`Fault::Pass`].
    pub async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (orders, orders_taken) = mpsc::channel(1);
        let accepted = Arc::new(AtomicUsize::new(0));
        let gate = Gate {
            address,
            server,
            fault: Fault::Pass,
            door: Door::Open(listener),
            connections: JoinSet::new(),
            accepted: accepted.clone(),
        };
        Self {
            address,
            orders,
            accepted,
            task: tokio::spawn(gate.keep(orders_taken)),
        }
    }

    /// Where clients find the proxy; it stays the same, whatever is set.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Switches. When this returns, all open connections are closed and new ones meet the new behaviour.
    pub async fn set(&self, fault: Fault) {
        let (done, is_done) = oneshot::channel();
        self.orders.send((fault, done)).await.unwrap();
        is_done.await.unwrap();
    }

    /// How many connections have been accepted so far; refused ones are not seen.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A closed door keeps the port: bound, but not listening, so that connections are refused and nobody else gets it.
enum Door {
    Open(TcpListener),
    Closed(TcpSocket),
    Moving,
}

struct Gate {
    address: SocketAddr,
    server: SocketAddr,
    fault: Fault,
    door: Door,
    connections: JoinSet<io::Result<()>>,
    accepted: Arc<AtomicUsize>,
}

impl Gate {
    async fn keep(mut self, mut orders: mpsc::Receiver<(Fault, oneshot::Sender<()>)>) {
        loop {
            tokio::select! {
                order = orders.recv() => {
                    let Some((fault, done)) = order else { return };
                    self.switch(fault).await;
                    let _ = done.send(());
                }
                connection = accept(&self.door) => {
                    self.accepted.fetch_add(1, Ordering::SeqCst);
                    self.connections.spawn(serve(connection, self.server, self.fault.clone()));
                }
                Some(_) = self.connections.join_next() => {}
            }
        }
    }

    async fn switch(&mut self, fault: Fault) {
        self.connections.shutdown().await;
        let refuse = matches!(fault, Fault::Refuse);
        self.fault = fault;
        self.door = match (std::mem::replace(&mut self.door, Door::Moving), refuse) {
            (Door::Open(listener), true) => {
                drop(listener);
                Door::Closed(bound(self.address))
            }
            (Door::Closed(socket), false) => Door::Open(socket.listen(BACKLOG).unwrap()),
            (door, _) => door,
        };
    }
}

fn bound(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

async fn accept(door: &Door) -> TcpStream {
    match door {
        Door::Open(listener) => listener.accept().await.unwrap().0,
        Door::Closed(_) | Door::Moving => std::future::pending().await,
    }
}

async fn serve(mut client: TcpStream, server: SocketAddr, fault: Fault) -> io::Result<()> {
    const ALL: u64 = u64::MAX;
    match fault {
        Fault::Pass => relay(client, server, ALL, ALL, None).await,
        Fault::Delay(pause) => relay(client, server, ALL, ALL, Some(pause)).await,
        Fault::CutRequestAfter(bytes) => relay(client, server, bytes, ALL, None).await,
        Fault::CutAnswerAfter(bytes) => relay(client, server, ALL, bytes, None).await,
        Fault::Hang => io::copy(&mut client, &mut io::sink()).await.map(drop),
        Fault::StopReading => std::future::pending().await,
        Fault::Answer(answer) => {
            read_request(&mut client).await?;
            client.write_all(answer.as_bytes()).await?;
            client.shutdown().await
        }
        Fault::AnswerAndHang(answer) => {
            read_request(&mut client).await?;
            client.write_all(answer.as_bytes()).await?;
            std::future::pending().await
        }
        Fault::Refuse => Ok(()),
    }
}

/// Whichever side ends first, by itself or by its limit, ends the connection: HTTP clients do not half-close.
async fn relay(
    mut client: TcpStream,
    server: SocketAddr,
    request_limit: u64,
    answer_limit: u64,
    pause: Option<Duration>,
) -> io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    let (from_client, mut to_client) = client.split();
    let (from_server, mut to_server) = server.split();
    tokio::select! {
        requests = pass(from_client.take(request_limit), &mut to_server, None) => requests,
        answers = pass(from_server.take(answer_limit), &mut to_client, pause) => answers,
    }
}

async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    to: &mut (impl AsyncWriteExt + Unpin),
    pause: Option<Duration>,
) -> io::Result<()> {
    let mut piece = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut piece).await?;
        if length == 0 {
            return Ok(());
        }
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
        to.write_all(&piece[..length]).await?;
    }
}

/// A head, and as many bytes as its Content-Length says.
async fn read_request(client: &mut TcpStream) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|length| length.trim().parse().ok())
        .unwrap_or(0);
    io::copy(&mut client.take(length), &mut io::sink()).await?;
    Ok(())
}
