//! What arrives in Sentry, and what must not; and that a Sentry in trouble troubles nobody else.

mod events;
mod start;
mod trouble;

use crate::support::collector::TestCollector;
use crate::support::kent::Kent;

/// A collector that reports there, its errors named as in production.
fn reporting_to(dsn: &str) -> TestCollector {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let version = r#"{"version": "v1.2", "commit": "5cc6f5170973cafe"}"#;
    std::fs::write(folder.path().join("version.json"), version).expect("a writable folder");
    let settings = [
        ("SECRET_SENTRY_DSN", dsn),
        ("SENTRY_ENVIRONMENT", "stage"),
        ("HOSTNAME", "collector-1"),
        ("CRASHMOVER_MAX_ATTEMPTS", "1"),
    ];
    TestCollector::start_in(folder, &settings)
}

/// From now on nothing can be saved.
fn break_storage(collector: &TestCollector) {
    let crashes = collector.crashes();
    std::fs::remove_dir_all(&crashes).expect("a folder of the test's");
    std::fs::write(crashes, "no folder").expect("a writable folder");
}

/// What a panic on purpose is answered with, as recorded.
fn assert_broken(collector: &TestCollector) {
    let answer = collector.get("/__broken__");
    assert_eq!(answer.status, 500);
    let expected = r#"{"title": "500 Internal Server Error"}"#;
    assert_eq!(answer.text(), expected);
}

fn kent() -> (Kent, String) {
    let kent = Kent::start();
    let dsn = kent.dsn();
    (kent, dsn)
}
