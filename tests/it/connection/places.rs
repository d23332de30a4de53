//! Places among the connections: nobody holds one by silence, or by not reading.

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{ALL, ask, connect, report, rest};
use crate::support::collector::TestCollector;
use crate::support::wait::wait_for;
use crate::support::wire::{Exchange, play};

const REPORT: &str = "POST /submit HTTP/1.1";
/// Far less than any timeout of these collectors.
const SOON: Duration = Duration::from_secs(10);

#[test]
fn at_the_ceiling_the_connection_that_has_waited_longest_gives_way() {
    let collector = TestCollector::start(&[ALL, ("BREAKPAD_MAX_CONNECTIONS", "3")]);
    let mut kept_alive = connect(collector.address());
    ask(&mut kept_alive, &report(REPORT), "\n");
    let mut silent = connect(collector.address());
    let mut busy = connect(collector.address());
    busy.write_all(&report(REPORT).as_bytes()[..150]).unwrap();
    let started = Instant::now();
    let mut others = [(); 2].map(|()| connect(collector.address()));
    for other in &mut others {
        ask(other, &report(REPORT), "\n");
    }
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    assert_eq!(rest(&mut kept_alive), "");
    assert_eq!(rest(&mut silent), "");
    busy.write_all(&report(REPORT).as_bytes()[150..]).unwrap();
    ask(&mut busy, "", "\n");
    collector.stop();
}

#[test]
fn a_client_that_does_not_read_its_answers_is_closed() {
    let collector = TestCollector::start(&[ALL, ("BREAKPAD_HEADER_TIMEOUT_SECONDS", "1")]);
    let mut client = connect(collector.address());
    client.set_nonblocking(true).unwrap();
    let requests = "GET /__version__ HTTP/1.1\r\nHost: t\r\n\r\n".repeat(1000);
    wait_for("the collector closes", || {
        is_closed(&mut client, requests.as_bytes()).then_some(())
    });
    assert_eq!(collector.get("/__lbheartbeat__").status, 200);
    collector.stop();
}

/// Sends what the network takes.
fn is_closed(client: &mut TcpStream, requests: &[u8]) -> bool {
    match client.write(requests) {
        Ok(length) => length == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}

#[test]
fn an_idle_connection_is_kept_longer_than_a_head_may_take() {
    let settings = |keep_alive| {
        [
            ALL,
            ("BREAKPAD_HEADER_TIMEOUT_SECONDS", "1"),
            ("BREAKPAD_KEEP_ALIVE_SECONDS", keep_alive),
        ]
    };
    let two = report(REPORT).repeat(2);
    let mut exchange = Exchange::of(two.clone().into_bytes());
    exchange.answers = 2;
    exchange.pauses = vec![(two.len() / 2, Duration::from_secs(3))];
    let collector = TestCollector::start(&settings("60"));
    for answer in play(collector.address(), &exchange) {
        assert_eq!(answer.response().status, 200);
    }
    collector.stop();
    let collector = TestCollector::start(&settings("1"));
    let mut client = connect(collector.address());
    ask(&mut client, &report(REPORT), "\n");
    assert_eq!(rest(&mut client), "");
    collector.stop();
}

#[test]
fn the_time_for_a_head_is_counted_once() {
    let collector = TestCollector::start(&[ALL, ("BREAKPAD_HEADER_TIMEOUT_SECONDS", "4")]);
    let started = Instant::now();
    let mut client = connect(collector.address());
    let mut exchange = Exchange::of(b"POST /submit HTTP/1.1\r\nHost".to_vec());
    exchange.pauses = vec![(0, Duration::from_secs(3))];
    play(collector.address(), &exchange);
    let took = started.elapsed();
    assert!(took < Duration::from_millis(6500), "{took:?}");
    assert_eq!(rest(&mut client), "");
    collector.stop();
}
