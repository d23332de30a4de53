//! Accepting connections, serving them, and letting them finish when the process has to stop.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::util::ServiceExt;

use super::super::Routes;
use super::http10_chunked::{FirstRequest, PrefixedStream, begin};
use super::proxied::{Header, Refusals};
use super::tls::{Secured, Tls};
use crate::fail_point;
use crate::metrics::Metrics;

/// Limits of connections.
#[derive(Clone, Copy, Debug)]
pub struct ServerConfig {
    /// Connections at once; more wait to be accepted.
    pub max_connections: usize,
    /// For a TLS handshake, for a request's head, and for the next request on a connection that is kept alive.
    pub header_timeout: Duration,
    /// The socket is there longer than this process: who waits in it at the stop is left to the next one.
    pub leaves_waiting: bool,
}

/// What cannot be accepted now may be a minute later: too many open files, mostly.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(50);

/// Of each connection; it does not count against the memory of reports. Larger ones made reading no cheaper.
const READ_BUFFER_BYTES: usize = 128 * 1024;
/// What was sent before the stop signal is here after this.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// A listener and its connections.
pub struct Server {
    listener: TcpListener,
    routes: Routes,
    config: ServerConfig,
    /// Where every connection has to begin with a PROXY header.
    proxied: Option<Arc<Refusals>>,
    tls: Option<Tls>,
    slots: Arc<Semaphore>,
    connections: TaskTracker,
    stop: CancellationToken,
}

impl Server {
    pub fn new(listener: TcpListener, routes: Routes, config: ServerConfig) -> Self {
        let slots = Arc::new(Semaphore::new(
            config.max_connections.clamp(1, Semaphore::MAX_PERMITS),
        ));
        Self {
            listener,
            routes,
            config,
            proxied: None,
            tls: None,
            slots,
            connections: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// Closes every connection that does not begin with a header of the PROXY protocol, and counts it in `metrics`.
    pub fn expect_proxy_headers(mut self, metrics: Metrics) -> Self {
        self.proxied = Some(Arc::new(Refusals::new(metrics)));
        self
    }

    /// Nothing but TLS is spoken from here on.
    pub fn with_tls(self, tls: Option<Tls>) -> Self {
        Self { tls, ..self }
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
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                (permit, connection) = self.accept() => self.spawn(connection, permit),
            }
        }
        self.stop.cancel();
        if !self.config.leaves_waiting {
            self.accept_waiting();
        }
        self.connections.close();
        let Self {
            listener,
            connections,
            ..
        } = self;
        drop(listener);
        tokio::select! {
            () = connections.wait() => {}
            () = drain_deadline() => {}
        }
        connections.len()
    }

    async fn accept(&self) -> (Option<OwnedSemaphorePermit>, TcpStream) {
        loop {
            let permit = self.slots.clone().acquire_owned().await.ok();
            match self.listener.accept().await {
                Ok((connection, _address)) => return (permit, connection),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(PAUSE_AFTER_ERROR).await;
                }
            }
        }
    }

    /// Takes what the kernel has accepted already: whole requests may wait there, and closing would reset them.
    fn accept_waiting(&self) {
        // A second handle without the runtime, which may not have heard yet that somebody waits.
        let Ok(listener) = self.listener.as_fd().try_clone_to_owned() else {
            return;
        };
        let listener = std::net::TcpListener::from(listener);
        while let Ok(permit) = self.slots.clone().try_acquire_owned()
            && let Ok((connection, _address)) = listener.accept()
        {
            let taken = connection
                .set_nonblocking(true)
                .and_then(|()| TcpStream::from_std(connection));
            if let Ok(connection) = taken {
                self.spawn(connection, Some(permit));
            }
        }
    }

    fn spawn(&self, mut connection: TcpStream, permit: Option<OwnedSemaphorePermit>) {
        // Answers are one small packet; waiting to fill it only delays the client.
        let _ = connection.set_nodelay(true);
        let (routes, config, stop) = (self.routes.clone(), self.config, self.stop.clone());
        let (proxied, tls) = (self.proxied.clone(), self.tls.clone());
        self.connections.spawn(async move {
            if let Some(refusals) = proxied
                && !take_off_header(&mut connection, config, &stop, &refusals).await
            {
                return;
            }
            match tls {
                None => serve_connection(connection, routes, config, stop).await,
                // Apart, so that connections without TLS take no room for it.
                Some(tls) => {
                    Box::pin(serve_secured(connection, tls, routes, config, stop)).await;
                }
            }
            drop(permit);
        });
    }
}

/// What comes from a client within the header timeout; after the stop signal only as long as it needs to get here.
async fn in_time<T>(
    coming: impl Future<Output = T>,
    config: ServerConfig,
    stop: &CancellationToken,
) -> Option<T> {
    let mut coming = std::pin::pin!(coming);
    tokio::select! {
        biased;
        come = coming.as_mut() => Some(come),
        () = tokio::time::sleep(config.header_timeout) => None,
        () = stop.cancelled() => tokio::time::timeout(LAST_MOMENT, coming).await.ok(),
    }
}

/// True if the connection began with a PROXY header, which is gone from it now.
async fn take_off_header(
    connection: &mut TcpStream,
    config: ServerConfig,
    stop: &CancellationToken,
    refusals: &Refusals,
) -> bool {
    let mut header = Header::new();
    let taken = in_time(header.take_off(connection), config, stop).await;
    let why = match taken {
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

/// Waits for the first bytes of a connection.
async fn first_request<C: AsyncRead + Unpin>(
    connection: C,
    config: ServerConfig,
    stop: &CancellationToken,
) -> Option<(PrefixedStream<C>, FirstRequest)> {
    in_time(begin(connection), config, stop)
        .await?
        .inspect_err(|error| tracing::debug!(%error, "connection ended"))
        .ok()
}

/// As [`serve_connection`], after the handshake. That is done here and not where connections are accepted, so that a
/// client which is slow with it keeps nobody waiting.
async fn serve_secured(
    connection: TcpStream,
    tls: Tls,
    routes: Routes,
    config: ServerConfig,
    stop: CancellationToken,
) {
    match in_time(tls.accept(connection), config, &stop).await {
        Some(Ok(secured)) => serve_connection::<Secured>(secured, routes, config, stop).await,
        Some(Err(error)) => tls.failed(&error),
        None => tls.failed(&"it took too long"),
    }
}

/// One connection until it ends. After the stop signal it ends with the request that is under way.
async fn serve_connection<C: AsyncRead + AsyncWrite + Unpin>(
    connection: C,
    routes: Routes,
    config: ServerConfig,
    stop: CancellationToken,
) {
    let Some((connection, first)) = first_request(connection, config, &stop).await else {
        return;
    };
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        routes.clone().oneshot(request.map(Body::new))
    });
    let is_old = first == FirstRequest::OldChunked;
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(config.header_timeout)
        .title_case_headers(is_old)
        .keep_alive(!is_old)
        // Clients that shut their side down after sending still want the answer.
        .half_close(true)
        .max_buf_size(READ_BUFFER_BYTES)
        .serve_connection(TokioIo::new(connection), service);
    let mut connection = std::pin::pin!(connection);
    let result = tokio::select! {
        // First, so that a request which is here already is not taken for none.
        biased;
        result = connection.as_mut() => result,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.as_mut().await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "connection ended");
    }
    // The answer to the last request is in the kernel's hands by now.
    fail_point::reach("reply.after");
}
