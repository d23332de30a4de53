//! What is shown of the settings, and the one that can be changed.

use super::{ADMIN, ask, get};
use crate::support::collector::TestCollector;
use crate::support::crash::Crash;
use crate::support::wait::wait_for;

const SECRET: &str = "hunter2";

#[test]
fn every_setting_is_shown_with_its_source_and_no_secret() {
    let dsn = format!("http://{SECRET}@127.0.0.1:1/1");
    let collector = TestCollector::start(&[
        ADMIN,
        ("BREAKPAD_STAGE_SUBMITTER_BEARER_TOKEN", SECRET),
        ("SECRET_SENTRY_DSN", &dsn),
    ]);
    let answer = get(collector.admin(), "/settings");
    assert_eq!(answer.status, 200);
    let settings: Vec<serde_json::Value> = serde_json::from_slice(&answer.body).unwrap();
    let named = |name: &str| {
        let found = settings.iter().find(|setting| setting["name"] == name);
        found.unwrap_or_else(|| panic!("{name} is missing"))
    };
    let admin = named("ADMIN_LISTEN");
    assert_eq!(admin["value"], "127.0.0.1:0");
    assert_eq!(admin["source"], "environment");
    assert_eq!(named("PORT")["value"], "0");
    assert_eq!(named("LOGGING_LEVEL")["source"], "default");
    for secret in ["BREAKPAD_STAGE_SUBMITTER_BEARER_TOKEN", "SECRET_SENTRY_DSN"] {
        assert_eq!(named(secret)["value"], "*****");
    }
    for path in ["/settings", "/metrics", "/spool", "/ready", "/other"] {
        let text = get(collector.admin(), path).text();
        assert!(!text.contains(SECRET), "{path}: {text}");
    }
    assert!(!collector.log().join("\n").contains(SECRET));
}

#[test]
fn the_log_level_can_be_changed() {
    let collector = TestCollector::start(&[ADMIN]);
    let admin = collector.admin();
    assert_eq!(get(admin, "/log-level").text(), "INFO\n");
    let saved_lines = || {
        let log = collector.log();
        log.iter().filter(|line| line.contains(" saved")).count()
    };
    let accepted = || {
        collector
            .send(Crash::accepted().request())
            .crash_id()
            .unwrap()
    };
    let logged = |id: &str| collector.log().iter().any(|line| line.contains(id));

    let first = accepted();
    wait_for("the log has it", || logged(&first).then_some(()));
    assert_eq!(ask(admin, "PUT", "/log-level", "warning\n").status, 200);
    assert_eq!(get(admin, "/log-level").text(), "WARNING\n");
    let before = saved_lines();
    let second = accepted();
    assert_eq!(ask(admin, "PUT", "/log-level", "INFO").status, 200);
    let third = accepted();
    wait_for("the log has it", || logged(&third).then_some(()));
    assert!(!logged(&second), "it was logged at level WARNING");
    wait_for("it is saved", || (saved_lines() > before).then_some(()));

    let log = collector.log().join("\n");
    for line in [
        "log level WARNING instead of INFO",
        "log level INFO instead of WARNING",
    ] {
        assert!(log.contains(line), "{line}");
    }
}

#[test]
fn what_is_no_log_level_is_refused_and_changes_nothing() {
    let collector = TestCollector::start(&[ADMIN]);
    let admin = collector.admin();
    let long = "INFO".repeat(100);
    for body in ["", "LOUD", "INFO WARNING", &long] {
        let answer = ask(admin, "PUT", "/log-level", body);
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.text().contains("DEBUG, INFO, WARNING"), "{body}");
    }
    assert_eq!(ask(admin, "POST", "/log-level", "DEBUG").status, 405);
    assert_eq!(get(admin, "/log-level").text(), "INFO\n");
}

#[test]
fn other_paths_are_told_what_there_is() {
    let collector = TestCollector::start(&[ADMIN]);
    let answer = get(collector.admin(), "/");
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("/metrics"));
    assert_eq!(get(collector.admin(), "/submit").status, 404);
    assert_eq!(collector.get("/settings").status, 404, "at the front door");
    assert_eq!(collector.get("/metrics").status, 404, "at the front door");
}

#[test]
fn an_address_that_cannot_be_had_stops_the_start() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let same = format!("127.0.0.1:{}", address.port());
    for (settings, expected) in [
        (
            vec![("ADMIN_LISTEN", same.as_str())],
            "cannot listen on ADMIN_LISTEN=",
        ),
        (
            vec![("ADMIN_LISTEN", "127.0.0.1:8000"), ("PORT", "8000")],
            "the admin listener needs a port of its own",
        ),
        (
            vec![("ADMIN_LISTEN", "8001")],
            "expected an IP address of this machine and a port",
        ),
    ] {
        let failed = TestCollector::try_start(&settings).err().expect("no start");
        assert!(!failed.status.success());
        let log = failed.log.join("\n");
        assert!(log.contains(expected), "{log}");
    }
}
