//! The crashmover as a whole, with stores and queues that fail on demand.

mod acknowledged;
mod books;
mod handing_over;
mod hooks;
mod publishing;
mod scene;
mod spooling;
mod stop;

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::*;
use crate::metrics::{Count, Fate};
use hooks::Mood;
use scene::{PATIENCE, Scene, Wanted, eventually, in_a_hurry, large_report, report};

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
    eventually("said", || scene.total(Count::SaveCrashDropped) == 1).await;
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
    scene
        .crashmover
        .wait_estimate
        .saved(Duration::from_secs(60));
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
    scene.queue.is(Mood::Refuses);
    let reports: Vec<_> = (0..20).map(|_| report()).collect();
    for report in &reports {
        assert_eq!(scene.take(report).await, Ok(Receipt));
    }
    assert_eq!(scene.crashmover.sizes().publish_queue, 20);
    assert!(scene.crashmover.sizes().publish_oldest > Duration::ZERO);
    scene.queue.is(Mood::Fine);
    for report in &reports {
        eventually("published", || scene.is_published(report)).await;
    }
    eventually("nothing waits", || {
        scene.crashmover.sizes().publish_oldest == Duration::ZERO
    })
    .await;
}
