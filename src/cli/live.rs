//! `antenna check --live`: asks the collector that should be running on this machine. What a container's health check
//! calls, where there is no curl.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Context;

use super::live_tls;
use crate::app;
use crate::settings::Settings;

/// Longer than a collector in trouble needs to answer, shorter than probes are given.
const PATIENCE: Duration = Duration::from_secs(3);
/// More than the answer's head is not read.
const MOST_BYTES: u64 = 4096;

/// Says that the collector answers.
///
/// # Errors
/// Nobody listens, no answer within three seconds, or another answer than 200.
pub fn live(settings: &Settings) -> anyhow::Result<()> {
    let address = reachable(app::address(settings));
    let status = ask(address, settings.tls.is_some())
        .with_context(|| format!("no live collector at {address}"))?;
    anyhow::ensure!(
        status == "200",
        "the collector at {address} answers {status}"
    );
    println!("live: the collector at {address} answers");
    Ok(())
}

/// Who listens on all addresses is asked on the loopback.
fn reachable(listens: SocketAddr) -> SocketAddr {
    let ip = match listens.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listens.port())
}

fn ask(address: SocketAddr, is_tls: bool) -> anyhow::Result<String> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    if is_tls {
        ask_on(live_tls::around(stream)?, address)
    } else {
        ask_on(stream, address)
    }
}

fn ask_on(mut stream: impl Read + Write, address: SocketAddr) -> anyhow::Result<String> {
    let request =
        format!("GET /__lbheartbeat__ HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    // A reset after the whole answer is as good as an end.
    let read = stream.take(MOST_BYTES).read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    match answer.split(' ').nth(1) {
        Some(status) if answer.starts_with("HTTP/1.") => Ok(status.to_owned()),
        _ => {
            read.context("no answer")?;
            anyhow::bail!("what listens there does not speak HTTP")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_asked_at_home() {
        for (listens, asked) in [
            ("0.0.0.0:8000", "127.0.0.1:8000"),
            ("[::]:1", "[::1]:1"),
            ("10.0.0.1:1", "10.0.0.1:1"),
        ] {
            let reachable = reachable(listens.parse().unwrap());
            assert_eq!(reachable, asked.parse().unwrap());
        }
    }
}
