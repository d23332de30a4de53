//! The admin listener of the real binary, from before storage is verified until the last report is finished; and the
//! command that asks whether a collector is alive.

mod crowded;
mod live;
mod metrics;
mod prometheus;
mod settings;
mod states;
mod statsd;
mod who;

use std::net::SocketAddr;

use crate::support::wire::{Exchange, Response, play};

const ADMIN: (&str, &str) = ("ADMIN_LISTEN", "127.0.0.1:0");

fn get(address: SocketAddr, path: &str) -> Response {
    ask(address, "GET", path, "")
}

fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> Response {
    ask_with(address, method, path, "Host: localhost\r\n", body)
}

/// With these lines in the head, each with its end.
fn ask_with(address: SocketAddr, method: &str, path: &str, lines: &str, body: &str) -> Response {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\n{lines}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    play(address, &Exchange::of(request.into_bytes()))[0]
        .response()
        .clone()
}
