//! What real crash reporters send (`tests/data/clients`): the exact bytes of their captures over a real socket, whole and
//! in random pieces, and one real client at work. Compared with what the original's payload code makes of each capture.

mod capture;
mod crashpad;
mod pieces;

use capture::{Capture, captures};

use crate::support::collector::TestCollector;
use crate::support::report;
use crate::support::stored::objects_below;

/// Takes everything, so that what is compared is the payload and not a rule.
const SETTINGS: [(&str, &str); 2] = [
    ("BREAKPAD_THROTTLER_RULES", "accept_all"),
    ("BREAKPAD_THROTTLER_PRODUCTS", "all"),
];

/// Captures that are not replayed, and why.
const LEFT_OUT: [(&str, &str); 1] = [(
    "crashpad-socket-nogzip.bin",
    "HTTP/1.0 with chunked, which hyper answers with 400; needs help in front of hyper",
)];

#[test]
fn every_capture_of_a_real_client_is_understood() {
    let collector = TestCollector::start(&SETTINGS);
    let captures = replayed();
    let mut problems = Vec::new();
    for capture in &captures {
        let answer = collector.send(capture.bytes.clone());
        let stored = objects_below(&collector.crashes());
        problems.extend(capture.problems(&answer, &stored));
    }
    collector.stop();
    finish("clients", captures.len(), &problems);
}

#[test]
fn a_capture_with_a_uuid_that_is_no_crash_id_is_refused_with_the_token_too() {
    let token = ("BREAKPAD_STAGE_SUBMITTER_BEARER_TOKEN", "sekrit-token");
    let settings = [&SETTINGS[..], &[token]].concat();
    let collector = TestCollector::start(&settings);
    let all = captures();
    let with_uuid: Vec<&Capture> = all.iter().filter(|c| c.expected.has_uuid_field).collect();
    assert!(!with_uuid.is_empty());
    for capture in with_uuid {
        let bytes = capture.with_header("Authorization: Bearer sekrit-token");
        let answer = collector.send(bytes);
        // An id made by somebody else ends in no date.
        assert_eq!(answer.status, 400, "{}: {answer:?}", capture.name);
        assert_eq!(answer.text(), "Discarded=malformed_invalid_uuid");
    }
    collector.stop();
}

/// All captures but those left out; says which.
fn replayed() -> Vec<Capture> {
    for (name, reason) in LEFT_OUT {
        report(&format!("clients: {name} is left out: {reason}"));
    }
    let left_out = |name: &str| LEFT_OUT.iter().any(|(left_out, _)| *left_out == name);
    let all = captures();
    let count = all.len();
    let replayed: Vec<Capture> = all.into_iter().filter(|c| !left_out(&c.name)).collect();
    assert_eq!(replayed.len() + LEFT_OUT.len(), count);
    replayed
}

fn finish(what: &str, count: usize, problems: &[String]) {
    report(&format!(
        "{what}: {count} captures, {} differences",
        problems.len()
    ));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
