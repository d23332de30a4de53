//! A report's way through the spool when nothing goes wrong.

use std::sync::{Condvar, mpsc};
use std::time::SystemTime;

use futures_util::future::join_all;

use super::*;

#[tokio::test]
async fn a_report_goes_from_save_to_publish_and_away() {
    let place = Place::new();
    let spool = place.open();
    let entry = spool.put(&report(1)).await.unwrap();
    assert_eq!((entry.state, entry.crash_id()), (State::Save, id(1)));
    assert_eq!(spool.load(&entry).await.unwrap(), report(1));
    let entry = spool.advance(entry).await.unwrap();
    assert_eq!((entry.state, entry.crash_id()), (State::Publish, id(1)));
    assert_eq!(entries(&spool), (0, 1, 0));
    spool.remove(entry).await.unwrap();
    assert_eq!(entries(&spool), (0, 0, 0));
    for folder in Folder::ALL {
        assert_eq!(place.files(folder), [] as [PathBuf; 0]);
    }
}

#[tokio::test]
async fn whoever_puts_owns_the_entry_until_it_is_dropped() {
    let place = Place::new();
    let spool = place.open();
    let entry = spool.put(&report(1)).await.unwrap();
    assert!(spool.claim(State::Save).is_none());
    drop(entry);
    assert_eq!(spool.claim(State::Save).unwrap().crash_id(), id(1));
}

#[tokio::test]
async fn waiting_movers_are_woken() {
    let place = Place::new();
    let spool = place.open();
    let mover = tokio::spawn({
        let spool = spool.clone();
        async move { spool.next(State::Save).await.crash_id() }
    });
    drop(spool.put(&report(1)).await.unwrap());
    assert_eq!(soon(mover).await.unwrap(), id(1));
}

#[tokio::test]
async fn a_saved_report_gives_up_its_dumps_when_it_has_to_wait() {
    let place = Place::new();
    let spool = place.open();
    let entry = spool.put(&report(1)).await.unwrap();
    assert!(entry.length_bytes() > 10_000);
    let entry = spool.advance(entry).await.unwrap();
    assert!(entry.length_bytes() > 10_000);
    let entry = spool.give_up_dumps(entry).await.unwrap();
    let on_disk = std::fs::metadata(&place.files(Folder::Publish)[0]).unwrap();
    assert_eq!((on_disk.len(), entry.length_bytes()), (132, 132));
    assert_eq!(spool.stats().publish.bytes, 4096);
    let error = spool.load(&entry).await.unwrap_err();
    assert!(matches!(error, SpoolError::Io { .. }), "{error}");
}

#[tokio::test]
async fn what_is_set_aside_waits_for_an_operator_with_its_reason() {
    let place = Place::new();
    let spool = place.open();
    let entry = spool.put_publish(&id(7)).await.unwrap();
    let reason = "the queue refuses it".to_owned();
    spool.set_aside(entry, reason).await.unwrap();
    assert_eq!(entries(&spool), (0, 0, 1));
    let listed = super::list(&place.path()).unwrap().remove(0);
    assert_eq!(listed.folder, Folder::Failed);
    let reason = "was in publish/: the queue refuses it";
    assert_eq!(listed.reason.as_deref(), Some(reason));
    assert_eq!(
        super::retry(&place.path(), &listed).unwrap(),
        State::Publish
    );
    let found = super::Found {
        save: 0,
        publish: 1,
    };
    assert_eq!(spool.rescan().await.unwrap(), found);
}

#[tokio::test]
async fn an_unpublished_id_is_kept_without_a_report() {
    let place = Place::new();
    let spool = place.open();
    let entry = spool.put_publish(&id(7)).await.unwrap();
    assert_eq!((entry.state, entry.crash_id()), (State::Publish, id(7)));
    drop((entry, spool));
    let entry = place.open().claim(State::Publish).unwrap();
    assert_eq!(entry.crash_id(), id(7));
}

#[tokio::test]
async fn the_id_of_a_fakeaccepted_crash_is_refused() {
    let place = Place::new();
    let spool = place.open();
    let date = chrono::NaiveDate::from_ymd_opt(2026, 7, 9).unwrap();
    let id = CrashId::make([0; 16], crate::crash::ThrottleDigit::FakeAccept, date);
    let error = spool.put_publish(&id).await.unwrap_err();
    assert!(error.to_string().contains("not kept"), "{error}");
}

/// The first fsync lasts until all others have begun their renames; the next, and a few for stragglers, are for them.
#[tokio::test]
async fn reports_that_finish_together_share_one_folder_fsync() {
    const REPORTS: u32 = 20;
    let place = Place::new();
    let spool = place.open();
    let before = place.disk.count(Operation::SyncFolder);
    let (begun, more) = (Mutex::new(0), Condvar::new());
    place.disk.watch(move |operation| match operation {
        Operation::Rename => {
            *begun.lock().unwrap() += 1;
            more.notify_all();
        }
        Operation::SyncFolder => {
            let deadline = Duration::from_secs(10);
            let waited =
                more.wait_timeout_while(begun.lock().unwrap(), deadline, |begun| *begun < REPORTS);
            assert!(!waited.unwrap().1.timed_out());
        }
        _ => {}
    });
    let reports: Vec<_> = (0..REPORTS).map(report).collect();
    let kept = join_all(reports.iter().map(|report| spool.put(report))).await;
    assert!(kept.iter().all(Result::is_ok));
    let syncs = place.disk.count(Operation::SyncFolder) - before;
    assert!(
        (1..REPORTS as usize / 2).contains(&(syncs as usize)),
        "{syncs}"
    );
    assert_eq!(place.files(Folder::Save).len(), REPORTS as usize);
}

#[tokio::test]
async fn a_put_that_nobody_waits_for_is_still_kept() {
    let place = Place::new();
    let spool = place.open();
    let (reached, syncing) = mpsc::channel();
    let reached = Mutex::new(reached);
    place.disk.watch(move |operation| {
        if operation == Operation::Write {
            let _ = reached.lock().unwrap().send(());
        }
    });
    let report = report(1);
    let mut put = Box::pin(spool.put(&report));
    let polled = futures_util::poll!(&mut put);
    assert!(polled.is_pending());
    syncing.recv().unwrap();
    drop(put);
    let entry = soon(spool.next(State::Save)).await;
    assert_eq!(spool.load(&entry).await.unwrap(), report);
}

#[tokio::test]
async fn figures_are_per_state() {
    let place = Place::new();
    let spool = place.open();
    let before = SystemTime::now();
    let first = spool.put(&report(1)).await.unwrap();
    let since = first.since();
    drop((first, spool.put(&report(2)).await.unwrap()));
    let stats = spool.stats();
    assert_eq!(stats.save.entries, 2);
    assert_eq!(stats.save.bytes, 2 * 3 * 4096);
    assert_eq!(stats.save.oldest, Some(since));
    assert!(since >= before - Duration::from_secs(1));
    assert_eq!(stats.publish, Tally::default());
    assert_eq!(stats.room_bytes, (1 << 30) - stats.save.bytes);
}
