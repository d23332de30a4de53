//! The connections of the admin listener: few, and none of them can keep the next one out.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::util::ServiceExt;

use super::guard::Guard;
use super::stream::{LastSeen, Stream};
use crate::logging::OnceIn;

/// A Prometheus, a kubelet and some people; each may have more than one connection. At this number the one that was
/// silent longest gives way.
const MAX_CONNECTIONS: usize = 32;
/// For the head of a request. Whoever asks is near.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// For an answer that is not read.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
const BUFFER_BYTES: usize = 16 * 1024;
/// For the last answer at the end.
const LAST_ANSWER: Duration = Duration::from_millis(200);
/// What cannot be accepted now may be a moment later: too many open files, mostly.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(50);
const TELL_EVERY: Duration = Duration::from_secs(60);

/// What every connection needs.
pub(super) struct Service {
    pub routes: Router,
    pub guard: Guard,
}

struct Open {
    last_seen: LastSeen,
    task: JoinHandle<()>,
}

/// Serves until `close` is cancelled; then answers that are under way have a moment.
pub(super) async fn serve(listener: TcpListener, service: Arc<Service>, close: CancellationToken) {
    let mut open = Vec::new();
    let failures = OnceIn::new(TELL_EVERY);
    loop {
        let accepted = tokio::select! {
            () = close.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        make_room(&mut open);
        match accepted {
            Ok((connection, _address)) => {
                let last_seen = LastSeen::now();
                let stream =
                    Stream::new(without_delay(connection), last_seen.clone(), WRITE_TIMEOUT);
                let task = tokio::spawn(one(stream, service.clone(), close.clone()));
                open.push(Open { last_seen, task });
            }
            Err(error) => {
                if let Some(times) = failures.count() {
                    tracing::warn!(%error, times, "the admin listener cannot accept connections");
                }
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
    drop(listener);
    let ended = async {
        for open in &mut open {
            let _ = (&mut open.task).await;
        }
    };
    let _ = tokio::time::timeout(LAST_ANSWER, ended).await;
    open.iter().for_each(|open| open.task.abort());
}

/// Closes the connection that was silent longest, where there are too many.
fn make_room(open: &mut Vec<Open>) {
    open.retain(|open| !open.task.is_finished());
    if open.len() < MAX_CONNECTIONS {
        return;
    }
    let by_age = open.iter().enumerate();
    let silent = by_age.min_by_key(|(_, open)| open.last_seen.get());
    if let Some((at, _)) = silent {
        open.swap_remove(at).task.abort();
    }
}

/// Answers are small packets; waiting to fill them only delays the client.
fn without_delay(connection: TcpStream) -> TcpStream {
    let _ = connection.set_nodelay(true);
    connection
}

async fn one(stream: Stream, service: Arc<Service>, close: CancellationToken) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let service = service.clone();
        async move {
            match service.guard.refusal(&request) {
                Some(refusal) => Ok(refusal),
                None => service.routes.clone().oneshot(request.map(Body::new)).await,
            }
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        // One request each: nobody here asks so often that it matters, and none can ask for more than it reads.
        .keep_alive(false)
        // Clients that shut their side down after sending still want the answer.
        .half_close(true)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), answer);
    let mut connection = std::pin::pin!(connection);
    let result = tokio::select! {
        biased;
        result = connection.as_mut() => result,
        () = close.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.as_mut().await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "connection to the admin listener ended");
    }
}
