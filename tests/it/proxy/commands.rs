//! Commands that ask the collector of this machine begin with a header where it expects one, with TLS and without.

use std::process::{Command, Output};

use super::ON;
use crate::support::collector::TestCollector;
use crate::support::tls::{CERTIFICATE, KEY, make_certificate};

fn antenna(args: &[&str], settings: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_antenna"))
        .args(args)
        .env_clear()
        .env("HOST", "127.0.0.1")
        .envs(settings.iter().copied())
        .output()
        .expect("the binary can be started")
}

#[test]
fn a_collector_behind_a_balancer_is_live_and_takes_reports_of_submit() {
    let collector = TestCollector::start(&[ON]);
    let port = collector.address().port().to_string();
    let live = antenna(&["check", "--live"], &[ON, ("PORT", &port)]);
    assert!(live.status.success(), "{live:?}");
    let report = ["submit", "-a", "ProductName=Thunderbird"];
    let sent = antenna(&report, &[ON, ("PORT", &port)]);
    assert!(sent.status.success(), "{sent:?}");
    let without = antenna(&["check", "--live"], &[("PORT", &port)]);
    assert_eq!(without.status.code(), Some(1), "{without:?}");
    collector.stop();
}

#[test]
fn the_header_comes_before_tls() {
    let folder = tempfile::tempdir().unwrap();
    make_certificate(folder.path());
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (certificate, key) = (file(CERTIFICATE), file(KEY));
    let tls = [
        ON,
        ("TLS_CERTIFICATE", certificate.as_str()),
        ("TLS_KEY", key.as_str()),
    ];
    let collector = TestCollector::start(&tls);
    let port = collector.address().port().to_string();
    let settings = [&tls[..], &[("PORT", &port)]].concat();
    let live = antenna(&["check", "--live"], &settings);
    assert!(live.status.success(), "{live:?}");
    collector.stop();
}
