//! Bodies that are too large, on the wire or inflated, or too slow: refused with an answer that the client can read.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::rig::{Rig, crash};
use super::scene::settings;
use crate::support::crash::Crash;
use crate::support::wire::{Exchange, Response};

const LIMIT_BYTES: usize = 1 << 20;
const LIMIT: (&str, &str) = ("BREAKPAD_MAX_PAYLOAD_BYTES", "1048576");
const SOON: Duration = Duration::from_secs(30);

fn start(more: &[(&str, &str)]) -> Rig {
    let fs = ("CRASHMOVER_CRASHSTORAGE_CLASS", "fs");
    Rig::start(None, &settings(&[&[fs], more].concat()))
}

fn with_dump(bytes: usize) -> Crash {
    crash(0).dump("upload_file_minidump_browser", &vec![b'x'; bytes])
}

fn assert_too_large(answer: &Response) {
    assert_eq!(answer.status, 413, "{answer:?}");
    assert_eq!(answer.text(), "Discarded=payload_too_large");
}

/// Sends all of it, then reads; what came.
fn send_then_read(rig: &Rig, request: &[u8]) -> String {
    rig.count_post();
    let mut client = TcpStream::connect(rig.collector.address()).unwrap();
    client.set_read_timeout(Some(SOON)).unwrap();
    client.write_all(request).expect("all is taken");
    let mut answer = String::new();
    client
        .read_to_string(&mut answer)
        .expect("an answer, then the end");
    answer
}

#[test]
fn an_announced_length_beyond_the_limit_is_refused_at_once() {
    let rig = start(&[LIMIT]);
    let large = with_dump(LIMIT_BYTES + 1);
    let hesitant = large.clone().header("Expect", "100-continue");
    let answer = rig.post(&Exchange::of(hesitant.request()));
    assert_too_large(answer.response());
    assert!(answer.response().interim.is_empty());
    assert_too_large(rig.post(&Exchange::of(large.request())).response());
    let answer = send_then_read(&rig, &large.request());
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert_eq!(rig.submit(1).status, 200);
    assert_eq!(rig.end().books.outcome("too_large"), 3);
}

#[test]
fn chunks_beyond_the_limit_are_refused_with_an_answer_that_can_be_read() {
    let rig = start(&[LIMIT]);
    let large = with_dump(LIMIT_BYTES + 500_000).chunked(10_000);
    assert_too_large(rig.post(&Exchange::of(large.request())).response());
    let answer = send_then_read(&rig, &large.request());
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let fits = with_dump(LIMIT_BYTES - 100_000).chunked(10_000);
    assert_eq!(
        rig.post(&Exchange::of(fits.request())).response().status,
        200
    );
    assert_eq!(rig.end().books.outcome("too_large"), 2);
}

#[test]
fn a_gzip_bomb_is_refused() {
    let rig = start(&[LIMIT, ("BREAKPAD_MAX_INFLATED_BYTES", "8388608")]);
    let bomb = with_dump(64 << 20).gzip();
    assert!(bomb.body().len() < LIMIT_BYTES);
    for bomb in [bomb.clone(), bomb.chunked(1000)] {
        assert_too_large(rig.post(&Exchange::of(bomb.request())).response());
    }
    let fits = with_dump(4 << 20).gzip();
    assert_eq!(
        rig.post(&Exchange::of(fits.request())).response().status,
        200
    );
    assert_eq!(rig.end().books.outcome("too_large"), 2);
}

#[test]
fn a_body_that_stalls_is_given_up_with_an_answer() {
    let rig = start(&[("BREAKPAD_BODY_TIMEOUT_SECONDS", "1")]);
    let request = crash(0).request();
    rig.count_post();
    let mut client = TcpStream::connect(rig.collector.address()).unwrap();
    client.set_read_timeout(Some(SOON)).unwrap();
    client.write_all(&request[..request.len() / 2]).unwrap();
    let mut answer = String::new();
    client
        .read_to_string(&mut answer)
        .expect("an answer, then the end");
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.ends_with("Discarded=body_timeout"), "{answer}");
    assert_eq!(rig.end().books.outcome("too_slow"), 1);
}

#[test]
fn a_head_that_never_ends_is_given_up() {
    let rig = start(&[("BREAKPAD_HEADER_TIMEOUT_SECONDS", "1")]);
    for start in ["", "POST /submit HTTP/1.1\r\nHost: te"] {
        let mut client = TcpStream::connect(rig.collector.address()).unwrap();
        client.set_read_timeout(Some(SOON)).unwrap();
        client.write_all(start.as_bytes()).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).expect("the end");
        assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    assert_eq!(rig.submit(0).status, 200);
    rig.end();
}

#[test]
fn a_client_that_hangs_up_in_the_middle_has_an_outcome_too() {
    let rig = start(&[]);
    let request = crash(0).request();
    rig.count_post();
    let mut client = TcpStream::connect(rig.collector.address()).unwrap();
    client.write_all(&request[..request.len() / 2]).unwrap();
    drop(client);
    assert_eq!(rig.submit(1).status, 200);
    let books = rig.end().books;
    assert_eq!(books.outcome("kept"), 1);
}
