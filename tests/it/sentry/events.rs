//! What becomes an event, what it says, and what it leaves out.

use std::time::Instant;

use serde_json::Value;

use super::{assert_broken, break_storage, kent, reporting_to};
use crate::support::crash::Crash;
use crate::support::kent::KEY;

#[test]
fn a_panic_in_a_request_is_one_event_that_names_the_request() {
    let (kent, dsn) = kent();
    let collector = reporting_to(&dsn);
    assert_broken(&collector);
    assert_eq!(collector.get("/__version__").status, 200);
    kent.wait_for_events(1);
    let (_folder, log) = collector.stop();
    let events = kent.events();
    assert_eq!(events.len(), 1, "{events:#?}");
    let event = &events[0];
    for (pointer, expected) in [
        ("/release", "v1.2:5cc6f517"),
        ("/server_name", "collector-1"),
        ("/environment", "stage"),
        ("/transaction", "GET /__broken__"),
        ("/request/method", "GET"),
        ("/request/url", "http://test/__broken__"),
        ("/request/headers/connection", "close"),
        ("/exception/values/0/type", "panic"),
        (
            "/exception/values/0/value",
            "panicked: intentional exception at /__broken__",
        ),
    ] {
        let found = event.pointer(pointer).and_then(Value::as_str);
        assert_eq!(found, Some(expected), "{pointer} in {event:#}");
    }
    let frames = &event["exception"]["values"][0]["stacktrace"]["frames"];
    let culprit = frames.as_array().and_then(|frames| frames.last());
    assert_eq!(culprit.expect("a frame")["filename"], "dockerflow.rs");
    let log = log.join("\n");
    assert_eq!(log.matches("intentional exception").count(), 1, "{log}");
    assert!(!log.contains(KEY), "{log}");
}

#[test]
fn a_dropped_report_is_an_event_with_its_crash_id() {
    let (kent, dsn) = kent();
    let collector = reporting_to(&dsn);
    break_storage(&collector);
    let answer = collector.send(Crash::accepted().request());
    assert_eq!(answer.status, 500);
    let events = kent.wait_for_events(1);
    let (_folder, log) = collector.stop();
    assert_eq!(kent.events(), events, "nothing but the one event");
    let event = &events[0];
    let id = event["tags"]["crash_id"].as_str().expect("a crash id");
    let message = event["message"].as_str().expect("a message");
    assert_eq!(message, format!("{id} dropped: it could not be saved"));
    assert_eq!(event["logger"], "antenna.crashmover.mover");
    assert_eq!(
        event["fingerprint"][0],
        "antenna.crashmover.mover: # dropped: it could not be saved"
    );
    assert!(log.iter().any(|line| line.contains(message)), "{log:?}");
}

#[test]
fn neither_secrets_nor_addresses_nor_what_clients_sent_arrive() {
    let (kent, dsn) = kent();
    let collector = reporting_to(&dsn);
    break_storage(&collector);
    let headers = [
        ("Authorization", "Bearer s3cret-1"),
        ("Proxy-Authorization", "Basic s3cret-2"),
        ("Cookie", "session=s3cret-3"),
        ("Set-Cookie", "session=s3cret-4"),
        ("X-Forwarded-For", "203.0.113.7"),
        ("X-Real-Ip", "203.0.113.8"),
        ("Forwarded", "for=203.0.113.9"),
        ("X-Some-Token", "s3cret-5"),
        ("Referer", "https://example.com/?s3cret-6"),
        ("User-Agent", "the-agent"),
    ];
    let mut crash = Crash::accepted()
        .annotation("Email", "s3cret-7@example.com")
        .dump("upload_file_minidump_content", b"s3cret-8");
    for (name, value) in headers {
        crash = crash.header(name, value);
    }
    let mut request = crash.request();
    let path_end = b"POST /submit".len();
    request.splice(path_end..path_end, *b"?token=s3cret-9");
    assert_eq!(collector.send(request).status, 500);
    let head: String = headers.map(|(n, v)| format!("{n}: {v}\r\n")).concat();
    let broken = format!(
        "GET /__broken__?token=s3cret-9 HTTP/1.1\r\nHost: me:s3cret-10@crashes\r\n\
         {head}Content-Length: 9\r\nConnection: close\r\n\r\ns3cret-11"
    );
    assert_eq!(collector.send(broken.into_bytes()).status, 500);
    kent.wait_for_events(2);
    collector.stop();
    let everything = Value::from(kent.everything()).to_string();
    assert!(everything.contains("the-agent"), "{everything}");
    for word in ["s3cret", "203.0.113", "127.0.0.1", "Thunderbird", KEY] {
        assert!(!everything.contains(word), "{word} in {everything}");
    }
}

#[test]
fn a_flood_of_equal_events_is_cut() {
    let (kent, dsn) = kent();
    let collector = reporting_to(&dsn);
    let started = Instant::now();
    (0..100).for_each(|_| assert_broken(&collector));
    // A panic a second.
    let most_panics = 2 + usize::try_from(started.elapsed().as_secs()).unwrap();
    break_storage(&collector);
    for _ in 0..20 {
        assert_eq!(collector.send(Crash::accepted().request()).status, 500);
    }
    kent.wait_for_events(6);
    collector.stop();
    let events = kent.events();
    let panics = events.iter().filter(|it| it["exception"].is_object());
    let panics = panics.count();
    // A second minute may have begun on the way.
    assert!((1..=most_panics).contains(&panics), "{panics}");
    let dropped = events.len() - panics;
    assert!((5..=10).contains(&dropped), "{dropped}");
}
