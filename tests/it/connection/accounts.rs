//! Every POST has one outcome, whatever refuses it: counted, logged, and the first one counts.

use std::io::Write;
use std::time::Instant;

use super::{ADMIN, ALL, connect, report, rest, with_lines};
use crate::support::collector::TestCollector;
use crate::support::wait::wait_for;
use crate::support::wire::{Exchange, play};

fn outcomes(collector: &TestCollector, outcome: &str) -> usize {
    let request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = play(collector.admin(), &Exchange::of(request.to_vec()));
    let text = answer[0].response().text();
    let tag = format!("outcome=\"{outcome}\"");
    let line = text
        .lines()
        .find(|line| line.starts_with("breakpad_resource_outcome") && line.contains(&tag));
    line.map_or(0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

fn logged(collector: &TestCollector, outcome: &str) -> usize {
    let words = format!("outcome={outcome}");
    let json = format!("\"outcome\":\"{outcome}\"");
    let log = collector.log();
    log.iter()
        .filter(|line| line.contains(&words) || line.contains(&json))
        .count()
}

fn assert_account(outcome: &str, status: u16, requests: &[String]) {
    let collector = TestCollector::start(&[ALL, ADMIN, ("BREAKPAD_BODY_TIMEOUT_SECONDS", "5")]);
    for (number, request) in requests.iter().enumerate() {
        let mut client = connect(collector.address());
        client.write_all(request.as_bytes()).unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let answer = rest(&mut client);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request:?}: {answer}"
        );
        // The client may know before the books do.
        wait_for("an outcome and a line", || {
            let all = [outcomes(&collector, outcome), logged(&collector, outcome)];
            (all == [number + 1; 2]).then_some(())
        });
    }
    collector.stop();
}

#[test]
fn a_post_refused_for_its_framing_has_an_outcome_and_a_line() {
    let head = |lines: &str| {
        format!(
            "POST /submit HTTP/1.1\r\nHost: t\r\nContent-Type: multipart/form-data; boundary=b\r\n{lines}\r\n\r\n"
        )
    };
    let chunked = |body: &str| head("Transfer-Encoding: chunked") + body;
    let long = "x".repeat(20_000);
    assert_account(
        "bad_framing",
        400,
        &[
            head("Transfer-Encoding: gzip, chunked") + "0\r\n\r\n",
            head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked") + "0\r\n\r\n",
            head("Content-Length: +5"),
            head("Content-Length: 5\r\nContent-Length: 6"),
            head("X: a\0b"),
            "POST /submit HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
                .to_owned(),
            chunked("zz\r\n"),
            chunked(&format!("1;{long}\r\na\r\n0\r\n\r\n")),
            chunked(&format!("1\r\na\r\n0\r\nX: {long}\r\n\r\n")),
        ],
    );
}

#[test]
fn a_post_to_another_path_has_an_outcome_and_a_line() {
    assert_account(
        "wrong_path",
        404,
        &["/", "/nowhere", "/submit/", "/submit%3Fx"]
            .map(|path| report(&format!("POST {path} HTTP/1.1"))),
    );
    assert_account("wrong_path", 405, &[report("POST /__version__ HTTP/1.1")]);
}

#[test]
fn a_head_that_is_too_large_has_an_outcome_and_a_line() {
    let lines = format!("Host: t\r\nX: {}\r\n", "y".repeat(20_000));
    assert_account(
        "too_large",
        431,
        &[with_lines("POST /submit HTTP/1.1", &lines)],
    );
}

#[test]
fn two_authorizations_are_none() {
    let token = ("BREAKPAD_STAGE_SUBMITTER_BEARER_TOKEN", "t0ken");
    let collector = TestCollector::start(&[ALL, token]);
    let id = "de1bb258-cbbf-4589-a673-34f800160918";
    for (lines, status) in [
        ("Authorization: Bearer t0ken\r\n", 200),
        (
            "Authorization: Bearer t0ken\r\nAuthorization: Bearer t0ken\r\n",
            401,
        ),
        ("Authorization: Bearer t0ken\r\nAuthorization: x\r\n", 401),
        ("", 401),
    ] {
        let whole = with_lines("POST /submit HTTP/1.1", lines);
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"uuid\"\r\n\r\n{id}\r\n--b--\r\n"
        );
        let (head, _) = whole.split_once("Content-Length").unwrap();
        let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        assert_eq!(
            collector.send(request.into_bytes()).status,
            status,
            "{lines}"
        );
    }
    collector.stop();
}

#[test]
fn breaking_on_purpose_does_not_fill_the_log() {
    let collector = TestCollector::start(&[ALL]);
    let started = Instant::now();
    for _ in 0..100 {
        assert_eq!(collector.get("/__broken__").status, 500);
    }
    let seconds = usize::try_from(started.elapsed().as_secs()).unwrap();
    let (_folder, log) = collector.stop();
    let lines = log
        .iter()
        .filter(|line| line.contains("intentional exception"));
    assert!((1..=seconds + 2).contains(&lines.count()));
}
