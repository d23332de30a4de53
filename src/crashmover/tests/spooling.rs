//! Storage in trouble, with a spool: what clients are told, how soon, and what it costs in memory.

use std::io;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::scene::report_with;
use super::*;
use crate::disk::testing::Operation;

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

/// The budget may have been lowered since the report was acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_is_larger_than_the_budget_leaves_the_spool_all_the_same() {
    let scene = Scene::build(Wanted {
        spool_bytes: Some(8 << 20),
        ..Wanted::new(Acknowledge::Saved, true)
    })
    .await;
    let report = report_with(vec![0; 3 << 20].into());
    drop(scene.spool().put(&report).await.unwrap());
    eventually("published", || scene.is_published(&report)).await;
    assert!(scene.is_saved(&report));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_the_spool_does_not_wait_in_memory_too() {
    let scene = Scene::build(Wanted {
        queue_size: 100,
        ..Wanted::new(Acknowledge::Spooled, true)
    })
    .await;
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
async fn a_report_whose_fsync_fails_in_the_spool_is_not_acknowledged() {
    let scene = Scene::new(Acknowledge::Spooled, true).await;
    scene.storage_refuses(true);
    let reports = [report(), report(), report(), report()];
    let mut answers = Vec::new();
    for (number, report) in reports.iter().enumerate() {
        if number == 2 {
            let error = io::ErrorKind::Other;
            scene.disk.fail_all(Operation::SyncFile, error);
        }
        answers.push(scene.take(report).await);
        scene.disk.heal();
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

#[tokio::test(flavor = "multi_thread")]
async fn storage_that_flaps_is_waited_for_once() {
    let scene = Scene::build(Wanted {
        ack_timeout: Duration::from_secs(4),
        ..Wanted::new(Acknowledge::Saved, true)
    })
    .await;
    let hanging = scene.storage_hangs().await;
    assert_eq!(scene.take(&report()).await, Ok(Receipt));
    drop(hanging);
    for _ in 0..3 {
        let spool = scene.spool();
        eventually("all is saved", || spool.stats().save.entries == 0).await;
        let _hanging = scene.storage_hangs().await;
        let started = Instant::now();
        assert_eq!(scene.take(&report()).await, Ok(Receipt));
        assert!(started.elapsed() < Duration::from_secs(2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn storage_that_is_first_after_all_answers_although_the_spool_hangs() {
    let scene = Scene::build(Wanted {
        is_silent: true,
        ack_timeout: Duration::from_secs(3),
        ..Wanted::new(Acknowledge::Saved, true)
    })
    .await;
    let is_tried = Arc::new(AtomicBool::new(false));
    let tried = is_tried.clone();
    scene.disk.watch(move |operation| {
        if operation == Operation::SyncFile {
            tried.store(true, Ordering::SeqCst);
            std::thread::sleep(Duration::from_secs(4));
        }
    });
    let hanging = scene.storage_hangs().await;
    let report = report();
    let started = Instant::now();
    let opening = async {
        eventually("the spool is tried", || is_tried.load(Ordering::SeqCst)).await;
        drop(hanging);
    };
    let (answer, ()) = tokio::join!(scene.take(&report), opening);
    assert_eq!(answer, Ok(Receipt));
    assert!(started.elapsed() < Duration::from_secs(3));
    let spool = scene.spool();
    eventually("balanced", || {
        spool.stats().save.entries == 0 && scene.unaccounted() == 0
    })
    .await;
    assert_eq!(scene.total(Count::Fate(Fate::Saved)), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failure_is_tried_again_where_the_spool_is_full() {
    let scene = Scene::build(Wanted {
        spool_bytes: Some(0),
        ..Wanted::new(Acknowledge::Saved, true)
    })
    .await;
    scene.store.failures.store(1, Ordering::SeqCst);
    let report = report();
    assert_eq!(scene.take(&report).await, Ok(Receipt));
    assert!(scene.is_saved(&report));
    scene.storage_refuses(true);
    assert_eq!(scene.take(&report).await, Err(NotKept::SpoolFull));
    eventually("said", || scene.total(Count::SaveCrashDropped) == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_counts_as_taken_until_the_last_holder_lets_go() {
    let scene = Scene::new(Acknowledge::Saved, true).await;
    let hanging = scene.storage_hangs().await;
    let reports = [report(), report()];
    for answer in scene.take_all(&reports).await {
        assert_eq!(answer, Ok(Receipt));
    }
    assert_eq!(scene.spool().stats().save.entries, 2);
    // Both movers hang, and hold what they are saving.
    let budget = scene.crashmover.budget();
    assert!(budget.in_flight_bytes() >= 2 * 4096);
    drop(hanging);
    eventually("memory given back", || budget.in_flight_bytes() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_two_have_is_saved_and_published_once() {
    let scene = Scene::new(Acknowledge::Saved, true).await;
    let hanging = scene.storage_hangs().await;
    let reports = [report(), report()];
    scene.take_all(&reports).await;
    drop(hanging);
    for report in &reports {
        eventually("published", || scene.is_published(report)).await;
    }
    eventually("balanced", || scene.unaccounted() == 0).await;
    let spool = scene.spool();
    eventually("empty", || spool.stats().save.entries == 0).await;
    assert_eq!(scene.store.attempts.load(Ordering::SeqCst), 2);
    assert_eq!(scene.total(Count::Fate(Fate::Saved)), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_in_which_nothing_is_tried_any_more_is_told_too() {
    let scene = Scene::new(Acknowledge::Saved, true).await;
    let _hanging = scene.storage_hangs().await;
    assert_eq!(scene.take(&report()).await, Ok(Receipt));
    let health = &scene.crashmover.storage_health;
    health.age(Duration::from_secs(61));
    assert_eq!(scene.take(&report()).await, Ok(Receipt));
    assert_eq!(health.long_outage(), None, "it has been told already");
    health.worked();
    health.failed();
    health.age(Duration::from_secs(61));
    assert!(health.long_outage().is_some());
}
