//! The stop: nothing that is acknowledged is lost, nobody is acknowledged for nothing, and the time is used.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::*;
use crate::disk::testing::Operation;

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_saved_before_the_stop_is_spooled() {
    let scene = Scene::new(Acknowledge::Queued, true).await;
    let _hanging = scene.storage_hangs().await;
    let reports: Vec<_> = (0..4).map(|_| report()).collect();
    for report in &reports {
        assert_eq!(scene.take(report).await, Ok(Receipt));
    }
    let leftover = scene.crashmover.drain(PATIENCE, &in_a_hurry()).await;
    assert!(leftover.unsaved.is_empty());
    assert_eq!(scene.spool.as_ref().unwrap().stats().save.entries, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_spool_what_is_left_is_named() {
    let scene = Scene::new(Acknowledge::Queued, false).await;
    let _hanging = scene.storage_hangs().await;
    let report = report();
    assert_eq!(scene.take(&report).await, Ok(Receipt));
    let leftover = scene
        .crashmover
        .drain(Duration::from_millis(300), &CancellationToken::new())
        .await;
    assert_eq!(leftover.unsaved, [report.id]);
    assert_eq!(scene.total(Count::Fate(Fate::Failed)), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_after_the_stop_is_in_the_spool_or_refused() {
    for (acknowledge, has_spool) in [
        (Acknowledge::Queued, true),
        (Acknowledge::Saved, true),
        (Acknowledge::Spooled, true),
        (Acknowledge::Queued, false),
        (Acknowledge::Saved, false),
    ] {
        let scene = Scene::new(acknowledge, has_spool).await;
        let _hanging = scene.storage_hangs().await;
        let early = report();
        let hurry = CancellationToken::new();
        let late: Vec<_> = (0..30).map(|_| report()).collect();
        let stopping = async {
            let early = scene.take(&early);
            let drain = scene.crashmover.drain(Duration::from_secs(2), &hurry);
            tokio::join!(early, drain)
        };
        let coming = async {
            let mut answers = Vec::new();
            for report in &late {
                answers.push(scene.take(report).await);
            }
            answers
        };
        let ((early, leftover), answers) = tokio::join!(stopping, coming);
        let acknowledged = answers
            .iter()
            .chain([&early])
            .filter(|it| it.is_ok())
            .count();
        let spooled = if has_spool {
            scene.spool().stats().save.entries
        } else {
            0
        };
        assert!(
            leftover.unsaved.len() + spooled >= acknowledged,
            "{acknowledge:?}"
        );
        if has_spool {
            assert_eq!(acknowledged, 31, "{acknowledge:?}");
            assert!(leftover.unsaved.is_empty());
        } else {
            assert!(matches!(answers.last(), Some(Err(NotKept::QueueFull))));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_put_into_the_spool_at_once_and_within_the_time() {
    let scene = Scene::build(Wanted {
        queue_size: 200,
        spool_bytes: Some(1 << 30),
        ..Wanted::new(Acknowledge::Queued, true)
    })
    .await;
    let _hanging = scene.storage_hangs().await;
    let reports: Vec<_> = (0..150).map(|_| report()).collect();
    assert!(scene.take_all(&reports).await.iter().all(Result::is_ok));
    scene.disk.watch(|operation| {
        if matches!(operation, Operation::SyncFile | Operation::SyncFolder) {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let started = Instant::now();
    let time = Duration::from_secs(4);
    let leftover = scene
        .crashmover
        .drain(time, &CancellationToken::new())
        .await;
    assert_eq!((leftover.spooled.len(), leftover.unsaved.len()), (150, 0));
    assert!(started.elapsed() < time);
    assert_eq!(scene.total(Count::Fate(Fate::Spooled)), 150);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spool_that_hangs_does_not_hold_up_the_end() {
    let scene = Scene::build(Wanted {
        queue_size: 3,
        ..Wanted::new(Acknowledge::Queued, true)
    })
    .await;
    let _hanging = scene.storage_hangs().await;
    let reports: Vec<_> = (0..3).map(|_| report()).collect();
    assert!(scene.take_all(&reports).await.iter().all(Result::is_ok));
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    scene.disk.watch(move |_| {
        let _ = held.lock().unwrap().recv();
    });
    let started = Instant::now();
    let time = Duration::from_millis(800);
    let leftover = scene
        .crashmover
        .drain(time, &CancellationToken::new())
        .await;
    assert_eq!(leftover.unsaved.len(), 3);
    assert!(started.elapsed() < Duration::from_secs(20));
    drop(release);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_waits_at_the_stop_is_told_of_the_spool() {
    let scene = Scene::build(Wanted {
        ack_timeout: Duration::from_secs(60),
        ..Wanted::new(Acknowledge::Saved, true)
    })
    .await;
    let _hanging = scene.storage_hangs().await;
    let reports = [report(), report()];
    let stop = async {
        eventually("both are being saved", || {
            scene.store.attempts.load(Ordering::SeqCst) == 2
        })
        .await;
        scene.crashmover.drain(PATIENCE, &in_a_hurry()).await
    };
    let (answers, leftover) = tokio::join!(scene.take_all(&reports), stop);
    assert_eq!(answers, [Ok(Receipt), Ok(Receipt)]);
    assert_eq!(leftover.spooled.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_yes_on_the_strength_of_memory_once_the_process_stops() {
    let scene = Scene::new(Acknowledge::Queued, false).await;
    let _hanging = scene.storage_hangs().await;
    let hurry = CancellationToken::new();
    let coming = async {
        eventually("it stops", || scene.crashmover.stop.is_cancelled()).await;
        scene.take(&report()).await
    };
    let stopping = async {
        // Both movers hang, so nobody closes the queue for a while.
        for number in 1..=2 {
            assert_eq!(scene.take(&report()).await, Ok(Receipt));
            eventually("it is being saved", || {
                scene.crashmover.sizes().work_queue == number
            })
            .await;
        }
        scene.crashmover.drain(Duration::from_secs(2), &hurry).await
    };
    let (answer, leftover) = tokio::join!(coming, stopping);
    assert_eq!(answer, Err(NotKept::QueueFull));
    assert_eq!(leftover.unsaved.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stop_waits_until_those_who_came_late_are_told() {
    let scene = Scene::new(Acknowledge::Spooled, true).await;
    let is_begun = Arc::new(AtomicBool::new(false));
    let begun = is_begun.clone();
    scene.disk.watch(move |operation| {
        if operation == Operation::SyncFile {
            begun.store(true, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(400));
        }
    });
    let is_told = AtomicBool::new(false);
    let coming = async {
        assert_eq!(scene.take(&report()).await, Ok(Receipt));
        is_told.store(true, Ordering::SeqCst);
    };
    let stopping = async {
        eventually("it is being written", || is_begun.load(Ordering::SeqCst)).await;
        let hurry = CancellationToken::new();
        scene.crashmover.drain(PATIENCE, &hurry).await;
        assert!(is_told.load(Ordering::SeqCst));
    };
    tokio::join!(coming, stopping);
}
