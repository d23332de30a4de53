//! The process has to stop while storage is away: what cannot be saved is in the spool for the next process, or named.

use std::time::Duration;

use super::rig::{Rig, SPOOL};
use super::scene::Scene;
use crate::support::fault_proxy::Fault;

const DROPPED: &str = "crashmover.save_crash_dropped.count";
const SHORT: [(&str, &str); 3] = [
    ("CRASHMOVER_SHUTDOWN_TIMEOUT_SECONDS", "3"),
    ("CRASHMOVER_ACK_TIMEOUT_SECONDS", "1"),
    ("CRASHMOVER_ACKNOWLEDGE", "queued"),
];

#[test]
fn a_report_whose_client_was_told_no_is_named_when_it_is_given_up() {
    let rig = Scene::new().start(&SHORT[..2]);
    rig.scene().s3(Fault::Hang);
    for (answer, _) in rig.submit_all(0..2) {
        assert_eq!(answer.status, 500);
    }
    let ended = rig.end();
    assert_eq!(
        (ended.books.outcome("not_kept"), ended.books.count(DROPPED)),
        (2, 2)
    );
    let named = ended
        .log
        .iter()
        .filter(|line| line.contains("dropped: it could not be saved"));
    assert_eq!(named.count(), 2);
}

#[test]
fn without_a_spool_what_was_promised_and_not_saved_is_named() {
    let rig = Scene::new().start(&SHORT);
    let ids = promised_while_away(&rig);
    let ended = rig.end();
    for id in ids {
        let named = format!("{id} dropped: it could not be saved");
        assert!(
            ended.log.iter().any(|line| line.contains(&named)),
            "{named}"
        );
    }
    assert_eq!(
        (ended.books.fate("failed"), ended.books.count(DROPPED)),
        (3, 3)
    );
}

#[test]
fn with_a_spool_what_was_promised_and_not_saved_is_left_to_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().display().to_string();
    let spool = [("CRASHMOVER_SPOOL_DIR", spool.as_str()), SPOOL[1]];
    let rig = Scene::new().start(&[&SHORT[..], &spool].concat());
    promised_while_away(&rig);
    let promised = rig.promised();
    let ended = rig.end();
    assert_eq!(
        (ended.books.fate("spooled"), ended.books.count(DROPPED)),
        (3, 0)
    );
    let scene = ended.scene.expect("a test with S3");
    scene.s3(Fault::Pass);
    let rig = scene.start(&spool);
    rig.carry(3);
    rig.expect(promised);
    rig.assert_all_arrive();
    rig.end();
}

fn promised_while_away(rig: &Rig) -> Vec<String> {
    rig.scene().s3(Fault::Hang);
    let answers = rig.submit_all(0..3).into_iter();
    let ids = answers.map(|(answer, _)| answer.crash_id().expect("a yes"));
    ids.collect()
}

#[test]
fn time_that_requests_do_not_need_is_given_to_what_waits() {
    let rig = Scene::new().start(&[
        ("CRASHMOVER_SHUTDOWN_TIMEOUT_SECONDS", "20"),
        ("CRASHMOVER_CONCURRENT_CRASHMOVERS", "1"),
        ("CRASHMOVER_ACKNOWLEDGE", "queued"),
    ]);
    rig.scene().s3(Fault::Delay(Duration::from_millis(500)));
    for (answer, _) in rig.submit_all(0..6) {
        assert_eq!(answer.status, 200);
    }
    // Nine seconds of work: more than a third of the time.
    let books = rig.end().books;
    assert_eq!((books.fate("saved"), books.count(DROPPED)), (6, 0));
}
