//! Bodies through nginx: the limit to the byte, chunks, slow and silent clients, those that hang up.

use std::time::Duration;

use serde_json::Value;

use super::SETTINGS;
use crate::support::collector::TestCollector;
use crate::support::crash::Crash;
use crate::support::nginx::TestNginx;
use crate::support::stored::{Objects, objects_below, objects_of};
use crate::support::wait::wait_for;
use crate::support::wire::{Answer, Exchange, Then, play};

/// `client_max_body_size 25m`, and BREAKPAD_MAX_PAYLOAD_BYTES.
const LIMIT: usize = 25 << 20;

/// A report whose body has exactly this length.
fn of_length(bytes: usize) -> Crash {
    let with = |fill: usize| Crash::accepted().dump("upload_file_minidump_big", &vec![7; fill]);
    with(bytes - with(0).body().len())
}

fn raw_crash(objects: &Objects, id: &str) -> Value {
    let own = objects_of(objects, id);
    let found = own.iter().find(|(path, _)| path.contains("/raw_crash/"));
    serde_json::from_slice(found.expect("a raw crash").1).expect("JSON")
}

#[test]
fn exactly_25_mib_pass_and_one_byte_more_is_413() {
    let collector = TestCollector::start(&SETTINGS);
    let nginx = TestNginx::before(&[collector.address()]);
    for crash in [of_length(LIMIT), of_length(LIMIT).chunked(60_000)] {
        let answer = nginx.send(crash.request());
        let id = answer.crash_id().expect("kept");
        let raw_crash = raw_crash(&objects_below(&collector.crashes()), &id);
        assert_eq!(raw_crash["metadata"]["payload_size"], LIMIT);
    }
    let over = of_length(LIMIT + 1);
    let expecting = over.clone().header("Expect", "100-continue");
    for crash in [over.clone(), over.chunked(60_000), expecting] {
        let answer = nginx.send(crash.request());
        assert_eq!(answer.status, 413, "{answer:?}");
        assert!(answer.interim.is_empty(), "asked for what it does not want");
    }
    assert_eq!(collector.log().join("\n").matches(" saved ").count(), 2);
}

#[test]
fn a_client_that_expects_100_gets_it_and_its_report_is_kept() {
    let collector = TestCollector::start(&SETTINGS);
    let nginx = TestNginx::before(&[collector.address()]);
    let crash = Crash::accepted().header("Expect", "100-continue");
    let answer = nginx.send(crash.request());
    assert_eq!((answer.status, &answer.interim[..]), (200, &[100][..]));
}

/// The collector waits half a second for a body, the client takes longer: kept only if nginx has it whole first.
#[test]
fn a_slow_phone_holds_nginx_and_not_the_collector() {
    let hasty = ("BREAKPAD_BODY_TIMEOUT_SECONDS", "0.5");
    let collector = TestCollector::start(&[&SETTINGS[..], &[hasty]].concat());
    let nginx = TestNginx::before(&[collector.address()]);
    for crash in [Crash::accepted(), Crash::accepted().chunked(40)] {
        let mut exchange = Exchange::of(crash.request());
        let length = exchange.bytes.len();
        let step = length / 30;
        let pause = Duration::from_millis(50);
        exchange.pauses = (0..30).map(|n| (n * step, pause)).collect();
        // Most of the pauses lie behind the head.
        assert!(crash.body().len() > length / 2);
        assert_eq!(play(nginx.address(), &exchange)[0].response().status, 200);
        assert_eq!(collector.play(&exchange)[0].response().status, 408);
    }
}

#[test]
fn a_client_that_falls_silent_is_given_up_and_the_collector_hears_nothing() {
    let collector = TestCollector::start(&SETTINGS);
    let changes = [("client_body_timeout 60s", "client_body_timeout 1s")];
    let nginx = TestNginx::changed(&[collector.address()], &changes);
    let mut request = Crash::accepted().request();
    request.truncate(request.len() - 1);
    let answers = play(nginx.address(), &Exchange::of(request));
    assert!(matches!(answers[0], Answer::Closed), "{answers:?}");
    let log = wait_for("nginx's log line", || {
        Some(nginx.log()).filter(|log| log.contains("/submit"))
    });
    assert!(log.contains(r#""status":"408""#), "{log}");
    assert!(log.contains(r#""collectors":"""#), "{log}");
}

#[test]
fn a_report_that_is_here_is_kept_whatever_its_client_does_then() {
    let collector = TestCollector::start(&SETTINGS);
    let nginx = TestNginx::before(&[collector.address()]);
    let mut exchange = Exchange::of(Crash::accepted().request());
    exchange.then = Then::HalfClose;
    assert_eq!(play(nginx.address(), &exchange)[0].response().status, 200);
    exchange.then = Then::Close;
    for _ in 0..20 {
        play(nginx.address(), &exchange);
    }
    wait_for("all 21 reports are stored", || {
        let objects = objects_below(&collector.crashes());
        let stored = objects.keys().filter(|path| path.contains("/raw_crash/"));
        (stored.count() == 21).then_some(())
    });
}
