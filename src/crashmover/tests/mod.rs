//! The crashmover as a whole, with stores and queues that fail on demand.

mod scene;

use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::*;
use crate::disk::testing::Operation;
use crate::metrics::{Count, Fate};
use scene::{Scene, eventually, report};

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_saved_and_published() {
    let scene = Scene::new(Acknowledge::Saved, false).await;
    let report = report();
    assert_eq!(scene.take(&report).await, Ok(Receipt));
    assert!(scene.is_saved(&report));
    eventually("published", || scene.is_published(&report)).await;
    eventually("memory given back", || {
        scene.crashmover.budget().in_flight_bytes() == 0
    })
    .await;
    assert_eq!(scene.total(Count::Fate(Fate::Saved)), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn transient_failures_are_tried_again_and_then_the_client_is_told() {
    let scene = Scene::new(Acknowledge::Saved, false).await;
    scene.storage_refuses(true);
    assert_eq!(scene.take(&report()).await, Err(NotKept::SaveFailed));
    assert_eq!(scene.store.attempts.load(Ordering::SeqCst), 3);
    assert_eq!(scene.total(Count::SaveCrashDropped), 1);
    scene.store.is_permanent.store(true, Ordering::SeqCst);
    assert_eq!(scene.take(&report()).await, Err(NotKept::SaveFailed));
    assert_eq!(scene.store.attempts.load(Ordering::SeqCst), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_that_comes_too_late_is_counted_and_published() {
    let scene = Scene::new(Acknowledge::Saved, false).await;
    let hanging = scene.storage_hangs().await;
    let report = report();
    assert_eq!(scene.take(&report).await, Err(NotKept::TooSlow));
    drop(hanging);
    eventually("published", || scene.is_published(&report)).await;
    assert_eq!(scene.total(Count::SavedLate), 1);
    assert_eq!(scene.total(Count::Fate(Fate::Saved)), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_says_so() {
    let scene = Scene::new(Acknowledge::Queued, false).await;
    let hanging = scene.storage_hangs().await;
    let reports: Vec<_> = (0..4).map(|_| report()).collect();
    for report in &reports {
        assert_eq!(scene.take(report).await, Ok(Receipt));
        eventually("movers are busy", || {
            scene.store.attempts.load(Ordering::SeqCst) >= 1
        })
        .await;
    }
    eventually("the queue is full", || !scene.crashmover.has_room()).await;
    assert_eq!(scene.take(&report()).await, Err(NotKept::QueueFull));
    drop(hanging);
    for report in &reports {
        eventually("saved", || scene.is_saved(report)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_would_be_saved_too_late_is_refused_at_once() {
    let scene = Scene::new(Acknowledge::Saved, false).await;
    let _hanging = scene.storage_hangs().await;
    scene.crashmover.pace.saved(Duration::from_secs(60));
    // Two movers are busy with two of them, the third waits.
    for _ in 0..3 {
        assert!(scene.crashmover.has_room());
        assert_eq!(scene.take(&report()).await, Err(NotKept::TooSlow));
    }
    assert!(!scene.crashmover.has_room());
    assert_eq!(scene.take(&report()).await, Err(NotKept::QueueFull));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_down_delays_nobody_and_gets_every_id_later() {
    let scene = Scene::new(Acknowledge::Saved, false).await;
    scene.queue.refuses.store(true, Ordering::SeqCst);
    let reports: Vec<_> = (0..20).map(|_| report()).collect();
    for report in &reports {
        assert_eq!(scene.take(report).await, Ok(Receipt));
    }
    assert_eq!(scene.crashmover.sizes().publish_queue, 20);
    assert!(scene.crashmover.sizes().publish_oldest > Duration::ZERO);
    scene.queue.refuses.store(false, Ordering::SeqCst);
    for report in &reports {
        eventually("published", || scene.is_published(report)).await;
    }
    eventually("nothing waits", || {
        scene.crashmover.sizes().publish_oldest == Duration::ZERO
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn storage_that_refuses_or_hangs_fills_the_spool_and_empties_it_later() {
    let scene = Scene::new(Acknowledge::Saved, true).await;
    scene.storage_refuses(true);
    let refused = report();
    assert_eq!(scene.take(&refused).await, Ok(Receipt));
    scene.storage_refuses(false);
    eventually("published", || scene.is_published(&refused)).await;
    assert!(scene.is_saved(&refused));

    let hanging = scene.storage_hangs().await;
    let reports: Vec<_> = (0..12).map(|_| report()).collect();
    for report in &reports {
        assert_eq!(scene.take(report).await, Ok(Receipt));
    }
    drop(hanging);
    for report in &reports {
        eventually("published", || scene.is_published(report)).await;
        assert!(scene.is_saved(report));
    }
    let spool = scene.spool.as_ref().unwrap();
    eventually("empty", || {
        spool.stats().save.entries + spool.stats().publish.entries == 0
    })
    .await;
    assert_eq!(scene.total(Count::Fate(Fate::Saved)), 13);
    assert_eq!(scene.total(Count::SaveCrashDropped), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_saved_before_the_stop_is_spooled() {
    let scene = Scene::new(Acknowledge::Queued, true).await;
    let _hanging = scene.storage_hangs().await;
    let reports: Vec<_> = (0..4).map(|_| report()).collect();
    for report in &reports {
        assert_eq!(scene.take(report).await, Ok(Receipt));
    }
    let leftover = scene
        .crashmover
        .drain(Duration::from_millis(400), &CancellationToken::new())
        .await;
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
async fn spooled_reports_are_kept_while_storage_is_away() {
    let scene = Scene::new(Acknowledge::Spooled, true).await;
    scene.storage_refuses(true);
    let reports: Vec<_> = (0..10).map(|_| report()).collect();
    for report in &reports {
        assert_eq!(scene.take(report).await, Ok(Receipt));
    }
    scene.storage_refuses(false);
    for report in &reports {
        eventually("published", || scene.is_published(report)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_the_spool_does_not_wait_in_memory_too() {
    let scene = Scene::with_queue_of(Acknowledge::Spooled, 100).await;
    let hanging = scene.storage_hangs().await;
    let reports: Vec<_> = (0..30).map(|_| report()).collect();
    for report in &reports {
        assert_eq!(scene.take(report).await, Ok(Receipt));
        // Two are being saved, two wait for a mover, one comes back from the spool: each takes a page of 4 KiB.
        assert!(scene.crashmover.sizes().save_queue <= 2);
        assert!(scene.crashmover.budget().in_flight_bytes() <= 5 * 4096);
    }
    drop(hanging);
    for report in &reports {
        eventually("published", || scene.is_published(report)).await;
    }
    assert_eq!(scene.total(Count::Fate(Fate::Saved)), 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_report_that_cannot_be_saved_goes_to_the_spool() {
    let scene = Scene::new(Acknowledge::Queued, true).await;
    scene.storage_refuses(true);
    let report = report();
    assert_eq!(scene.take(&report).await, Ok(Receipt));
    let spool = scene.spool.as_ref().unwrap();
    eventually("spooled", || spool.stats().save.entries == 1).await;
    assert_eq!(scene.total(Count::SaveCrashDropped), 0);
    scene.storage_refuses(false);
    eventually("published", || scene.is_published(&report)).await;
    assert!(scene.is_saved(&report));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_report_is_tried_again_where_the_spool_is_full() {
    let scene = Scene::with_spool_of(Acknowledge::Queued, 0).await;
    scene.storage_refuses(true);
    assert_eq!(scene.take(&report()).await, Ok(Receipt));
    eventually("given up", || scene.total(Count::SaveCrashDropped) == 1).await;
    // Once before the spool was asked, then as often as without one.
    assert_eq!(scene.store.attempts.load(Ordering::SeqCst), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_whose_fsync_fails_in_the_spool_is_not_acknowledged() {
    let scene = Scene::new(Acknowledge::Spooled, true).await;
    scene.storage_refuses(true);
    scene
        .disk
        .fail(Operation::SyncFile, 3, io::ErrorKind::Other);
    let reports = [report(), report(), report(), report()];
    let mut answers = Vec::new();
    for report in &reports {
        answers.push(scene.take(report).await);
    }
    let kept = [
        Ok(Receipt),
        Ok(Receipt),
        Err(NotKept::SpoolFull),
        Ok(Receipt),
    ];
    assert_eq!(answers, kept);
    scene.storage_refuses(false);
    for report in [&reports[0], &reports[1], &reports[3]] {
        eventually("published", || scene.is_published(report)).await;
    }
    assert!(!scene.is_saved(&reports[2]));
    assert_eq!(scene.total(Count::SaveCrashDropped), 1);
}
