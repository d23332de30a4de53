//! From spool to storage to queue: each lets go only when the next one has it.

use std::pin::pin;
use std::sync::atomic::AtomicBool;

use super::*;
use crate::disk::testing::Operation;

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_stays_until_storage_has_the_report() {
    let scene = Scene::new(Acknowledge::Spooled, true).await;
    scene.storage_refuses(true);
    assert_eq!(scene.take(&report()).await, Ok(Receipt));
    let tried = || scene.store.attempts.load(Ordering::SeqCst);
    eventually("tried again and again", || tried() >= 3).await;
    assert_eq!(scene.spool().stats().save.entries, 1);
    assert_eq!(scene.total(Count::Fate(Fate::Saved)), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_stays_in_the_spool_until_the_queue_has_it() {
    for acknowledge in [Acknowledge::Saved, Acknowledge::Spooled] {
        let scene = hanging_queue(acknowledge).await;
        assert_eq!(scene.take(&report()).await, Ok(Receipt));
        let asked = || scene.queue.calls.load(Ordering::SeqCst);
        eventually("the queue is asked", || asked() > 0).await;
        assert_eq!(scene.spool().stats().publish.entries, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_yes_before_the_spool_remembers_the_id() {
    let scene = Scene::build(Wanted {
        ack_timeout: Duration::from_secs(60),
        ..Wanted::new(Acknowledge::Saved, true)
    })
    .await;
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let is_asked = Arc::new(AtomicBool::new(false));
    let asked = is_asked.clone();
    scene.disk.watch(move |operation| {
        // The spool looks for room now and then, whatever becomes of a report.
        if Operation::CHANGING.contains(&operation) {
            asked.store(true, Ordering::SeqCst);
            let _ = held.lock().unwrap().recv();
        }
    });
    let report = report();
    let mut taking = pin!(scene.take(&report));
    let writing = eventually("it is written", || is_asked.load(Ordering::SeqCst));
    tokio::select! {
        answer = &mut taking => panic!("{answer:?} before the id is on disk"),
        () = writing => {}
    }
    assert!(scene.is_saved(&report));
    assert!(taking.as_mut().now_or_never().is_none());
    drop(release);
    assert_eq!(taking.await, Ok(Receipt));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_the_spool_could_not_take_is_remembered_at_the_stop() {
    let scene = hanging_queue(Acknowledge::Saved).await;
    let full = std::io::ErrorKind::StorageFull;
    scene.disk.fail(Operation::Create, 1, full);
    assert_eq!(scene.take(&report()).await, Ok(Receipt));
    let asked = || scene.queue.calls.load(Ordering::SeqCst);
    eventually("the queue is asked", || asked() > 0).await;
    let spool = scene.spool().clone();
    assert_eq!(spool.stats().publish.entries, 0);
    let (leftover, _dir) = scene.stop().await;
    assert!(leftover.unpublished.is_empty());
    assert_eq!(spool.stats().publish.entries, 1);
}

async fn hanging_queue(acknowledge: Acknowledge) -> Scene {
    Scene::build(Wanted {
        mood: Mood::Hangs,
        ..Wanted::new(acknowledge, true)
    })
    .await
}
