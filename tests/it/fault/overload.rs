//! More reports than can be kept: a client is told 503 at once, before it has sent its body, and can read that.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::rig::{Rig, assert_overloaded, crash};
use super::scene::Scene;
use crate::support::crash::Crash;
use crate::support::fault_proxy::Fault;
use crate::support::wire::{Exchange, Response};

/// One report is being saved, one waits; whoever comes then finds no room.
pub const SMALL: [(&str, &str); 6] = [
    ("CRASHMOVER_QUEUE_SIZE", "1"),
    ("CRASHMOVER_CONCURRENT_CRASHMOVERS", "1"),
    ("CRASHMOVER_ACK_TIMEOUT_SECONDS", "120"),
    ("CRASHMOVER_SAVE_TIMEOUT_SECONDS", "120"),
    ("CRASHMOVER_MAX_ATTEMPTS", "1000"),
    ("CRASHMOVER_RETRY_SLEEP_SECONDS", "0.05"),
];
/// Far less than the clients inside have to wait.
const AT_ONCE: Duration = Duration::from_secs(20);

/// A collector without room while `meanwhile` runs; afterwards those inside are told yes.
pub fn while_full(rig: &Rig, meanwhile: impl FnOnce()) {
    rig.scene().s3(Fault::Hang);
    std::thread::scope(|scope| {
        let clients = [0, 1].map(|number| {
            let client = scope.spawn(move || rig.submit(number));
            rig.wait_until_said("returned ACCEPT", number + 1);
            client
        });
        meanwhile();
        rig.scene().s3(Fault::Pass);
        for client in clients {
            assert_eq!(client.join().unwrap().status, 200);
        }
    });
    assert_eq!(rig.submit(2).status, 200);
    rig.assert_all_arrive();
}

fn refused(rig: &Rig, crash: &Crash) -> Response {
    let start = Instant::now();
    let answer = rig.post(&Exchange::of(crash.request()));
    assert!(start.elapsed() < AT_ONCE);
    assert_overloaded(answer.response());
    answer.response().clone()
}

/// Five mebibytes that do not compress.
fn large() -> Crash {
    let mut state = 1_u64;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    })
    .take(5 << 20)
    .collect();
    crash(9).dump("upload_file_minidump_browser", &bytes)
}

#[test]
fn a_full_queue_is_told_before_the_body_is_sent() {
    let rig = Scene::new().start(&SMALL);
    while_full(&rig, || {
        let answer = refused(&rig, &crash(9).header("Expect", "100-continue"));
        assert!(
            answer.interim.is_empty(),
            "asked for a body that it does not want"
        );
        refused_without_body(&rig);
        refused(&rig, &large());
        refused(&rig, &large().chunked(60_000));
        read_after_sending(&rig, &large());
    });
    let books = rig.end().books;
    assert_eq!((books.outcome("overloaded"), books.fate("saved")), (5, 3));
}

/// A client that waits for a 100 sees the 503 although it never sends its body, and then the end.
fn refused_without_body(rig: &Rig) {
    rig.count_post();
    let crash = crash(9).header("Expect", "100-continue");
    let request = crash.request();
    let head = &request[..request.len() - crash.body().len()];
    let mut client = TcpStream::connect(rig.collector.address()).unwrap();
    client.set_read_timeout(Some(AT_ONCE)).unwrap();
    client.write_all(head).unwrap();
    let mut answer = String::new();
    client
        .read_to_string(&mut answer)
        .expect("an answer, then the end");
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
}

/// A simple client sends everything before it looks for an answer.
fn read_after_sending(rig: &Rig, crash: &Crash) {
    rig.count_post();
    let mut client = TcpStream::connect(rig.collector.address()).unwrap();
    client.set_read_timeout(Some(AT_ONCE)).unwrap();
    client.write_all(&crash.request()).expect("all is taken");
    let mut answer = String::new();
    client
        .read_to_string(&mut answer)
        .expect("an answer, then the end");
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
}

#[test]
fn memory_that_is_used_up_is_told_before_the_body_is_sent() {
    let budget = ("BREAKPAD_MAX_IN_FLIGHT_BYTES", "1310720");
    let rig = Scene::new().start(&[budget, SMALL[2], SMALL[3], SMALL[4], SMALL[5]]);
    rig.scene().s3(Fault::Hang);
    let half = crash(9).dump("upload_file_minidump_browser", &[b'x'; 400_000]);
    let rest = crash(9).dump("upload_file_minidump_browser", &[b'x'; 40_000]);
    std::thread::scope(|scope| {
        let clients = [1, 2].map(|number| {
            let (rig, half) = (&rig, &half);
            let client = scope.spawn(move || rig.post(&Exchange::of(half.request())));
            rig.wait_until_said("returned ACCEPT", number);
            client
        });
        // Most of the rest of the budget: there is no room for what the next one announces.
        let mut inside: Vec<_> = clients.into_iter().collect();
        let said = rig.times_said("returned ACCEPT");
        let client = scope.spawn(|| rig.post(&Exchange::of(rest.request())));
        rig.wait_until_said("returned ACCEPT", said + 1);
        inside.push(client);
        refused(&rig, &half);
        refused(&rig, &large());
        rig.scene().s3(Fault::Pass);
        for client in inside {
            assert_eq!(client.join().unwrap().response().status, 200);
        }
    });
    assert_eq!(rig.submit(2).status, 200, "memory was given back");
    let books = rig.end().books;
    assert_eq!((books.outcome("overloaded"), books.outcome("kept")), (2, 4));
}

#[test]
fn a_report_larger_than_all_memory_is_refused_in_the_middle() {
    let rig = Scene::new().start(&[("BREAKPAD_MAX_IN_FLIGHT_BYTES", "1048576")]);
    refused(&rig, &large());
    refused(&rig, &large().chunked(60_000));
    refused(&rig, &large().gzip());
    assert_eq!(rig.submit(0).status, 200);
    assert_eq!(rig.end().books.outcome("overloaded"), 3);
}
