//! A Sentry that hangs, is away, refuses or cannot be trusted: requests, start and stop go on as if there were none.

use std::net::TcpListener;

use super::{assert_broken, kent, reporting_to};
use crate::support::collector::TestCollector;
use crate::support::crash::Crash;
use crate::support::kent::KEY;
use crate::support::wait::wait_for;

fn wait_until_said(collector: &TestCollector, words: &str) {
    wait_for(&format!("{words} in the log"), || {
        let log = collector.log();
        log.iter().any(|line| line.contains(words)).then_some(())
    });
}

#[test]
fn a_sentry_that_hangs_holds_up_neither_requests_nor_the_end() {
    // The kernel takes the connection and the event; nobody ever answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = silent.local_addr().expect("a bound socket");
    let collector = reporting_to(&format!("http://{KEY}@{address}/1"));
    for _ in 0..100 {
        assert_broken(&collector);
        assert_eq!(collector.send(Crash::accepted().request()).status, 200);
    }
    // All five events one after the other would take far longer than a process may take to end.
    let (_folder, log) = collector.stop();
    let log = log.join("\n");
    assert!(
        log.contains("Sentry did not take the last events in time"),
        "{log}"
    );
    assert!(!log.contains(KEY), "{log}");
}

#[test]
fn a_failed_start_ends_although_sentry_hangs() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let dsn = format!("http://{KEY}@{}/1", silent.local_addr().unwrap());
    let settings = [("SECRET_SENTRY_DSN", dsn.as_str()), ("PORT", "sixty")];
    let failed = TestCollector::try_start(&settings).err().expect("no start");
    assert_eq!(failed.status.code(), Some(78));
}

#[test]
fn a_sentry_that_is_away_is_told_in_the_log_once() {
    let address = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port");
    let collector = reporting_to(&format!("http://{KEY}@{address}/1"));
    assert_broken(&collector);
    assert_broken(&collector);
    wait_until_said(&collector, "Sentry did not take an event");
    let (_folder, log) = collector.stop();
    let log = log.join("\n");
    assert!(log.contains("refused"), "{log}");
    assert!(!log.contains(KEY), "{log}");
}

#[test]
fn a_sentry_that_refuses_is_told_in_the_log() {
    let (_kent, dsn) = kent();
    let collector = reporting_to(&dsn.replace("/1", "/elsewhere/1"));
    assert_broken(&collector);
    wait_until_said(&collector, "HTTP 404");
    collector.stop();
}

#[test]
fn events_go_over_https_to_whom_the_system_trusts() {
    let (kent, _) = kent();
    let dsn = kent.tls_dsn();
    let authority = kent.authority().display().to_string();
    let settings = [
        ("SECRET_SENTRY_DSN", dsn.as_str()),
        ("SSL_CERT_FILE", &authority),
    ];
    let collector = TestCollector::start(&settings);
    assert_broken(&collector);
    kent.wait_for_events(1);
    collector.stop();
}

#[test]
fn events_do_not_go_to_whom_the_system_does_not_trust() {
    let (kent, _) = kent();
    // Not even where the environment says so, as the crate's own set-up would.
    let dsn = kent.tls_dsn();
    let settings = [("SECRET_SENTRY_DSN", dsn.as_str()), ("SSL_VERIFY", "false")];
    let collector = TestCollector::start(&settings);
    assert_broken(&collector);
    wait_until_said(&collector, "Sentry did not take an event");
    let (_folder, log) = collector.stop();
    assert!(log.join("\n").contains("UnknownIssuer"), "{log:?}");
    assert_eq!(kent.events().len(), 0);
}
