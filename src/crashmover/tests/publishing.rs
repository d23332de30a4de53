//! Ids on their way to a queue that panics, says too little, refuses some for good, or does not exist.

use std::time::SystemTime;

use super::*;
use crate::disk::testing::Operation;
use crate::spool::State;

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_panics_or_says_nothing_costs_no_id_and_no_publisher() {
    for mood in [Mood::Panics, Mood::Silent] {
        let scene = Scene::new(Acknowledge::Saved, false).await;
        scene.queue.is(mood);
        let reports: Vec<_> = (0..12).map(|_| report()).collect();
        for report in &reports {
            assert_eq!(scene.take(report).await, Ok(Receipt));
        }
        eventually("every publisher has met it", || {
            scene.queue.calls.load(Ordering::SeqCst) > 4
        })
        .await;
        scene.queue.is(Mood::Fine);
        for report in &reports {
            eventually("published", || scene.is_published(report)).await;
        }
        eventually("nothing waits", || {
            scene.crashmover.sizes().publish_queue == 0
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_the_queue_never_takes_do_not_hold_up_the_others() {
    for has_spool in [true, false] {
        let scene = Scene::new(Acknowledge::Saved, has_spool).await;
        let poison: Vec<_> = (0..6).map(|_| report()).collect();
        scene
            .queue
            .never_takes(poison.iter().map(|report| report.id.clone()));
        for report in &poison {
            assert_eq!(scene.take(report).await, Ok(Receipt));
        }
        let dropped = || scene.total(Count::PublishCrashDropped);
        while dropped() < 6 {
            let report = report();
            assert_eq!(scene.take(&report).await, Ok(Receipt));
            eventually("published", || scene.is_published(&report)).await;
        }
        eventually("nothing waits", || {
            scene.crashmover.sizes().publish_queue == 0
        })
        .await;
        if has_spool {
            eventually("set aside", || scene.spool().stats().failed.entries == 6).await;
            let listed = crate::spool::list(&scene.dir.path().join("spool")).unwrap();
            let reason = listed[0].reason.as_deref().unwrap();
            assert!(reason.contains("the queue refuses it"), "{reason}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_away_sets_nothing_aside() {
    let scene = Scene::new(Acknowledge::Saved, true).await;
    let reports: Vec<_> = (0..6).map(|_| report()).collect();
    let ids = || reports.iter().map(|report| report.id.clone());
    scene.queue.never_takes(ids());
    scene.take_all(&reports).await;
    eventually("refused often", || {
        scene.total(Count::PublishCrashException) > 24
    })
    .await;
    assert_eq!(scene.spool().stats().failed.entries, 0);
    assert_eq!(scene.crashmover.sizes().publish_queue, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_age_of_an_id_survives_a_restart() {
    let scene = Scene::new(Acknowledge::Saved, true).await;
    scene.queue.is(Mood::Refuses);
    assert_eq!(scene.take(&report()).await, Ok(Receipt));
    let (leftover, dir) = scene.stop().await;
    assert_eq!(leftover, Leftover::default());
    // As if it had waited for a day.
    let file = std::fs::read_dir(dir.path().join("spool/publish")).unwrap();
    let file = file.last().unwrap().unwrap().path();
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    let yesterday = SystemTime::now() - Duration::from_secs(86_400);
    let micros = yesterday.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let renamed = format!("{:016}{}", micros.as_micros(), &name[16..]);
    std::fs::rename(&file, file.with_file_name(renamed)).unwrap();
    let scene = Scene::build(Wanted {
        dir,
        mood: Mood::Refuses,
        ..Wanted::new(Acknowledge::Saved, true)
    })
    .await;
    eventually("it is a day old", || {
        scene.crashmover.sizes().publish_oldest >= Duration::from_secs(86_400)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_backlog_does_not_make_the_spool_run_in_circles() {
    let scene = Scene::build(Wanted {
        publish_backlog: 1,
        ..Wanted::new(Acknowledge::Saved, true)
    })
    .await;
    scene.queue.is(Mood::Refuses);
    let reports: Vec<_> = (0..5).map(|_| report()).collect();
    for report in &reports {
        assert_eq!(scene.take(report).await, Ok(Receipt));
    }
    let line = scene.crashmover.publish.line();
    eventually("one is tried", || line.len() == 1).await;
    assert!(!line.has_room_for_spool());
    // Nobody goes round with the others.
    assert!(scene.spool().claim(State::Publish).is_some());
    scene.queue.is(Mood::Fine);
    for report in &reports {
        eventually("published", || scene.is_published(report)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_published_nothing_is_remembered() {
    for acknowledge in [Acknowledge::Saved, Acknowledge::Spooled] {
        let scene = Scene::build(Wanted {
            is_silent: true,
            ..Wanted::new(acknowledge, true)
        })
        .await;
        let reports: Vec<_> = (0..4).map(|_| report()).collect();
        for report in &reports {
            assert_eq!(scene.take(report).await, Ok(Receipt));
        }
        let spool = scene.spool();
        eventually("all is done", || {
            scene.total(Count::SaveCrash) == 4 && spool.stats().save.entries == 0
        })
        .await;
        let writes = scene.disk.count(Operation::SyncFile);
        let puts = if acknowledge == Acknowledge::Spooled {
            4
        } else {
            0
        };
        assert_eq!(writes, puts, "{acknowledge:?}");
        assert_eq!(scene.queue.calls.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dumps_are_given_up_only_when_an_id_has_to_wait() {
    let scene = Scene::new(Acknowledge::Spooled, true).await;
    for number in 1..=3 {
        assert_eq!(scene.take(&large_report()).await, Ok(Receipt));
        eventually("published", || scene.total(Count::SaveCrash) == number).await;
        assert_eq!(scene.disk.count(Operation::SyncFile), number as u32);
    }
    scene.queue.is(Mood::Refuses);
    for _ in 0..3 {
        assert_eq!(scene.take(&large_report()).await, Ok(Receipt));
    }
    let spool = scene.spool();
    eventually("they wait", || spool.stats().publish.entries == 3).await;
    eventually("they are small", || {
        let files = std::fs::read_dir(scene.dir.path().join("spool/publish")).unwrap();
        let mut bytes = files.map(|file| file.unwrap().metadata().unwrap().len());
        bytes.all(|bytes| bytes == 132)
    })
    .await;
}
