//! `antenna submit` where the collector says no, is not there, hangs, or is something else: each in words, with its exit
//! code, and never with what was sent.

use std::time::Duration;

use tokio::runtime::Runtime;

use super::{Said, antenna, url};
use crate::support::collector::TestCollector;
use crate::support::fault_proxy::{Fault, FaultProxy};

/// Must not be seen in anything that is printed.
const SECRET: &str = "jane@example.com";

fn submit(url: &str, more: &[&str]) -> Said {
    let email = format!("Email={SECRET}");
    let args = ["submit", url, "-a", "ProductName=Firefox", "-a", &email];
    let said = antenna(&[], &[&args[..], more].concat());
    assert!(!format!("{said:?}").contains(SECRET), "{said:?}");
    said
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn a_report_that_is_not_wanted_ends_with_3_and_the_reason() {
    let collector = TestCollector::start(&[("BREAKPAD_MAX_PAYLOAD_BYTES", "6000000")]);
    let url = url(&collector);
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("large.dmp");
    // More than the kernel holds, so the answer comes while the client is still sending; and no more than the
    // collector reads and throws away after it.
    std::fs::write(&large, vec![b'x'; 10_000_000]).unwrap();
    let large = large.display().to_string();
    for (more, reason) in [
        (
            &["-a", "ProductName=Editor"][..],
            "rule_unsupported_product",
        ),
        (&["-d", &large], "payload_too_large"),
        (&["-d", &large, "--chunked"], "payload_too_large"),
    ] {
        let said = submit(&url, more);
        assert_eq!(said.err, format!("discarded: {reason}\n"), "{more:?}");
        assert_eq!((said.code, said.out.as_str()), (Some(3), ""), "{more:?}");
    }
    collector.stop();
}

#[test]
fn a_report_that_is_not_kept_ends_with_1_and_the_reason() {
    let collector = TestCollector::start::<&str, &str>(&[]);
    let runtime = runtime();
    let proxy = runtime.block_on(FaultProxy::before(collector.address()));
    let address = proxy.url();
    let address = address.strip_prefix("http://").unwrap().to_owned();
    let cases = [
        (
            Fault::answer(
                "503 Service Unavailable",
                "text/plain",
                "Discarded=overloaded",
            ),
            "answered 503, overloaded",
        ),
        (
            Fault::answer("500 Internal Server Error", "text/plain", ""),
            "answered 500: the collector could not keep it",
        ),
        (
            Fault::answer("404 Not Found", "text/html", SECRET),
            "answered 404, but not as a collector does: is the URL right?",
        ),
        (
            Fault::answer("200 OK", "text/html", SECRET),
            "answered 200, but not as a collector does: is the URL right?",
        ),
        (
            Fault::answer("301 Moved Permanently", "text/html", SECRET),
            "answered 301: a redirect, which no crash reporter follows",
        ),
        (Fault::Refuse, "Connection refused"),
        (
            Fault::CutRequestAfter(100),
            &format!("the connection to {address} broke: "),
        ),
        (
            Fault::CutAnswerAfter(20),
            &format!("the connection to {address} broke: "),
        ),
        (
            Fault::Answer("not HTTP at all\r\n\r\n".into()),
            &format!("the connection to {address} broke: "),
        ),
    ];
    for (fault, words) in cases {
        runtime.block_on(proxy.set(fault));
        let said = submit(&proxy.url(), &[]);
        assert!(
            said.err.starts_with("not kept: ") && said.err.contains(words),
            "{words}: {said:?}"
        );
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{words}");
        assert_eq!(said.err.lines().count(), 1, "{said:?}");
    }
    runtime.block_on(proxy.set(Fault::Pass));
    submit(&proxy.url(), &["-a", "ReleaseChannel=nightly"]).fine();
    collector.stop();
}

#[test]
fn a_collector_that_hangs_is_given_up_after_the_time() {
    let collector = TestCollector::start::<&str, &str>(&[]);
    let runtime = runtime();
    let proxy = runtime.block_on(FaultProxy::before(collector.address()));
    for fault in [
        Fault::Hang,
        Fault::StopReading,
        Fault::Delay(Duration::from_secs(600)),
    ] {
        runtime.block_on(proxy.set(fault));
        let said = submit(&proxy.url(), &["--timeout", "0.3"]);
        assert_eq!(said.err, "not kept: no answer within 0.3 s\n");
        assert_eq!(said.code, Some(1));
    }
    collector.stop();
}

#[test]
fn what_cannot_be_sent_is_told_without_repeating_it() {
    let url = "http://127.0.0.1:9/submit";
    let email = format!("Email={SECRET}");
    for (args, code, words) in [
        (&["submit", url, "-a", SECRET][..], 2, "KEY=VALUE"),
        (&["submit", url], 2, "-a ProductName=Firefox"),
        (&["submit", "localhost:8000", "-a", &email], 2, "is no URL"),
        (
            &["submit", url, "-a", &email, "--timeout", "0"],
            2,
            "a number of seconds above 0",
        ),
        (
            &["submit", url, "-a", &email, "--repeat", "0"],
            2,
            "--repeat",
        ),
        (
            &["submit", url, "-a", &email, "--concurrency", "2"],
            2,
            "--repeat",
        ),
        (
            &["submit", url, "-a", &email, "-d", "no-such-file"],
            1,
            "cannot read the dump no-such-file: No such file",
        ),
        (
            &["submit", url, "-a", "A=@no-such-file"],
            1,
            "cannot read the value of A from no-such-file: No such file",
        ),
        (
            &["submit", url, "--raw-crash", "Cargo.toml"],
            1,
            "Cargo.toml is no raw crash",
        ),
        (&["submit", url, "-a", &email, "--crash-id", "1"], 1, "1: "),
        (&["submit", url, "-a", "a\"b=c"], 1, "--json"),
    ] {
        let said = antenna(&[], args);
        assert_eq!(said.code, Some(code), "{args:?}: {said:?}");
        assert!(said.err.contains(words), "{words}: {said:?}");
        assert!(!said.err.contains(SECRET), "{said:?}");
    }
}
