//! Starts that fail are reported before the process ends; `antenna check` says whether they would be.

use std::process::Command;

use serde_json::Value;

use super::kent;
use crate::support::collector::TestCollector;
use crate::support::kent::KEY;

/// The only event of a start that failed with these settings.
fn reported(settings: &[(&str, &str)], code: i32) -> Value {
    let (kent, dsn) = kent();
    let settings = [settings, &[("SECRET_SENTRY_DSN", &dsn)]].concat();
    let failed = TestCollector::try_start(&settings).err().expect("no start");
    assert_eq!(failed.status.code(), Some(code), "{:?}", failed.log);
    assert!(!failed.log.join("\n").contains(KEY));
    let mut events = kent.events();
    assert_eq!(events.len(), 1, "{events:#?}");
    events.remove(0)
}

fn message(event: &Value) -> &str {
    let message = event["message"].as_str().expect("a message");
    assert!(message.starts_with("Unhandled startup exception: "));
    message
}

#[test]
fn settings_that_do_not_work_are_reported() {
    let event = reported(&[("PORT", "sixty"), ("HOSTNAME", "collector-1")], 78);
    assert!(message(&event).contains("PORT=sixty"), "{event:#}");
    assert_eq!(event["server_name"], "collector-1");
    assert_eq!(event["release"], "none:unknown");
    assert_eq!(event["logger"], "antenna.cli.serve");
}

#[test]
fn mistakes_in_the_rules_are_reported() {
    let rules = [("BREAKPAD_THROTTLER_RULES", "nowhere.toml")];
    assert!(message(&reported(&rules, 78)).contains("nowhere.toml"));
}

#[test]
fn storage_that_cannot_be_verified_is_reported() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let root = file.path().join("crashes").display().to_string();
    let event = reported(&[("CRASHMOVER_CRASHSTORAGE_FS_ROOT", &root)], 1);
    assert!(message(&event).contains(&root), "{event:#}");
}

#[test]
fn a_port_that_is_taken_is_reported() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("a bound socket").port();
    let event = reported(&[("PORT", &port.to_string())], 1);
    assert!(message(&event).contains("cannot listen on"), "{event:#}");
}

#[test]
fn a_dsn_that_is_none_is_a_problem_with_the_settings() {
    let dsn = format!("ftp//{KEY}");
    let failed = TestCollector::try_start(&[("SECRET_SENTRY_DSN", &dsn)])
        .err()
        .expect("no start");
    assert_eq!(failed.status.code(), Some(78));
    let log = failed.log.join("\n");
    assert!(log.contains("expected a Sentry DSN"), "{log}");
    assert!(!log.contains(KEY) && !log.contains("panicked"), "{log}");
}

#[test]
fn a_check_says_whether_errors_are_reported() {
    let dsn = format!("https://{KEY}@sentry.example.com/7");
    let on = "Sentry: on, sentry.example.com:443, project 7, release none:unknown, server name c-1";
    for (dsn, expected) in [(dsn.as_str(), on), ("", "Sentry: off, ")] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let checked = Command::new(env!("CARGO_BIN_EXE_antenna"))
            .arg("check")
            .env_clear()
            .env("PORT", "0")
            .envs([("SECRET_SENTRY_DSN", dsn), ("HOSTNAME", "c-1")])
            .current_dir(folder.path())
            .output()
            .expect("the binary can be started");
        let said = String::from_utf8(checked.stdout).expect("text");
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains(KEY), "{said}");
    }
}
