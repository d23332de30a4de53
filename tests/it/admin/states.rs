//! Live, ready, and not.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use rustix::process::Signal;

use super::{ADMIN, get};
use crate::support::collector::{Starting, TestCollector};
use crate::support::crash::Crash;
use crate::support::wait::wait_for;

#[test]
fn a_collector_whose_storage_does_not_answer_is_live_and_not_ready() {
    // Connections are accepted by the kernel, and nobody ever reads from them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let collector = Starting::spawn(&[
        ADMIN,
        ("CRASHMOVER_CRASHSTORAGE_CLASS", "s3"),
        ("CRASHMOVER_CRASHSTORAGE_BUCKET_NAME", "crashes"),
        ("CRASHMOVER_CRASHSTORAGE_REGION", "us-east-1"),
        ("CRASHMOVER_CRASHSTORAGE_ENDPOINT_URL", &url),
        ("CRASHMOVER_CRASHSTORAGE_ACCESS_KEY", "foo"),
        ("CRASHMOVER_CRASHSTORAGE_SECRET_ACCESS_KEY", "bar"),
    ]);
    let admin = collector.admin();
    assert_eq!(get(admin, "/live").status, 200);
    let ready = get(admin, "/ready");
    assert_eq!(ready.status, 503);
    assert!(ready.text().starts_with("starting: "), "{}", ready.text());
    assert_eq!(get(admin, "/metrics").status, 200);
    assert_eq!(get(admin, "/spool").status, 404);
}

#[test]
fn a_collector_that_stops_is_live_and_not_ready_until_the_last_answer() {
    let mut collector = TestCollector::start(&[ADMIN]);
    let admin = collector.admin();
    let ready = get(admin, "/ready");
    assert_eq!((ready.status, ready.text().as_str()), (200, "ready\n"));

    let request = Crash::accepted().request();
    let (first, rest) = request.split_at(request.len() - 10);
    let mut client = TcpStream::connect(collector.address()).unwrap();
    client.write_all(first).unwrap();
    wait_for("the request is under way", || {
        get(admin, "/metrics")
            .text()
            .lines()
            .any(|line| {
                line.strip_prefix("breakpad_resource_connections ")
                    .is_some_and(|count| count != "0")
            })
            .then_some(())
    });
    collector.signal(Signal::TERM);
    let stopping = wait_for("it is not ready any more", || {
        let ready = get(admin, "/ready");
        (ready.status == 503).then_some(ready)
    });
    assert!(stopping.text().starts_with("stopping: "));
    assert_eq!(get(admin, "/live").status, 200);

    client.write_all(rest).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("CrashID=bp-"), "{answer}");
    assert!(collector.wait_for_end().success());
    assert!(TcpStream::connect(admin).is_err());
}

#[test]
fn the_spool_is_shown_where_there_is_one() {
    let spool = tempfile::tempdir().unwrap();
    let dir = spool.path().join("spool").display().to_string();
    let collector = TestCollector::start(&[ADMIN, ("CRASHMOVER_SPOOL_DIR", &dir)]);
    let answer = get(collector.admin(), "/spool");
    assert_eq!(answer.status, 200);
    let figures: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(figures["save"]["entries"], 0);
    assert_eq!(figures["save"]["oldest_seconds"], serde_json::Value::Null);
    assert!(figures["room_bytes"].as_u64() > Some(0), "{figures}");
}
