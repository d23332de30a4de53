//! SQS is away for a while: no client notices, and every saved id is in the queue afterwards.

use std::time::Duration;

use super::flaky_queue::FlakyQueue;
use super::rig::{Rig, SPOOL};
use super::scene::Scene;
use crate::backends::aws::sqs_error;
use crate::support::fault_proxy::Fault;
use crate::support::wait::wait_for;

const CLIENTS: usize = 9;

fn all_faults() -> Vec<Fault> {
    vec![
        Fault::Refuse,
        Fault::Hang,
        Fault::StopReading,
        Fault::CutRequestAfter(100),
        Fault::CutAnswerAfter(0),
        sqs_error("503 Service Unavailable", "ServiceUnavailable", "Later"),
        sqs_error("400 Bad Request", "AccessDeniedException", "Not authorized"),
    ]
}

#[test]
fn a_queue_that_is_away_delays_no_client_and_gets_every_id_later() {
    for faults in all_faults().chunks(4) {
        std::thread::scope(|scope| {
            for fault in faults {
                scope.spawn(|| {
                    let rig = Scene::new().start(&[("CRASHMOVER_SAVE_TIMEOUT_SECONDS", "2")]);
                    outage(
                        &rig,
                        |scene| scene.sqs(fault.clone()),
                        |scene| scene.sqs(Fault::Pass),
                    );
                    rig.end();
                });
            }
        });
    }
}

#[test]
fn a_queue_that_is_deleted_and_made_again_gets_every_id() {
    let rig = Scene::new().start(&[]);
    outage(&rig, Scene::delete_queue, Scene::make_queue);
    let log = rig.end().log.join("\n");
    assert!(log.contains("NonExistentQueue"), "{log}");
}

#[test]
fn ids_wait_in_the_spool_while_the_queue_is_away() {
    let rig = Scene::new().start(&SPOOL);
    let broken = |scene: &Scene| scene.sqs(Fault::Refuse);
    outage(&rig, broken, |scene| scene.sqs(Fault::Pass));
    rig.wait_until_spool_is_empty();
    rig.end();
}

#[test]
fn ids_that_one_process_could_not_publish_the_next_one_does() {
    let spool = tempfile::tempdir().unwrap();
    let spool = spool.path().display().to_string();
    let settings = [
        ("CRASHMOVER_SPOOL_DIR", spool.as_str()),
        SPOOL[1],
        ("CRASHMOVER_SHUTDOWN_TIMEOUT_SECONDS", "3"),
    ];
    let rig = Scene::new().start(&settings);
    rig.scene().sqs(Fault::Refuse);
    for (answer, _) in rig.submit_all(0..4) {
        assert_eq!(answer.status, 200);
    }
    let promised = rig.promised();
    let first = rig.end();
    assert_eq!((first.books.fate("saved"), first.books.all_fates()), (4, 4));
    assert_eq!(
        first.books.count("crashmover.publish_crash_dropped.count"),
        0
    );
    let scene = first.scene.expect("a test with SQS");
    scene.sqs(Fault::Pass);
    let rig = scene.start(&settings);
    rig.expect(promised);
    rig.assert_all_arrive();
    assert_eq!(rig.end().books.count("crashmover.save_crash.count"), 4);
}

#[test]
fn an_id_that_could_not_be_published_before_the_stop_is_named() {
    let rig = Scene::new().start(&[("CRASHMOVER_SHUTDOWN_TIMEOUT_SECONDS", "3")]);
    rig.scene().sqs(Fault::Refuse);
    let id = rig.submit(0).crash_id().unwrap();
    let ended = rig.end();
    let named = format!("{id} saved, but not published before the process had to stop");
    assert!(ended.log.iter().any(|line| line.contains(&named)));
    assert_eq!(
        ended.books.count("crashmover.publish_crash_dropped.count"),
        1
    );
}

/// Clients before, and clients while the queue is away; then all ids arrive.
fn outage(rig: &Rig, broken: impl FnOnce(&Scene), mended: impl FnOnce(&Scene)) {
    let before = median(rig, 0);
    // A queue that is deleted takes these with it.
    rig.assert_all_arrive();
    broken(rig.scene());
    let meanwhile = median(rig, CLIENTS);
    // Generous: this is about waiting for a queue, which takes seconds, on a machine that is busy with other tests.
    assert!(
        meanwhile < 4 * before + Duration::from_millis(800),
        "{before:?}, then {meanwhile:?}"
    );
    rig.wait_until_said("not published yet, will be tried again", 2);
    mended(rig.scene());
    rig.assert_all_arrive();
}

fn median(rig: &Rig, first: usize) -> Duration {
    let mut times = Vec::new();
    for number in first..first + CLIENTS {
        let (answer, took) = rig.submit_timed(number);
        assert_eq!(answer.status, 200);
        times.push(took);
    }
    times.sort();
    times[times.len() / 2]
}

#[test]
fn what_a_batch_did_not_take_is_sent_again() {
    let scene = Scene::new();
    let queue = FlakyQueue::start(&scene.runtime);
    let rig = scene.start(&[("CRASHMOVER_CRASHPUBLISH_ENDPOINT_URL", &queue.url())]);
    queue.hold();
    let ids: Vec<_> = rig
        .submit_all(0..24)
        .into_iter()
        .map(|(answer, _)| answer.crash_id().expect("a yes"))
        .collect();
    queue.release();
    wait_for("every id is in the queue", || {
        let taken = queue.taken();
        ids.iter().all(|id| taken.contains(id)).then_some(())
    });
    assert!(queue.refused() > 0, "no batch was refused in part");
    let books = rig.end().books;
    assert_eq!(books.count("crashmover.save_crash.count"), 24);
    let failures = books.count("crashmover.publish_crash_exception.count");
    assert_eq!(failures, queue.refused());
}
