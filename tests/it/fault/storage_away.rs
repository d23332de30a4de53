//! S3 refuses, hangs, is slow or breaks off, and there is no spool: a client is told the truth in time, nothing half-saved
//! is visible, nothing is lost in silence, and the process goes on.

use std::time::{Duration, Instant};

use super::rig::{Rig, assert_not_kept, assert_overloaded};
use super::scene::Scene;
use crate::backends::aws::s3_error;
use crate::support::fault_proxy::Fault;

const LATE: &str = "crashmover.saved_late.count";
const DROPPED: &str = "crashmover.save_crash_dropped.count";
/// The saving of one report is given up quickly.
const IMPATIENT: [(&str, &str); 2] = [
    ("CRASHMOVER_MAX_ATTEMPTS", "2"),
    ("CRASHMOVER_RETRY_SLEEP_SECONDS", "0"),
];
/// Saving goes on long after the client was answered.
const PATIENT: [(&str, &str); 4] = [
    ("CRASHMOVER_MAX_ATTEMPTS", "1000"),
    ("CRASHMOVER_RETRY_SLEEP_SECONDS", "0.05"),
    ("CRASHMOVER_SAVE_TIMEOUT_SECONDS", "1"),
    ("CRASHMOVER_ACK_TIMEOUT_SECONDS", "2"),
];
/// Longer than anybody should wait, shorter than any accident.
const SOON: Duration = Duration::from_secs(20);

fn slow_down() -> Fault {
    s3_error(
        "503 Slow Down",
        "SlowDown",
        "Please reduce your request rate.",
    )
}

#[test]
fn a_client_is_told_no_when_saving_fails_after_all_attempts() {
    let rig = Scene::new().start(&IMPATIENT);
    let faults = [
        Fault::Refuse,
        slow_down(),
        Fault::CutRequestAfter(1000),
        Fault::CutAnswerAfter(0),
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        rig.scene().s3(fault);
        assert_not_kept(&rig.submit(number));
    }
    rig.assert_none_visible();
    rig.wait_until_said("dropped: it could not be saved", 4);
    rig.wait_until_said("SlowDown", 1);
    rig.scene().s3(Fault::Pass);
    assert_eq!(rig.submit(9).status, 200);
    rig.assert_all_arrive();
    let books = rig.end().books;
    assert_eq!((books.outcome("not_kept"), books.fate("saved")), (4, 1));
    assert_eq!(books.count(DROPPED), 4);
    assert_eq!(books.count("crashmover.save_crash_exception.count"), 8);
}

#[test]
fn a_permanent_failure_is_not_tried_again_and_names_the_permission() {
    let rig = Scene::new().start(&PATIENT);
    rig.scene()
        .s3(s3_error("403 Forbidden", "AccessDenied", "Access Denied"));
    let start = Instant::now();
    assert_not_kept(&rig.submit(0));
    assert!(start.elapsed() < SOON);
    let permission = format!("s3:PutObject on arn:aws:s3:::{}/*", rig.scene().bucket);
    rig.wait_until_said(&permission, 1);
    rig.assert_none_visible();
    rig.scene().s3(Fault::Pass);
    let books = rig.end().books;
    assert_eq!(books.count("crashmover.save_crash_exception.count"), 1);
    assert_eq!(books.count(DROPPED), 1);
}

#[test]
fn storage_that_hangs_costs_a_no_in_time_and_a_save_that_is_late() {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    let faults = [
        Fault::Hang,
        Fault::StopReading,
        Fault::Delay(Duration::from_secs(3600)),
        Fault::AnswerAndHang(half.into()),
    ];
    std::thread::scope(|scope| {
        for fault in faults {
            scope.spawn(|| told_no_and_saved_late(fault));
        }
    });
}

fn told_no_and_saved_late(fault: Fault) {
    let rig = Scene::new().start(&PATIENT);
    rig.scene().s3(fault);
    for (answer, took) in rig.submit_all(0..3) {
        assert_not_kept(&answer);
        assert!(took < SOON, "{took:?}");
    }
    rig.wait_until_said("not saved in time", 3);
    rig.assert_none_visible();
    assert_eq!(rig.collector.get("/__lbheartbeat__").status, 200);
    rig.scene().s3(Fault::Pass);
    rig.wait_until_said("saved late", 3);
    assert_eq!(rig.submit(3).status, 200);
    rig.assert_all_arrive();
    let ended = rig.end();
    assert_eq!(ended.books.count(LATE), 3);
    assert_eq!(ended.books.count(DROPPED), 0);
    assert_eq!(ended.books.fate("saved"), 1);
    let scene = ended.scene.expect("a test with S3");
    assert_eq!(scene.messages().len(), 5, "four ids and the test message");
}

#[test]
fn slow_storage_makes_slow_answers_and_nothing_worse() {
    let rig = Scene::new().start(&[]);
    rig.scene().s3(Fault::Delay(Duration::from_millis(200)));
    for (answer, took) in rig.submit_all(0..6) {
        assert_eq!(answer.status, 200);
        assert!(took >= Duration::from_millis(400), "{took:?}");
    }
    rig.assert_all_arrive();
    let books = rig.end().books;
    assert_eq!((books.outcome("kept"), books.fate("saved")), (6, 6));
}

#[test]
fn a_client_never_hears_of_an_outage_that_is_over_in_time() {
    for fault in [Fault::Refuse, slow_down(), Fault::CutAnswerAfter(0)] {
        let rig = Scene::new().start(&[("CRASHMOVER_RETRY_SLEEP_SECONDS", "0.05")]);
        saved_when_mended(&rig, |scene| scene.s3(fault), |scene| scene.s3(Fault::Pass));
        rig.end();
    }
}

#[test]
fn a_bucket_that_is_missing_for_a_while_is_an_outage() {
    let rig = Scene::new().start(&[("CRASHMOVER_RETRY_SLEEP_SECONDS", "0.05")]);
    saved_when_mended(&rig, Scene::delete_bucket, Scene::make_bucket);
    let log = rig.end().log.join("\n");
    assert!(log.contains("NoSuchBucket"), "{log}");
}

/// The client waits meanwhile.
fn saved_when_mended(rig: &Rig, broken: impl FnOnce(&Scene), mended: impl FnOnce(&Scene)) {
    broken(rig.scene());
    std::thread::scope(|scope| {
        let client = scope.spawn(|| rig.submit(0));
        rig.wait_until_said("not saved yet, will be tried again", 2);
        mended(rig.scene());
        assert_eq!(client.join().unwrap().status, 200);
    });
    rig.assert_all_arrive();
}

#[test]
fn queued_reports_are_tried_for_as_long_as_it_takes_and_nothing_more_is_let_in() {
    let rig = Scene::new().start(&[
        IMPATIENT[0],
        IMPATIENT[1],
        ("CRASHMOVER_ACKNOWLEDGE", "queued"),
    ]);
    rig.scene()
        .s3(s3_error("403 Forbidden", "AccessDenied", "Access Denied"));
    assert_eq!(rig.submit(0).status, 200);
    rig.wait_until_said("not saved yet, will be tried again", 3);
    assert_overloaded(&rig.submit(1));
    rig.assert_none_visible();
    rig.scene().s3(Fault::Pass);
    rig.assert_all_arrive();
    assert_eq!(rig.submit(2).status, 200);
    rig.assert_all_arrive();
    let books = rig.end().books;
    assert_eq!((books.fate("saved"), books.count(DROPPED)), (2, 0));
}
