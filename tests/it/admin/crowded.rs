//! Connections that are silent, half-sent, or not read keep nobody out of the admin listener, and end.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::{ADMIN, get};
use crate::support::collector::TestCollector;
use crate::support::wait::PATIENCE;

/// More than the listener has places.
const MANY: usize = 50;
/// What a probe may be given.
const SOON: Duration = Duration::from_secs(1);
const HALF_A_BODY: &[u8] =
    b"PUT /log-level HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nDE";
const SETTINGS: &[u8] = b"GET /settings HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn assert_probes_are_answered(admin: SocketAddr, what: &str) {
    for path in ["/live", "/ready"] {
        let asked = Instant::now();
        assert_eq!(get(admin, path).status, 200, "{what}");
        assert!(asked.elapsed() < SOON, "{what}: {:?}", asked.elapsed());
    }
}

fn connected(admin: SocketAddr, sent: &[u8]) -> TcpStream {
    let mut client = TcpStream::connect(admin).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    // It may be closed before all is taken.
    let _ = client.write_all(sent);
    client
}

#[test]
fn no_kind_of_client_keeps_probes_from_being_answered() {
    let collector = TestCollector::start(&[ADMIN]);
    let admin = collector.admin();
    for (what, sent) in [
        ("silent", &b""[..]),
        ("half a head", b"GET /metrics HTTP/1.1\r\nHost: local"),
        ("half a body", HALF_A_BODY),
        ("not reading", SETTINGS),
        ("not reading many", &SETTINGS.repeat(1000)),
    ] {
        let clients: Vec<_> = (0..MANY).map(|_| connected(admin, sent)).collect();
        assert_probes_are_answered(admin, what);
        drop(clients);
    }
}

#[test]
fn what_is_silent_or_half_sent_ends_in_time() {
    let collector = TestCollector::start(&[ADMIN]);
    let admin = collector.admin();
    let mut silent = connected(admin, b"");
    let mut half = connected(admin, HALF_A_BODY);
    let mut answer = String::new();
    half.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(matches!(silent.read(&mut [0]), Ok(0)), "closed");
}
