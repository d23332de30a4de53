//! Request smuggling: bytes that two readers of HTTP may cut into requests at different places. Each case goes to the
//! collector itself and to nginx in front of one. One request must never be seen as two or two as one: a report inside
//! another one's body is never stored, and after framing that can be read in two ways the connection is closed.

mod around;
mod case;
mod chunks;
mod codings;
mod heads;
mod lengths;
mod old;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;

use serde_json::Value;

use case::{Case, PROBE, SMUGGLED, probe};

use crate::support::collector::TestCollector;
use crate::support::nginx::TestNginx;
use crate::support::report;
use crate::support::stored::{crash_id_of, objects_below};
use crate::support::wire::{Answer, Exchange, play};

/// No connection ends because it was idle: whoever closes one does so because of what was sent. A body that lacks bytes
/// ends soon.
#[rustfmt::skip]
const SETTINGS: [(&str, &str); 4] = [
    ("BREAKPAD_THROTTLER_RULES", "accept_all"),
    ("BREAKPAD_THROTTLER_PRODUCTS", "all"),
    ("BREAKPAD_HEADER_TIMEOUT_SECONDS", "600"),
    ("BREAKPAD_BODY_TIMEOUT_SECONDS", "5"),
];
/// The same for nginx.
#[rustfmt::skip]
const CHANGES: [(&str, &str); 3] = [
    ("client_header_timeout 30s", "client_header_timeout 600s"),
    ("client_body_timeout 60s", "client_body_timeout 5s"),
    ("    keepalive_timeout 30s", "    keepalive_timeout 600s"),
];
/// More answers than any case can get.
const MOST_ANSWERS: usize = 5;
const AT_ONCE: usize = 8;

fn cases() -> Vec<Case> {
    let mut cases = lengths::cases();
    cases.extend(codings::cases());
    cases.extend(chunks::cases());
    cases.extend(heads::cases());
    cases.extend(old::cases());
    cases.extend(around::cases());
    cases
}

#[test]
fn nothing_is_smuggled_past_the_collector() {
    let collector = TestCollector::start(&SETTINGS);
    check(&collector, collector.address(), "direct", |case| {
        case.direct
    });
    collector.stop();
}

#[test]
fn nothing_is_smuggled_through_nginx() {
    let collector = TestCollector::start(&SETTINGS);
    let nginx = TestNginx::changed(&[collector.address()], &CHANGES);
    check(&collector, nginx.address(), "nginx", |case| case.nginx);
    drop(nginx);
    collector.stop();
}

#[test]
fn every_case_has_a_name_of_its_own_and_a_source() {
    let cases = cases();
    let names: std::collections::BTreeSet<_> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len());
    assert!(cases.iter().all(|case| !case.source.is_empty()));
}

fn check(collector: &TestCollector, address: SocketAddr, way: &str, expected: fn(&Case) -> &str) {
    let cases = cases();
    let heard = send_all(&cases, address);
    let stored = markers(collector);
    let mut problems = Vec::new();
    let mut answered = 0;
    for (case, answers) in cases.iter().zip(&heard) {
        answered += answers
            .iter()
            .filter(|answer| id_of(answer).is_some())
            .count();
        let found = outcome(answers, &stored);
        if found != expected(case) {
            problems.push(format!(
                "{}: expected {}, got {found}",
                case.name,
                expected(case)
            ));
        }
    }
    // A report that nobody was answered for is one request taken for two.
    if stored.len() != answered {
        problems.push(format!(
            "{answered} reports were answered, {} stored",
            stored.len()
        ));
    }
    if stored.values().any(|marker| marker == SMUGGLED) {
        problems.push("a smuggled report is stored".to_owned());
    }
    report(&format!(
        "smuggling, {way}: {} cases, {} problems",
        cases.len(),
        problems.len()
    ));
    assert!(problems.is_empty(), "{way}:\n{}", problems.join("\n"));
}

fn send_all(cases: &[Case], address: SocketAddr) -> Vec<Vec<Answer>> {
    let next = Mutex::new(cases.iter().enumerate());
    let heard = Mutex::new(vec![Vec::new(); cases.len()]);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some((at, case)) = next.lock().unwrap().next() else {
                        return;
                    };
                    let answers = send(case, address);
                    heard.lock().unwrap()[at] = answers;
                }
            });
        }
    });
    heard.into_inner().unwrap()
}

fn send(case: &Case, address: SocketAddr) -> Vec<Answer> {
    let mut exchange = Exchange::of([&case.bytes[..], probe().as_bytes()].concat());
    exchange.answers = MOST_ANSWERS;
    play(address, &exchange)
}

/// Crash id to marker of everything that is stored.
fn markers(collector: &TestCollector) -> BTreeMap<String, String> {
    let objects = objects_below(&collector.crashes());
    let raw_crashes = objects
        .iter()
        .filter(|(path, _)| path.contains("/raw_crash/"));
    raw_crashes
        .map(|(path, content)| {
            let raw_crash: Value = serde_json::from_slice(content).expect("JSON");
            let marker = raw_crash["Marker"].as_str().unwrap_or("unmarked");
            let id = crash_id_of(path).expect("a crash id");
            (id.to_owned(), marker.to_owned())
        })
        .collect()
}

fn id_of(answer: &Answer) -> Option<String> {
    match answer {
        Answer::Response(response) => response.crash_id(),
        _ => None,
    }
}

fn outcome(answers: &[Answer], stored: &BTreeMap<String, String>) -> String {
    let mut words = Vec::new();
    for answer in answers {
        match answer {
            Answer::Response(response) => words.push(match response.crash_id() {
                Some(id) => stored
                    .get(&id)
                    .cloned()
                    .unwrap_or_else(|| "lost".to_owned()),
                None => response.status.to_string(),
            }),
            Answer::Closed => break,
            other => words.push(format!("{other:?}")),
        }
    }
    if words.last().is_some_and(|word| word == PROBE) {
        words.pop();
        words.push("open".to_owned());
    } else {
        words.push("closed".to_owned());
    }
    words.join(" ")
}
