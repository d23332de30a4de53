//! The spool says no before a disk is full.

use std::io::ErrorKind;
use std::thread;

use super::*;

fn why(put: Result<Entry, SpoolError>) -> String {
    match put {
        Err(error @ SpoolError::Full { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

/// A report of these tests takes three blocks.
const REPORT_BYTES: u64 = 3 * 4096;

#[tokio::test]
async fn waiting_reports_have_a_ceiling() {
    let place = Place::new();
    let spool = place.open_with(SpoolSettings {
        max_bytes: 2 * REPORT_BYTES,
        ..place.config()
    });
    let first = spool.put(&report(1)).await.unwrap();
    drop(spool.put(&report(2)).await.unwrap());
    let text = why(spool.put(&report(3)).await);
    assert!(text.contains("24576 of 24576 bytes"), "{text}");
    assert!(text.contains("CRASHMOVER_SPOOL_MAX_BYTES"), "{text}");
    assert_eq!(spool.stats().room_bytes, 0);
    spool.remove(first).await.unwrap();
    spool.put(&report(3)).await.unwrap();
    assert_eq!(place.files(Folder::Incoming), [] as [PathBuf; 0]);
}

#[tokio::test]
async fn what_waits_from_before_counts() {
    let place = Place::new();
    drop(place.open().put(&report(1)).await.unwrap());
    let spool = place.open_with(SpoolSettings {
        max_bytes: 2 * REPORT_BYTES - 1,
        ..place.config()
    });
    why(spool.put(&report(2)).await);
}

#[tokio::test]
async fn ids_to_be_published_may_go_a_little_beyond_the_ceiling() {
    let place = Place::new();
    let spool = place.open_with(SpoolSettings {
        max_bytes: 16 * 4096,
        ..place.config()
    });
    for number in 0..17 {
        spool.put_publish(&id(number)).await.map(drop).unwrap();
    }
    why(spool.put_publish(&id(17)).await);
    why(spool.put(&report(1)).await);
}

#[tokio::test]
async fn enough_must_stay_free_for_others() {
    let place = Place::new();
    place.disk.set_free_bytes(100_000 + REPORT_BYTES);
    let spool = place.open_with(SpoolSettings {
        min_free_bytes: 100_000,
        ..place.config()
    });
    assert_eq!(spool.stats().room_bytes, REPORT_BYTES);
    drop(spool.put(&report(1)).await.unwrap());
    let text = why(spool.put(&report(2)).await);
    assert!(
        text.contains("100000 bytes are free on its disk, 100000 must stay free"),
        "{text}"
    );
    assert_eq!(entries(&spool), (1, 0, 0));
    spool.put_publish(&id(2)).await.map(drop).unwrap();
}

#[tokio::test]
async fn the_disk_is_not_asked_for_every_report() {
    let place = Place::new();
    let spool = place.open();
    let asked = place.disk.count(Operation::FreeBytes);
    let begun = std::time::Instant::now();
    for number in 0..20 {
        spool.put(&report(number)).await.map(drop).unwrap();
    }
    let seconds = begun.elapsed().as_secs() as u32;
    let asked = place.disk.count(Operation::FreeBytes) - asked;
    assert!(asked <= 2 + seconds, "{asked} times in {seconds} s");
}

#[tokio::test]
async fn a_disk_that_fills_up_unseen_is_a_full_spool_too() {
    let place = Place::new();
    let spool = place.open();
    for operation in [
        Operation::Create,
        Operation::Write,
        Operation::SyncFile,
        Operation::Rename,
    ] {
        place.disk.fail(operation, 1, ErrorKind::StorageFull);
        let text = why(spool.put(&report(1)).await);
        assert!(text.contains("make room"), "{text}");
    }
    assert_eq!(entries(&spool), (0, 0, 0));
    assert_eq!(place.files(Folder::Incoming), [] as [PathBuf; 0]);
    spool.put(&report(1)).await.map(drop).unwrap();
}

/// It may hang, and whoever asks is a thread on which others depend.
#[tokio::test]
async fn nobody_who_wants_figures_waits_for_the_disk() {
    let place = Place::new();
    let spool = place.open();
    let (asked, here) = (Arc::new(Mutex::new(None)), thread::current().id());
    let seen = asked.clone();
    place.disk.watch(move |operation| {
        if operation == Operation::FreeBytes {
            *seen.lock().unwrap() = Some(thread::current().id());
        }
    });
    let deadline = Instant::now() + Duration::from_secs(20);
    while asked.lock().unwrap().is_none() && Instant::now() < deadline {
        let _ = spool.stats();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let asked_on = asked
        .lock()
        .unwrap()
        .expect("the disk is asked now and then");
    assert_ne!(asked_on, here);
}
