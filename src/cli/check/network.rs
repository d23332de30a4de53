//! Where a start listens, and where it sends metrics.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

use crate::app;
use crate::cli::listener::cannot_listen;
use crate::cli::live;
use crate::settings::{Settings, StatsdSettings};

use super::{Found, Wrong};

pub(super) async fn check(settings: &Settings, wrong: &mut Wrong) {
    let front = app::address(settings);
    // Its ports are free once it has made room for the start.
    let predecessor = live::ask(settings).await.is_ok();
    wrong.tell("address", can_listen(front, "PORT", predecessor));
    if let Some(admin) = &settings.admin {
        let found = can_listen(admin.listen, "ADMIN_LISTEN", predecessor);
        wrong.tell("admin listener", found);
    }
    wrong.tell("metrics", metrics(settings));
}

fn can_listen(address: SocketAddr, setting: &str, has_predecessor: bool) -> Found {
    match TcpListener::bind(address) {
        Ok(_) => Found::Fine(format!("fine, {address} can be listened on")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && has_predecessor => {
            Found::Fine(format!(
                "{address} is in use, and a collector answers here: a start can take its place when it has stopped"
            ))
        }
        Err(error) => Found::Wrong(cannot_listen(address, setting, &error)),
    }
}

fn metrics(settings: &Settings) -> Found {
    match (&settings.statsd, &settings.admin) {
        (Some(statsd), _) => to_statsd(statsd),
        (None, Some(_)) => Found::Fine("at the admin listener".to_owned()),
        (None, None) => Found::Fine("off, neither STATSD_HOST nor ADMIN_LISTEN is set".to_owned()),
    }
}

/// Nobody answers over UDP: that the name has an address is all that can be said.
fn to_statsd(StatsdSettings { host, port, .. }: &StatsdSettings) -> Found {
    let found = (host.as_str(), *port).to_socket_addrs();
    match found.map(|mut addresses| addresses.next()) {
        Ok(Some(address)) => Found::Fine(format!("to StatsD at {address}")),
        Ok(None) => Found::Odd(format!("STATSD_HOST={host} has no address")),
        Err(error) => Found::Odd(format!(
            "STATSD_HOST={host} has no address ({error}): a start goes on, and looks it up again"
        )),
    }
}
