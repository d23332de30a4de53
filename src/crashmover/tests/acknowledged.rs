//! What was acknowledged on the strength of memory is tried as long as the process lives, whatever goes wrong.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_report_is_tried_whatever_the_error() {
    for spool_bytes in [None, Some(0)] {
        let scene = Scene::build(Wanted {
            spool_bytes,
            ..Wanted::new(Acknowledge::Queued, false)
        })
        .await;
        scene.storage_refuses(true);
        scene.store.is_permanent.store(true, Ordering::SeqCst);
        let report = report();
        assert_eq!(scene.take(&report).await, Ok(Receipt));
        eventually("more attempts than for others", || {
            scene.store.attempts.load(Ordering::SeqCst) > 4
        })
        .await;
        scene.storage_refuses(false);
        eventually("published", || scene.is_published(&report)).await;
        assert_eq!(scene.total(Count::SaveCrashDropped), 0);
        eventually("balanced", || scene.unaccounted() == 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_more_is_let_into_memory_while_storage_refuses() {
    let scene = Scene::build(Wanted {
        queue_size: 100,
        ..Wanted::new(Acknowledge::Queued, false)
    })
    .await;
    scene.storage_refuses(true);
    assert!(scene.crashmover.has_room());
    assert_eq!(scene.take(&report()).await, Ok(Receipt));
    eventually("closed", || !scene.crashmover.has_room()).await;
    scene.storage_refuses(false);
    eventually("open again", || scene.crashmover.has_room()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_storage_is_a_failure_like_any_other() {
    for (acknowledge, has_spool) in [
        (Acknowledge::Queued, true),
        (Acknowledge::Queued, false),
        (Acknowledge::Saved, true),
        (Acknowledge::Spooled, true),
    ] {
        let scene = Scene::new(acknowledge, has_spool).await;
        scene.store.panics.store(true, Ordering::SeqCst);
        let reports = [report(), report()];
        for report in &reports {
            assert_eq!(scene.take(report).await, Ok(Receipt), "{acknowledge:?}");
        }
        eventually("tried", || scene.store.attempts.load(Ordering::SeqCst) > 1).await;
        scene.store.panics.store(false, Ordering::SeqCst);
        for report in &reports {
            eventually("published", || scene.is_published(report)).await;
        }
        assert_eq!(scene.total(Count::SaveCrashDropped), 0);
        assert_eq!(scene.total(Count::Fate(Fate::Saved)), 2);
        eventually("balanced", || scene.unaccounted() == 0).await;
    }
}
