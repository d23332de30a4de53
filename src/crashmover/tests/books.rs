//! One equation holds through everything: kept and resumed is saved, lost, or waits.

use std::io;

use super::*;
use crate::disk::testing::Operation;

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_is_saved_again_is_counted_once() {
    let scene = Scene::new(Acknowledge::Spooled, true).await;
    scene.storage_refuses(true);
    assert_eq!(scene.take(&report()).await, Ok(Receipt));
    // Into save/ it was renamed already; into publish/ it cannot be at first.
    scene
        .disk
        .fail(Operation::Rename, 1, io::ErrorKind::StorageFull);
    scene.storage_refuses(false);
    eventually("published", || scene.total(Count::SaveCrash) == 1).await;
    assert_eq!(scene.total(Count::Fate(Fate::Saved)), 1);
    assert_eq!(scene.unaccounted(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_puts_back_is_counted_as_resumed() {
    let scene = Scene::new(Acknowledge::Spooled, true).await;
    scene.storage_refuses(true);
    assert_eq!(scene.take(&report()).await, Ok(Receipt));
    let dir = scene.dir.path().join("spool");
    let spool = scene.spool();
    let file = || {
        let listed = crate::spool::list(&dir).unwrap();
        listed.into_iter().next().unwrap()
    };
    let damaged = dir.join("save").join(file().name);
    let whole = std::fs::read(&damaged).unwrap();
    std::fs::write(&damaged, &whole[..whole.len() - 1]).unwrap();
    eventually("set aside", || spool.stats().failed.entries == 1).await;
    eventually("counted", || scene.total(Count::Fate(Fate::Failed)) == 1).await;
    assert_eq!(scene.unaccounted(), 0);
    std::fs::write(dir.join("failed").join(file().name), whole).unwrap();
    crate::spool::retry(&dir, &file()).unwrap();
    scene.storage_refuses(false);
    scene.crashmover.rescan_spool(spool).await;
    assert_eq!(scene.total(Count::Resumed), 1);
    eventually("saved", || scene.total(Count::Fate(Fate::Saved)) == 1).await;
    eventually("balanced", || scene.unaccounted() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_process_balances_by_itself_over_a_restart() {
    let scene = Scene::new(Acknowledge::Queued, true).await;
    let hanging = scene.storage_hangs().await;
    let reports: Vec<_> = (0..8).map(|_| report()).collect();
    assert!(scene.take_all(&reports).await.iter().all(Result::is_ok));
    assert_eq!(scene.unaccounted(), 0);
    hanging.forget();
    let crashmover = scene.crashmover.clone();
    let (leftover, dir) = scene.stop().await;
    assert!(leftover.unsaved.is_empty());
    drop(crashmover);
    let scene = Scene::build(Wanted {
        dir,
        ..Wanted::new(Acknowledge::Queued, true)
    })
    .await;
    for report in &reports {
        eventually("published", || scene.is_published(report)).await;
    }
    assert_eq!(scene.total(Count::Resumed), 8);
    eventually("balanced", || scene.unaccounted() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_is_spooled_after_its_client_was_refused_is_counted_as_resumed() {
    let scene = Scene::new(Acknowledge::Saved, true).await;
    let hanging = scene.storage_hangs().await;
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    scene.disk.watch(move |_| {
        let _ = held.lock().unwrap().recv();
    });
    let report = report();
    assert_eq!(scene.take(&report).await, Err(NotKept::SpoolFull));
    drop(release);
    eventually("spooled", || scene.total(Count::Resumed) == 1).await;
    drop(hanging);
    eventually("published", || scene.is_published(&report)).await;
    eventually("balanced", || scene.unaccounted() == 0).await;
}
