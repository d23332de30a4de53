//! Each head of a connection is mended as the first one is, however the bytes come, and behind proxies that keep connections.

use std::io::Write;
use std::time::Duration;

use super::{ALL, ask, connect, report, rest, with_lines};
use crate::support::balancer::Balancer;
use crate::support::collector::TestCollector;
use crate::support::nginx::TestNginx;
use crate::support::wire::{Answer, Exchange, play};

/// Queries as crash clients send them.
const ODD: [&str; 6] = [
    "p=My App",
    "p=\"My\"",
    "p=<a>",
    "p={1}|^`\\",
    "p=\u{e9}",
    "p=a%20b c",
];

fn old_chunked() -> String {
    let whole = report("POST /submit HTTP/1.0");
    let (head, body) = whole.split_once("\r\n\r\n").unwrap();
    let lines = head
        .lines()
        .filter(|line| !line.starts_with("Content-Length"));
    let head = lines.collect::<Vec<_>>().join("\r\n");
    format!(
        "{head}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    )
}

fn all_kept(answers: &[Answer]) -> bool {
    let is_kept =
        |answer: &Answer| matches!(answer, Answer::Response(it) if it.crash_id().is_some());
    answers.iter().all(is_kept)
}

#[test]
fn every_request_of_a_connection_may_have_an_odd_target_and_the_last_one_be_old() {
    let collector = TestCollector::start(&[ALL]);
    let odd = ODD.map(|query| report(&format!("POST /submit?{query} HTTP/1.1")));
    let pipelined = odd.concat() + &odd.concat() + &old_chunked();
    let mut exchange = Exchange::of(pipelined.clone().into_bytes());
    exchange.answers = 2 * ODD.len() + 1;
    let answers = play(collector.address(), &exchange);
    assert!(all_kept(&answers), "{answers:?}");
    // Cut in the middle of heads and bodies.
    let pauses = (1..40).map(|at| (at * 97, Duration::from_millis(2)));
    exchange.pauses = pauses.filter(|(at, _)| *at < pipelined.len()).collect();
    let answers = play(collector.address(), &exchange);
    assert!(all_kept(&answers), "{answers:?}");
    // One after the other.
    let mut client = connect(collector.address());
    for request in &odd {
        let answer = ask(&mut client, request, "\n");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    client.write_all(old_chunked().as_bytes()).unwrap();
    let answer = rest(&mut client);
    assert!(answer.contains("\r\nContent-Length: "), "{answer}");
    assert!(answer.contains("CrashID="), "{answer}");
    collector.stop();
}

#[test]
fn odd_targets_are_taken_behind_proxies_that_keep_connections() {
    let collector = TestCollector::start(&[ALL]);
    let nginx = TestNginx::before(&[collector.address()]);
    let haproxy = Balancer::haproxy_http(collector.address());
    for address in [nginx.address(), haproxy.address()] {
        let mut client = connect(address);
        for query in ["p=\"My\"", "p=<a>", "p={1}"] {
            let answer = ask(
                &mut client,
                &report(&format!("POST /submit?{query} HTTP/1.1")),
                "\n",
            );
            assert!(answer.contains("CrashID="), "{query}: {answer}");
        }
    }
    drop((nginx, haproxy));
    collector.stop();
}

#[test]
fn a_head_beyond_its_limit_is_refused_with_a_reason_whenever_it_comes() {
    let collector = TestCollector::start(&[ALL]);
    let long = format!("Host: test\r\nX: {}\r\n", "y".repeat(300_000));
    let many = format!("Host: test\r\n{}", "X: y\r\n".repeat(120));
    for lines in [long, many] {
        for before in ["", &report("POST /submit HTTP/1.1")] {
            let mut client = connect(collector.address());
            if !before.is_empty() {
                ask(&mut client, before, "\n");
            }
            // It may be answered before all of it is taken.
            let _ = client.write_all(with_lines("POST /submit HTTP/1.1", &lines).as_bytes());
            let answer = rest(&mut client);
            assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
            assert!(answer.ends_with("Discarded=head_too_large"), "{answer}");
        }
    }
    let fits = format!("Host: test\r\nX: {}\r\n", "y".repeat(15_000));
    let mut client = connect(collector.address());
    ask(
        &mut client,
        &with_lines("POST /submit HTTP/1.1", &fits),
        "\n",
    );
    collector.stop();
}

#[test]
fn slashes_before_a_path_make_no_difference_and_nothing_becomes_a_query() {
    let collector = TestCollector::start(&[ALL]);
    for (path, status) in [
        ("//submit", 200),
        ("///submit", 200),
        ("/%73ubmit?x", 200),
        ("/submit%3Fx", 404),
        ("/submit%23x", 404),
        ("/%2Fsubmit", 404),
        ("/submit/", 404),
    ] {
        let request = report(&format!("POST {path} HTTP/1.1"));
        assert_eq!(
            collector.send(request.into_bytes()).status,
            status,
            "{path}"
        );
    }
    collector.stop();
}
