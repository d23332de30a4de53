//! S3 refuses, hangs, is slow or breaks off, and there is a spool: every client is told yes in time, and what was promised
//! is in the bucket and in the queue once storage is back.

use std::time::Duration;

use super::rig::{Rig, SPOOL};
use super::scene::{Scene, settings};
use crate::backends::aws::s3_error;
use crate::support::collector::TestCollector;
use crate::support::fault_proxy::Fault;

/// As [`SPOOL`], with a client that waits for ten seconds at most.
const IN_TIME: [(&str, &str); 3] = [SPOOL[0], SPOOL[1], ("CRASHMOVER_ACK_TIMEOUT_SECONDS", "10")];
const ACK_TIMEOUT: Duration = Duration::from_secs(10);

fn all_faults() -> Vec<Fault> {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    vec![
        Fault::Refuse,
        Fault::Hang,
        Fault::StopReading,
        Fault::Delay(Duration::from_secs(3600)),
        Fault::CutRequestAfter(1000),
        Fault::CutAnswerAfter(0),
        Fault::AnswerAndHang(half.into()),
        s3_error(
            "503 Slow Down",
            "SlowDown",
            "Please reduce your request rate.",
        ),
        s3_error("403 Forbidden", "AccessDenied", "Access Denied"),
    ]
}

#[test]
fn every_client_is_told_yes_in_time_and_every_report_arrives_later() {
    // Mostly waiting, so they go side by side.
    for faults in all_faults().chunks(3) {
        std::thread::scope(|scope| {
            for fault in faults {
                scope.spawn(|| kept_and_arrives_later(fault));
            }
        });
    }
}

fn kept_and_arrives_later(fault: &Fault) {
    let rig = Scene::new().start(&IN_TIME);
    rig.scene().s3(fault.clone());
    for (answer, took) in rig.submit_all(0..5) {
        assert_eq!(answer.status, 200, "{fault:?}");
        assert!(took < ACK_TIMEOUT, "{fault:?}: {took:?}");
    }
    assert_eq!(rig.spool_entries(), 5, "{fault:?}");
    rig.assert_none_visible();
    assert_eq!(rig.collector.get("/__heartbeat__").status, 200);
    rig.scene().s3(Fault::Pass);
    arrives(&rig);
    let books = rig.end().books;
    assert_eq!(
        (books.outcome("kept"), books.fate("saved")),
        (5, 5),
        "{fault:?}"
    );
    assert_eq!(books.count("crashmover.save_crash_dropped.count"), 0);
}

fn arrives(rig: &Rig) {
    rig.assert_all_arrive();
    rig.wait_until_spool_is_empty();
}

#[test]
fn storage_in_trouble_is_not_waited_for_by_every_client() {
    let rig = Scene::new().start(&IN_TIME);
    rig.scene().s3(Fault::Hang);
    let (_, first) = rig.submit_timed(0);
    let (answer, second) = rig.submit_timed(1);
    assert_eq!(answer.status, 200);
    assert!(2 * second < first, "{second:?}, the first took {first:?}");
    // Both have the line that people look for.
    let id = answer.crash_id().expect("a yes");
    rig.wait_until_said(&format!("{id} spooled"), 1);
    rig.wait_until_said(" spooled", 2);
    rig.scene().s3(Fault::Pass);
    arrives(&rig);
    rig.end();
}

#[test]
fn spooled_reports_are_acknowledged_without_asking_storage() {
    let rig = Scene::new().start(&[SPOOL[0], SPOOL[1], ("CRASHMOVER_ACKNOWLEDGE", "spooled")]);
    rig.scene().s3(Fault::Hang);
    for (answer, _) in rig.submit_all(0..5) {
        assert_eq!(answer.status, 200);
    }
    assert_eq!(rig.spool_entries(), 5);
    rig.scene().s3(Fault::Pass);
    arrives(&rig);
    rig.end();
}

#[test]
fn a_start_without_storage_takes_reports_all_the_same() {
    let scene = Scene::new();
    scene.s3(Fault::Refuse);
    let rig = scene.start(&IN_TIME);
    assert!(rig.says("storage or queue is away: reports go to the spool until it is back"));
    for (answer, _) in rig.submit_all(0..3) {
        assert_eq!(answer.status, 200);
    }
    rig.scene().s3(Fault::Pass);
    arrives(&rig);
    rig.end();
}

#[test]
fn what_one_process_spooled_the_next_one_saves() {
    let scene = Scene::new();
    let spool = tempfile::tempdir().unwrap();
    let spool = spool.path().display().to_string();
    let settings = [("CRASHMOVER_SPOOL_DIR", spool.as_str()), SPOOL[1]];
    let rig = scene.start(&settings);
    rig.scene().s3(Fault::Refuse);
    for (answer, _) in rig.submit_all(0..4) {
        assert_eq!(answer.status, 200);
    }
    // A mover or the spool may be saving it when the process stops; either way it stays in the spool.
    rig.carry(-4);
    let promised = rig.promised();
    let first = rig.end();
    let scene = first.scene.expect("a test with S3");
    scene.s3(Fault::Pass);
    let rig = scene.start(&settings);
    rig.carry(4);
    rig.expect(promised);
    rig.assert_all_arrive();
    let second = rig.end();
    assert_eq!(
        (first.books.outcome("kept"), second.books.fate("saved")),
        (4, 4)
    );
    assert_eq!(
        std::fs::read_dir(format!("{spool}/save")).unwrap().count(),
        0
    );
}

#[test]
fn two_collectors_do_not_share_a_spool() {
    let rig = Scene::new().start(&SPOOL);
    let spool = rig.collector.folder().join("spool").display().to_string();
    let given = settings(&[("CRASHMOVER_SPOOL_DIR", spool.as_str())]);
    let failed = TestCollector::try_start(&[rig.scene().settings(), given].concat());
    let log = failed.err().expect("no start").log.join("\n");
    assert!(log.contains("Unhandled startup exception"), "{log}");
    assert!(log.contains("another process has this spool"), "{log}");
    rig.end();
}
