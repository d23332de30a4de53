//! `Expect: 100-continue`: the body is asked for where it is wanted, and only there; whoever does not wait is served as
//! well.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use super::rig::{Rig, SPOOL, crash};
use super::scene::{Scene, settings};
use crate::support::crash::Crash;
use crate::support::fault_proxy::Fault;

const SOON: Duration = Duration::from_secs(30);
const LIMIT_BYTES: usize = 1 << 20;
/// More than fits into the buffers between the two processes.
const LARGE_BYTES: usize = 8 << 20;

fn start(more: &[(&str, &str)]) -> Rig {
    let fs = ("CRASHMOVER_CRASHSTORAGE_CLASS", "fs");
    Rig::start(None, &settings(&[&[fs], more].concat()))
}

fn hesitant(crash: Crash) -> Crash {
    crash.header("Expect", "100-continue")
}

/// Head and body of a request.
fn cut(request: &[u8]) -> (&[u8], &[u8]) {
    let end = request.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    request.split_at(end + 4)
}

fn connect(rig: &Rig) -> TcpStream {
    let client = TcpStream::connect(rig.collector.address()).unwrap();
    client.set_read_timeout(Some(SOON)).unwrap();
    client
}

/// Everything up to the end of the connection, which must come.
fn rest(mut client: &TcpStream) -> String {
    let mut answer = String::new();
    client
        .read_to_string(&mut answer)
        .expect("an answer, then the end");
    answer
}

/// One answer with this status and nothing else.
fn assert_only(answer: &str, status: u16) {
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {status} ")),
        "{answer}"
    );
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
}

/// Sends the head and waits, as it was told; then, on a second connection, everything at once.
fn assert_refused(rig: &Rig, request: &[u8], status: u16) {
    let (head, _) = cut(request);
    let mut client = connect(rig);
    client.write_all(head).unwrap();
    assert_only(&rest(&client), status);
    let mut client = connect(rig);
    client.write_all(request).expect("all is taken");
    assert_only(&rest(&client), status);
}

#[test]
fn a_body_that_is_wanted_is_asked_for() {
    let rig = start(&[]);
    for crash in [
        hesitant(crash(0)),
        hesitant(crash(0).chunked(1000)),
        hesitant(crash(0).gzip()),
        crash(0).header("expect", "100-Continue"),
    ] {
        rig.count_post();
        let request = crash.request();
        let (head, body) = cut(&request);
        let mut client = connect(&rig);
        client.write_all(head).unwrap();
        let mut interim = [0; 25];
        client.read_exact(&mut interim).unwrap();
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        client.write_all(body).unwrap();
        assert_only(&rest(&client), 200);
    }
    assert_eq!(rig.end().books.outcome("kept"), 4);
}

#[test]
fn who_does_not_wait_is_served_as_well() {
    let rig = start(&[]);
    for crash in [
        hesitant(crash(0)),
        crash(0).header("Expect", "something-else"),
    ] {
        rig.count_post();
        let mut client = connect(&rig);
        client.write_all(&crash.request()).unwrap();
        let answer = rest(&client);
        assert!(answer.contains("HTTP/1.1 200 OK"), "{answer}");
    }
    rig.end();
}

#[test]
fn a_report_that_is_too_large_is_not_asked_for() {
    let rig = start(&[("BREAKPAD_MAX_PAYLOAD_BYTES", &LIMIT_BYTES.to_string())]);
    let large = crash(0).dump("upload_file_minidump_browser", &vec![b'x'; LIMIT_BYTES]);
    rig.count_post();
    rig.count_post();
    assert_refused(&rig, &hesitant(large).request(), 413);
    assert_eq!(rig.submit(0).status, 200);
    assert_eq!(rig.end().books.outcome("too_large"), 2);
}

#[test]
fn what_is_no_report_is_not_asked_for() {
    let rig = start(&[]);
    let body = "x".repeat(LARGE_BYTES);
    let malformed = [
        "Content-Type: text/plain",
        "Content-Type: multipart/form-data",
        "X-None: 1",
    ];
    let unknown = [
        ("POST /elsewhere", 404),
        ("PUT /submit", 405),
        ("POST /__version__", 405),
        ("OPTIONS /submit", 200),
    ];
    let requests = malformed
        .map(|header| ("POST /submit", header, 400))
        .into_iter()
        .chain(unknown.map(|(what, status)| (what, "Content-Type: text/plain", status)));
    for (what, header, status) in requests {
        let request = format!(
            "{what} HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\n{header}\r\nContent-Length: {LARGE_BYTES}\r\n\r\n{body}"
        );
        if what.starts_with("POST") {
            rig.count_post();
            rig.count_post();
        }
        assert_refused(&rig, request.as_bytes(), status);
    }
    assert_eq!(rig.submit(0).status, 200);
    let books = rig.end().books;
    assert_eq!(
        (books.outcome("malformed"), books.outcome("wrong_path")),
        (6, 4)
    );
}

#[test]
fn a_report_without_room_is_not_asked_for() {
    // Neither queue nor spool: the one report that is inside waits for storage.
    let rig = Scene::new().start(&[
        ("CRASHMOVER_QUEUE_SIZE", "1"),
        ("CRASHMOVER_CONCURRENT_CRASHMOVERS", "1"),
        ("CRASHMOVER_ACK_TIMEOUT_SECONDS", "120"),
        ("CRASHMOVER_SAVE_TIMEOUT_SECONDS", "120"),
        SPOOL[0],
        // More than any disk has, so the spool is full.
        ("CRASHMOVER_SPOOL_MIN_FREE_BYTES", "9000000000000000000"),
    ]);
    rig.scene().s3(Fault::Hang);
    let also_refused = std::thread::scope(|scope| {
        let inside = [0, 1].map(|number| {
            let rig = &rig;
            let client = scope.spawn(move || rig.submit(number));
            rig.wait_until_said("returned ACCEPT", number + 1);
            client
        });
        let large = crash(9).dump("upload_file_minidump_browser", &vec![b'x'; LARGE_BYTES]);
        rig.count_post();
        rig.count_post();
        assert_refused(&rig, &hesitant(large).request(), 503);
        rig.scene().s3(Fault::Pass);
        // The one whose connection was cut is not tried again where there is a spool, and does not fit into it.
        let answers = inside.map(|client| client.join().unwrap().status);
        assert!(
            answers.iter().all(|status| [200, 503].contains(status)),
            "{answers:?}"
        );
        answers.iter().filter(|status| **status == 503).count() as u64
    });
    assert_eq!(rig.end().books.outcome("overloaded"), 2 + also_refused);
}

#[test]
fn a_report_without_memory_is_not_asked_for() {
    let rig = start(&[("BREAKPAD_MAX_IN_FLIGHT_BYTES", "4096")]);
    rig.count_post();
    rig.count_post();
    assert_refused(&rig, &hesitant(crash(0)).request(), 503);
    assert_eq!(rig.end().books.outcome("overloaded"), 2);
}

#[test]
fn nothing_of_http_1_0_is_told_to_continue() {
    let rig = start(&[]);
    for crash in [hesitant(crash(0)), hesitant(crash(0).chunked(1000))] {
        rig.count_post();
        let request = crash.request();
        let (head, body) = cut(&request);
        let head = String::from_utf8_lossy(head).replacen("HTTP/1.1", "HTTP/1.0", 1);
        let mut client = connect(&rig);
        client.write_all(head.as_bytes()).unwrap();
        client.write_all(body).unwrap();
        let answer = rest(&client);
        assert_eq!(answer.matches("HTTP/1.").count(), 1, "{answer}");
        assert!(answer.contains(" 200 OK\r\n"), "{answer}");
    }
    assert_eq!(rig.end().books.outcome("kept"), 2);
}

#[test]
fn curl_waits_and_is_told_either_way() {
    let rig = start(&[("BREAKPAD_MAX_PAYLOAD_BYTES", &(3 << 20).to_string())]);
    // Above 1 MiB curl sends the header by itself.
    for (dump_bytes, expected, interim) in [(2 << 20, "200 true", 1), (4 << 20, "413 false", 0)] {
        let dump = rig.collector.folder().join("dump");
        std::fs::write(&dump, vec![b'x'; dump_bytes]).unwrap();
        rig.count_post();
        let curl = Command::new("curl")
            .args(["--silent", "--verbose", "--expect100-timeout", "30"])
            .args(["--form", "ProductName=Thunderbird", "--form"])
            .arg(format!("upload_file_minidump=@{}", dump.display()))
            .args(["--write-out", "\n%{http_code} %{size_upload}"])
            .arg(format!("http://{}/submit", rig.collector.address()))
            .output()
            .expect("curl is installed by tests/run.sh");
        let (out, log) = (
            String::from_utf8_lossy(&curl.stdout),
            String::from_utf8_lossy(&curl.stderr),
        );
        let (status, sent) = out.lines().last().unwrap().split_once(' ').unwrap();
        let has_sent_it = sent.parse::<usize>().unwrap() > dump_bytes;
        assert_eq!(format!("{status} {has_sent_it}"), expected, "{out}{log}");
        assert!(log.contains("> Expect: 100-continue"), "{log}");
        assert_eq!(
            log.matches("< HTTP/1.1 100 Continue").count(),
            interim,
            "{log}"
        );
    }
    rig.end();
}
