//! `antenna check` says what a start would do, all of it.

use std::net::TcpListener;

use super::{Said, antenna};
use crate::support::collector::TestCollector;

/// A check in a folder of its own.
fn check(settings: &[(&str, &str)]) -> Said {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("crashes").display().to_string();
    let own = [
        ("CRASHMOVER_CRASHSTORAGE_FS_ROOT", root.as_str()),
        ("HOST", "127.0.0.1"),
        ("PORT", "0"),
    ];
    antenna(&[&own, settings].concat(), &["check"])
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let admin = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = admin.local_addr().unwrap().to_string();
    let said = check(&[
        ("PORT", &port),
        ("ADMIN_LISTEN", &listen),
        ("STATSD_HOST", "statsd.invalid"),
        ("CRASHMOVER_CRASHSTORAGE_FS_ROOT", "/proc/nothing"),
        ("CRASHMOVER_SPOOL_DIR", "/proc/spool"),
        ("BREAKPAD_THROTTLER_RULES", "/no/such/file"),
        ("TLS_CERTIFICATE", "/no/such/certificate"),
        ("TLS_KEY", "/no/such/key"),
    ]);
    for line in [
        format!("address: cannot listen on 127.0.0.1:{port}: another process is there"),
        format!("admin listener: cannot listen on {listen}: another process is there"),
        "metrics: warning: STATSD_HOST=statsd.invalid has no address".to_owned(),
        "storage: warning: cannot make the folder /proc/nothing".to_owned(),
        "spool: ".to_owned(),
        "throttle rules: mistakes".to_owned(),
        "TLS: TLS_CERTIFICATE=/no/such/certificate: cannot be read".to_owned(),
    ] {
        assert!(said.out.contains(&line), "{line}\n{}", said.out);
    }
    assert_eq!(said.code, Some(78));
}

#[test]
fn a_port_is_free_for_the_one_that_takes_a_collectors_place() {
    let collector = TestCollector::start::<&str, &str>(&[]);
    let port = collector.address().port().to_string();
    let said = check(&[("PORT", &port)]).fine();
    assert!(said.contains("a collector answers here"), "{said}");
}

#[test]
fn what_does_not_stop_a_start_does_not_fail() {
    let said = check(&[
        ("STATSD_HOST", "statsd.invalid"),
        ("BREAKPAD_MAX_IN_FLIGHT_BYTES", "1099511627776"),
    ])
    .fine();
    assert!(said.contains("memory: warning: "), "{said}");
    assert!(said.contains("metrics: warning: "), "{said}");
    let said = check(&[("HOST", "192.0.2.1")]);
    assert_eq!(said.code, Some(1));
    assert!(said.out.contains("does not have that address"), "{said:?}");
}
