//! `antenna check --live`: asks the collector that should be running on this machine. What a container's health check
//! calls, where there is no curl.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, anyhow};
use http_body_util::{BodyExt, Empty};
use hyper::Request;

use super::client::{Client, Trust};
use crate::app;
use crate::settings::Settings;

/// Longer than a collector in trouble needs to answer, shorter than probes are given.
const PATIENCE: Duration = Duration::from_secs(3);

/// Says that the collector answers.
///
/// # Errors
/// Nobody listens, no answer within three seconds, or another answer than 200.
pub fn live(settings: &Settings) -> anyhow::Result<()> {
    let address = reachable(app::address(settings));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let status = runtime
        .block_on(ask(settings))
        .with_context(|| format!("no live collector at {address}"))?;
    anyhow::ensure!(status == 200, "the collector at {address} answers {status}");
    super::say(&format!("live: the collector at {address} answers\n"));
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

/// The status that the collector of this machine answers with.
///
/// # Errors
/// Nobody listens, or no answer within three seconds.
pub async fn ask(settings: &Settings) -> anyhow::Result<u16> {
    let address = reachable(app::address(settings));
    let scheme = app::scheme(settings);
    let request = Request::get(format!("{scheme}://{address}/__lbheartbeat__"));
    let request = request.body(Empty::new().boxed())?;
    let is_proxied = settings.http.proxy_protocol;
    let client = Client::new(request.uri(), Trust::Anybody, is_proxied, PATIENCE)?;
    let (status, _body) = client.ask(request).await.map_err(|why| anyhow!(why))?;
    Ok(status)
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
