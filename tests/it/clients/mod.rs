//! What real crash reporters send (`tests/data/clients`): the exact bytes of their captures over a real socket, whole and
//! in random pieces, and one real client at work. Compared with what the original's payload code makes of each capture.

mod altered;
mod answer;
mod attachments;
pub mod capture;
mod crashpad;
mod encodings;
mod foreign;
mod libraries;
mod pieces;
mod readings;
mod senders;
mod told;
mod unusual;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use capture::{Capture, captures};

use crate::support::collector::TestCollector;
use crate::support::report;
use crate::support::stored::objects_below;

/// Takes everything, so that what is compared is the payload and not a rule.
const SETTINGS: [(&str, &str); 2] = [
    ("BREAKPAD_THROTTLER_RULES", "accept_all"),
    ("BREAKPAD_THROTTLER_PRODUCTS", "all"),
];

#[test]
fn every_capture_of_a_real_client_is_understood() {
    let collector = TestCollector::start(&SETTINGS);
    let captures = captures();
    let mut problems = Vec::new();
    for capture in &captures {
        let answer = collector.send(capture.bytes.clone());
        let stored = objects_below(&collector.crashes());
        problems.extend(capture.problems(&answer, &stored));
    }
    collector.stop();
    finish("clients", captures.len(), &problems);
}

/// Crashpad's socket transport wants the status line, a `Content-Length` in this very spelling, and the end.
#[test]
fn an_old_client_with_a_chunked_body_can_read_the_answer() {
    let collector = TestCollector::start(&SETTINGS);
    let all = captures();
    let old = all.iter().find(|c| c.name == "crashpad-socket-nogzip.bin");
    let mut socket = TcpStream::connect(collector.address()).expect("a connection");
    socket
        .write_all(&old.expect("a capture of it").bytes)
        .expect("sent");
    let mut answer = String::new();
    socket
        .read_to_string(&mut answer)
        .expect("an answer, and the end");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("\r\nContent-Length: 48\r\n"), "{answer}");
    collector.stop();
}

/// Clients put names and versions into the query as they are, and the query means nothing.
#[test]
fn whatever_the_query_holds_the_report_is_kept() {
    let collector = TestCollector::start(&SETTINGS);
    let all = captures();
    let plain = all
        .iter()
        .find(|c| c.name == "curl-F.bin")
        .expect("a capture of it");
    let target_end = plain
        .bytes
        .windows(9)
        .position(|bytes| bytes == b" HTTP/1.1")
        .expect("a request line");
    for query in [
        &b"?id={1}"[..],
        b"?product=My App",
        b"?v=\xc3\xa9\xff",
        b"?q=\"<>\\^`|",
        b"?%zz&&&=#",
    ] {
        let bytes = [
            &plain.bytes[..target_end],
            query,
            &plain.bytes[target_end..],
        ]
        .concat();
        let answer = collector.send(bytes);
        assert_eq!(
            answer.status,
            200,
            "{}: {answer:?}",
            String::from_utf8_lossy(query)
        );
    }
    collector.stop();
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

/// What `tests/run.sh` has put into the target folder.
fn in_target(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target")
        .join(path);
    path.display().to_string()
}

fn finish(what: &str, count: usize, problems: &[String]) {
    report(&format!(
        "{what}: {count} captures, {} differences",
        problems.len()
    ));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
