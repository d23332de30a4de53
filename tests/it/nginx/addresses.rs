//! The addresses besides bodies: who answers, who may ask, what is logged, what of a request is passed on.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::SETTINGS;
use crate::support::collector::TestCollector;
use crate::support::crash::Crash;
use crate::support::nginx::{TestNginx, own_address};
use crate::support::wait::wait_for;

fn basic(password: &str) -> String {
    let credentials = STANDARD.encode(format!("operator:{password}"));
    format!("Authorization: Basic {credentials}\r\n")
}

#[test]
fn broken_wants_the_password() {
    let collector = TestCollector::start(&SETTINGS);
    let nginx = TestNginx::before(&[collector.address()]);
    let ask = |headers: &str| nginx.get_with("/__broken__", headers).status;
    assert_eq!(ask(""), 401);
    assert_eq!(
        ask(&basic("sesame")),
        403,
        "without a password file nobody gets in"
    );
    let file = nginx.folder().join("antenna.htpasswd");
    std::fs::write(file, "operator:{PLAIN}sesame\n").unwrap();
    assert_eq!(ask(""), 401);
    assert_eq!(ask(&basic("guessed")), 401);
    let is_broken = |line: &String| line.contains("panicked");
    assert!(!collector.log().iter().any(is_broken));
    assert_eq!(ask(&basic("sesame")), 500);
    wait_for("the collector's line", || {
        collector.log().iter().any(is_broken).then_some(())
    });
}

#[test]
fn nginx_answers_for_itself_while_no_collector_is_there() {
    let nginx = TestNginx::before(&[own_address()]);
    let answer = nginx.get("/__nginxheartbeat__");
    assert_eq!((answer.status, answer.text()), (200, "ok\n".to_owned()));
    assert_eq!(nginx.get("/__lbheartbeat__").status, 502);
    assert_eq!(nginx.send(Crash::accepted().request()).status, 502);
}

#[test]
fn what_is_the_collectors_passes_and_nothing_else() {
    let collector = TestCollector::start(&SETTINGS);
    let nginx = TestNginx::before(&[collector.address()]);
    for path in ["/__lbheartbeat__", "/__heartbeat__", "/__version__"] {
        let (ours, direct) = (nginx.get(path), collector.get(path));
        assert_eq!((ours.status, ours.text()), (200, direct.text()), "{path}");
    }
    assert_eq!(nginx.get("/submit").status, 405);
    for path in ["/", "/submit/", "/__heartbeat__/", "/__else__"] {
        assert_eq!(nginx.get(path).status, 404, "{path}");
    }
}

#[test]
fn the_answer_is_the_collectors_to_the_byte() {
    let collector = TestCollector::start(&SETTINGS);
    // As in Debian's nginx.conf, for every type.
    let compressing = "    include antenna.conf;";
    let compressed = "    gzip on; gzip_types *; gzip_min_length 1;\n    include antenna.conf;";
    let nginx = TestNginx::changed(&[collector.address()], &[(compressing, compressed)]);
    let crash = Crash::accepted().header("Accept-Encoding", "gzip");
    let answer = nginx.send(crash.request());
    assert!(answer.crash_id().is_some(), "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("text/plain"));
    assert_eq!(answer.header("content-length"), Some("48"));
    assert_eq!(answer.header("content-encoding"), None);
}

/// Connections to the collector are used again, and there it mends the first request's address only.
#[test]
fn whatever_the_query_holds_report_after_report_is_kept() {
    let collector = TestCollector::start(&SETTINGS);
    let nginx = TestNginx::before(&[collector.address()]);
    for query in ["a={1}", "a=\"<>\\^`|", "a=\u{e9}", "%zz&&&=", "product=A"] {
        let request = Crash::accepted().request();
        let target = format!("POST /submit?{query} ");
        let request = [target.as_bytes(), &request["POST /submit ".len()..]].concat();
        assert_eq!(nginx.send(request).status, 200, "{query}");
    }
}

#[test]
fn the_log_has_neither_query_nor_whole_address_behind_a_load_balancer_too() {
    let collector = TestCollector::start(&SETTINGS);
    let nginx = TestNginx::before(&[collector.address()]);
    for address in ["203.0.113.77", "198.51.100.9, 10.1.2.3", "2001:db8:1:2::3"] {
        let headers = format!("X-Forwarded-For: {address}\r\nUser-Agent: Curious\r\n");
        nginx.get_with("/__version__?guid=6b1f", &headers);
    }
    let log = wait_for("three lines", || {
        Some(nginx.log()).filter(|log| log.lines().count() == 3)
    });
    for network in ["203.0.113.0/24", "198.51.100.0/24", "2001:db8:1::/48"] {
        assert!(log.contains(&format!(r#""network":"{network}""#)), "{log}");
    }
    for secret in ["guid", "6b1f", ".77", "100.9", "1:2:", "Curious"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    for line in log.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("JSON");
    }
}
