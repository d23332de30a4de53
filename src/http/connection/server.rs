//! Accepting connections, serving them, and letting them finish when the process has to stop.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::util::ServiceExt;

use super::super::Routes;
use super::super::accounts;
use super::super::lingering_close;
use super::super::reply::Refusal;
use super::accepting::Accepting;
use super::memory::{MOST_READ_BYTES, Memory, SharedMemory};
use super::patience::{LAST_MOMENT, Patience};
use super::places::{Place, Places};
use super::proxied::{Header, Refusals};
use super::stream::ClientStream;
use super::tls::Tls;
use crate::crashmover::Budget;
use crate::fail_point;
use crate::metrics::Metrics;
use crate::settings::HttpSettings;

/// Of what comes behind a refused head so much is read, so that its client can read the answer.
const MOST_DISCARDED_BYTES: u64 = 1024 * 1024;

/// A listener and its connections.
pub struct Server {
    accepting: Accepting,
    settings: HttpSettings,
    /// The socket is there longer than this process: what waits in it at the stop is left to the next one.
    leaves_waiting: bool,
    places: Arc<Places>,
    connections: TaskTracker,
    stop: CancellationToken,
    serving: Serving,
}

/// What every connection needs.
#[derive(Clone)]
struct Serving {
    routes: Routes,
    metrics: Metrics,
    /// Large heads and what large bodies are read into are taken from it.
    memory: SharedMemory,
    /// Where every connection has to begin with a PROXY header.
    proxied: Option<Arc<Refusals>>,
    tls: Option<Tls>,
}

impl Server {
    pub fn new(
        listener: TcpListener,
        routes: Routes,
        settings: HttpSettings,
        tls: Option<Tls>,
        budget: Budget,
        metrics: Metrics,
    ) -> Self {
        let refusals = || Arc::new(Refusals::new(metrics.clone()));
        Self {
            accepting: Accepting::on(listener, metrics.clone()),
            leaves_waiting: false,
            places: Places::new(settings.max_connections),
            connections: TaskTracker::new(),
            stop: CancellationToken::new(),
            serving: Serving {
                routes,
                memory: SharedMemory::of(budget),
                proxied: settings.proxy_protocol.then(refusals),
                tls,
                metrics,
            },
            settings,
        }
    }

    pub fn leave_waiting(mut self, leaves_waiting: bool) -> Self {
        self.leaves_waiting = leaves_waiting;
        self
    }

    /// A handle with which connections can be counted from elsewhere.
    pub fn open_connections(&self) -> impl Fn() -> usize + Send + Sync + use<> {
        let connections = self.connections.clone();
        move || connections.len()
    }

    /// Serves until `stop` is cancelled, then lets requests finish until `drain_deadline` says it is enough.
    ///
    /// Returns how many connections had to be abandoned.
    pub async fn serve(self, stop: CancellationToken, drain_deadline: impl AsyncFnOnce()) -> usize {
        while let Some(connection) = stop.run_until_cancelled(self.accepting.next()).await {
            let place = stop.run_until_cancelled(self.places.take()).await;
            self.spawn(connection, place);
        }
        self.stop.cancel();
        if !self.leaves_waiting {
            self.accept_waiting().await;
        }
        self.connections.close();
        let Self {
            accepting,
            connections,
            ..
        } = self;
        drop(accepting);
        tokio::select! {
            () = connections.wait() => {}
            () = drain_deadline() => {}
        }
        connections.len()
    }

    /// Those that wait for a request leave soon now, and make room.
    async fn accept_waiting(&self) {
        let deadline = Instant::now() + LAST_MOMENT;
        for connection in self.accepting.waiting() {
            let place = tokio::time::timeout_at(deadline, self.places.take()).await;
            self.spawn(connection, place.ok());
        }
    }

    fn spawn(&self, connection: TcpStream, place: Option<Place>) {
        // Answers are one small packet; waiting to fill it only delays the client.
        let _ = connection.set_nodelay(true);
        let patience = Patience {
            opened: Instant::now(),
            header_timeout: self.settings.header_timeout,
            keep_alive: self.settings.keep_alive,
            places: self.places.clone(),
            stop: self.stop.clone(),
        };
        let serving = self.serving.clone();
        self.connections.spawn(async move {
            serving.serve(connection, patience).await;
            drop(place);
        });
    }
}

impl Serving {
    /// One connection until it ends.
    ///
    /// The handshake is done here and not where connections are accepted, so that a slow client does not keep others
    /// waiting.
    async fn serve(self, mut connection: TcpStream, patience: Patience) {
        if let Some(refusals) = &self.proxied
            && !take_off_header(&mut connection, &patience, refusals).await
        {
            return;
        }
        let Some(tls) = self.tls.clone() else {
            return self.serve_requests(connection, patience).await;
        };
        // Apart, so that connections without TLS take no room for it.
        Box::pin(async move {
            match patience.first(tls.accept(connection)).await {
                Some(Ok(connection)) => self.serve_requests(connection, patience).await,
                Some(Err(error)) => tls.failed(&error),
                None => tls.failed(&"it took too long"),
            }
        })
        .await;
    }

    async fn serve_requests<C>(self, connection: C, patience: Patience)
    where
        C: AsyncRead + AsyncWrite + Unpin,
    {
        let (routes, stop) = (self.routes, patience.stop.clone());
        let memory = Memory::of(self.memory);
        let is_last = memory.is_last_request();
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let answer = routes.clone().oneshot(request.map(Body::new));
            let (stop, is_last) = (stop.clone(), Arc::clone(&is_last));
            answer.map(
                move |answer| match stop.is_cancelled() || is_last.load(Ordering::Relaxed) {
                    true => answer.map(lingering_close::last),
                    false => answer,
                },
            )
        });
        let stream = ClientStream::new(connection, patience, memory);
        let mut connection = http1::Builder::new()
            // As the original writes them, and as Crashpad's socket transport reads `Content-Length`.
            .title_case_headers(true)
            // Clients that shut their side down after sending still want the answer.
            .half_close(true)
            .max_buf_size(MOST_READ_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        let result = (&mut connection).await;
        // The answer to the last request is in the kernel's hands by now.
        fail_point::reach("reply.after");
        let stream = connection.into_parts().io.into_inner();
        if let Err(error) = &result {
            tracing::debug!(%error, "connection ended");
        }
        let is_malformed = result.is_err_and(|error| error.is_parse());
        let refusal = stream
            .refusal()
            .or(is_malformed.then_some(Refusal::BadFraming));
        if let Some(refusal) = refusal {
            if stream.is_post() {
                accounts::refused_head(&self.metrics, refusal);
            }
            discard(stream.into_inner()).await;
        }
    }
}

/// Closing under a client that still sends would destroy the answer on its way.
async fn discard(connection: impl AsyncRead + Unpin) {
    let mut rest = connection.take(MOST_DISCARDED_BYTES);
    let mut nowhere = tokio::io::sink();
    let discarding = tokio::io::copy(&mut rest, &mut nowhere);
    // Whether it ended or the time was up makes no difference.
    let _ = tokio::time::timeout(LAST_MOMENT, discarding).await;
}

/// True if the connection began with a PROXY header, which is gone from it now.
async fn take_off_header(
    connection: &mut TcpStream,
    patience: &Patience,
    refusals: &Refusals,
) -> bool {
    let mut header = Header::new();
    let why = match patience.first(header.take_off(connection)).await {
        Some(Ok(())) => return true,
        Some(Err(error)) => error.to_string(),
        None => "it did not come in time".to_owned(),
    };
    if header.has_begun() {
        refusals.add(&why);
    } else {
        tracing::debug!(why, "connection ended before its PROXY header");
    }
    false
}
