//! `/__heartbeat__` says whether a report could be kept now; `/__lbheartbeat__` only that somebody is there.

use super::overload::{SMALL, while_full};
use super::rig::{Rig, SPOOL, assert_overloaded};
use super::scene::Scene;
use crate::support::canonical_json::parse;
use crate::support::fault_proxy::Fault;
use crate::support::wait::wait_for;

/// The names of the checks that fail, after the message of each was looked at.
fn problems(rig: &Rig, words: &[&str]) -> Option<Vec<String>> {
    assert_eq!(rig.collector.get("/__lbheartbeat__").status, 200);
    let answer = rig.collector.get("/__heartbeat__");
    let document = parse(&answer.body).unwrap();
    let errors = document["errors"].as_array().expect("a list of errors");
    assert_eq!(answer.status, if errors.is_empty() { 200 } else { 503 });
    let said = answer.text();
    let is_as_expected = words.iter().all(|word| said.contains(word));
    let name = |error: &serde_json::Value| {
        assert!(error["msg"].is_string(), "{said}");
        error["name"].as_str().expect("a name").to_owned()
    };
    is_as_expected.then(|| errors.iter().map(name).collect())
}

/// Answers are remembered for a few seconds.
fn wait_for_problems(rig: &Rig, expected: &[&str], words: &[&str]) {
    wait_for(
        &format!("a heartbeat with {expected:?} and {words:?}"),
        || (problems(rig, words)? == expected).then_some(()),
    );
}

#[test]
fn the_heartbeat_tells_what_is_away_and_when_it_is_back() {
    let rig = Scene::new().start(&[]);
    wait_for_problems(&rig, &[], &[]);
    rig.scene().s3(Fault::Refuse);
    wait_for_problems(&rig, &["storage"], &[&rig.scene().bucket, "refused"]);
    rig.scene().sqs(Fault::Refuse);
    wait_for_problems(&rig, &["storage", "queue"], &[&rig.scene().queue]);
    rig.scene().s3(Fault::Pass);
    wait_for_problems(&rig, &["queue"], &[]);
    rig.scene().sqs(Fault::Pass);
    wait_for_problems(&rig, &[], &[]);
    rig.end();
}

#[test]
fn the_heartbeat_tells_of_a_bucket_or_queue_that_is_gone() {
    let rig = Scene::new().start(&[]);
    rig.scene().delete_bucket();
    wait_for_problems(&rig, &["storage"], &[&rig.scene().bucket]);
    rig.scene().make_bucket();
    rig.scene().delete_queue();
    wait_for_problems(&rig, &["queue"], &[&rig.scene().queue]);
    rig.scene().make_queue();
    wait_for_problems(&rig, &[], &[]);
    rig.end();
}

#[test]
fn the_heartbeat_answers_while_storage_and_queue_hang() {
    let rig = Scene::new().start(&[]);
    rig.scene().s3(Fault::Hang);
    rig.scene().sqs(Fault::StopReading);
    wait_for_problems(&rig, &["storage", "queue"], &["no answer"]);
    rig.scene().s3(Fault::Pass);
    rig.scene().sqs(Fault::Pass);
    wait_for_problems(&rig, &[], &[]);
    rig.end();
}

#[test]
fn many_probes_are_one_look_at_storage() {
    let rig = Scene::new().start(&[]);
    wait_for_problems(&rig, &[], &[]);
    let before = rig.scene().s3_connections();
    for _ in 0..50 {
        assert_eq!(rig.collector.get("/__heartbeat__").status, 200);
    }
    // moto closes each connection after one answer. Fifty answers may take a few seconds on a busy machine.
    let looks = rig.scene().s3_connections() - before;
    assert!(looks <= 10, "{looks} looks for 50 probes");
    rig.end();
}

#[test]
fn with_room_in_the_spool_reports_can_be_kept_whatever_is_away() {
    let rig = Scene::new().start(&SPOOL);
    rig.scene().s3(Fault::Refuse);
    rig.scene().sqs(Fault::Refuse);
    assert_eq!(rig.submit(0).status, 200);
    assert_eq!(problems(&rig, &[]), Some(Vec::new()));
    rig.scene().s3(Fault::Pass);
    rig.scene().sqs(Fault::Pass);
    rig.assert_all_arrive();
    rig.end();
}

#[test]
fn the_heartbeat_tells_that_memory_is_too_small_for_a_report() {
    for more in [&[][..], &SPOOL] {
        let small = [("BREAKPAD_MAX_IN_FLIGHT_BYTES", "16384")];
        let rig = Scene::new().start(&[&small, more].concat());
        assert_overloaded(&rig.submit(0));
        wait_for_problems(&rig, &["memory"], &["BREAKPAD_MAX_IN_FLIGHT_BYTES"]);
        rig.end();
    }
}

#[test]
fn a_spool_without_room_for_a_report_makes_up_for_nothing() {
    let little = [("CRASHMOVER_SPOOL_MAX_BYTES", "8192")];
    let rig = Scene::new().start(&[&little[..], &SPOOL].concat());
    wait_for_problems(&rig, &[], &[]);
    rig.scene().s3(Fault::Refuse);
    wait_for_problems(&rig, &["storage"], &["refused"]);
    assert_overloaded(&rig.submit(0));
    rig.scene().s3(Fault::Pass);
    rig.end();
}

#[test]
fn the_heartbeat_tells_that_the_queue_is_stuck() {
    let rig = Scene::new().start(&SMALL);
    while_full(&rig, || {
        wait_for_problems(&rig, &["save_queue", "storage"], &["wait to be saved"]);
    });
    wait_for_problems(&rig, &[], &[]);
    rig.end();
}
