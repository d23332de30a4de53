//! Headers as they should be, and what comes behind them.

use std::io::{Read, Write};
use std::net::TcpStream;

use rustix::process::Signal;

use super::{Door, ON, V1, WARNING, crash, dump, heard, v2};
use crate::support::stored::objects_below;
use crate::support::wire::Exchange;

fn headers() -> Vec<Vec<u8>> {
    vec![
        V1.to_vec(),
        b"PROXY TCP6 2001:db8::1 ::1 1 443\r\n".to_vec(),
        b"PROXY UNKNOWN\r\n".to_vec(),
        v2(0x20, 0x00, 0),
        v2(0x21, 0x11, 12),
        v2(0x21, 0x21, 36),
        v2(0x21, 0x31, 216),
        v2(0x21, 0x11, 4096),
    ]
}

fn crash_id_in(answer: &str) -> &str {
    let (_, id) = answer.split_once("CrashID=bp-").expect("an id");
    id.trim_end()
}

#[test]
fn a_report_behind_any_header_is_kept_as_it_was_sent() {
    let door = Door::open(&[ON]);
    for header in headers() {
        let request = [header, crash().request()].concat();
        door.assert_stored(crash_id_in(&heard(door.address(), &request)));
    }
    assert_eq!(door.close().0, 0);
}

#[test]
fn a_header_may_come_in_single_bytes() {
    let door = Door::open(&[ON]);
    for header in headers() {
        let mut client = TcpStream::connect(door.address()).unwrap();
        client.set_nodelay(true).unwrap();
        for byte in header {
            client.write_all(&[byte]).unwrap();
        }
        client.write_all(&crash().request()).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        door.assert_stored(crash_id_in(&answer));
    }
    assert_eq!(door.close().0, 0);
}

#[test]
fn what_an_old_crashpad_sends_is_understood_behind_a_header_too() {
    let door = Door::open(&[ON]);
    let request = crash().chunked(1000).request();
    let at = request.windows(8).position(|it| it == b"HTTP/1.1").unwrap();
    let old = [&request[..at], b"HTTP/1.0", &request[at + 8..]].concat();
    let answer = heard(door.address(), &[V1, &old].concat());
    door.assert_stored(crash_id_in(&answer));
    door.close();
}

#[test]
fn one_header_is_enough_for_all_requests_of_a_connection() {
    let door = Door::open(&[ON]);
    let get = b"GET /__lbheartbeat__ HTTP/1.1\r\nHost: test\r\n\r\n";
    let bytes = [&v2(0x21, 0x11, 12), &get[..], get, &crash().request()].concat();
    let mut exchange = Exchange::of(bytes);
    exchange.answers = 3;
    let answers = door.collector.play(&exchange);
    for answer in &answers {
        assert_eq!(answer.response().status, 200);
    }
    door.assert_stored(&answers[2].response().crash_id().expect("an id"));
    door.close();
}

#[test]
fn a_second_header_is_no_header_but_a_malformed_request() {
    let door = Door::open(&[ON]);
    let smuggled = crash().request();
    let get = &b"GET /__lbheartbeat__ HTTP/1.1\r\nHost: test\r\n\r\n"[..];
    for second in headers() {
        let at_once = heard(door.address(), &[V1, &second, &smuggled].concat());
        assert!(at_once.starts_with("HTTP/1.1 400"), "{at_once}");
        assert!(!at_once.contains("CrashID"), "{at_once}");
        let later = heard(door.address(), &[V1, get, &second, &smuggled].concat());
        assert!(later.starts_with("HTTP/1.1 200"), "{later}");
        assert!(later.contains("HTTP/1.1 400"), "{later}");
        assert!(!later.contains("CrashID"), "{later}");
    }
    assert_eq!(objects_below(&door.collector.crashes()).len(), 0);
    assert_eq!(door.close().0, 0, "the first header was one");
}

#[test]
fn a_request_that_waits_in_the_kernel_behind_its_header_is_answered_after_the_stop_signal() {
    let door = Door::open(&[ON]);
    door.collector.signal(Signal::STOP);
    let mut client = TcpStream::connect(door.address()).unwrap();
    let request = [V1, &crash().request()].concat();
    client.write_all(&request).unwrap();
    door.collector.signal(Signal::TERM);
    door.collector.signal(Signal::CONT);
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("CrashID=bp-"), "{answer}");
    let objects = objects_below(&door.collector.crashes());
    assert!(objects.values().any(|content| *content == dump()));
    door.close();
}

#[test]
fn a_connection_without_its_header_does_not_hold_up_the_stop() {
    let door = Door::open(&[ON, ("BREAKPAD_HEADER_TIMEOUT_SECONDS", "600")]);
    let silent = TcpStream::connect(door.address()).unwrap();
    let mut begun = TcpStream::connect(door.address()).unwrap();
    begun.write_all(b"PROXY TC").unwrap();
    // Accepted later than the two, so they are accepted as well.
    let answer = heard(door.address(), &[V1, &crash().request()].concat());
    assert!(answer.contains("CrashID=bp-"), "{answer}");
    let (_, log) = door.close();
    assert!(
        !log.iter().any(|line| line.contains("abandoned")),
        "{log:?}"
    );
    drop((silent, begun));
}

#[test]
fn without_the_setting_a_header_is_a_malformed_request() {
    let door = Door::open(&[]);
    for header in headers() {
        let answer = heard(door.address(), &[header, crash().request()].concat());
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    let (failed, log) = door.close();
    assert_eq!(failed, 0);
    assert!(!log.iter().any(|line| line.contains(WARNING)));
}
