//! A disk that fails: nothing unsafe is acknowledged, nothing safe is lost.

use std::io::ErrorKind;

use super::*;

const EIO: ErrorKind = ErrorKind::Other;

fn text(result: Result<Entry, SpoolError>) -> String {
    match result {
        Err(error @ SpoolError::Io { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_put_that_fails_leaves_nothing_behind() {
    for operation in [
        Operation::Create,
        Operation::Write,
        Operation::SyncFile,
        Operation::Rename,
        Operation::SyncFolder,
    ] {
        let place = Place::new();
        let spool = place.open();
        place.disk.fail(operation, 1, EIO);
        let text = text(spool.put(&report(1)).await);
        assert!(text.contains("/spool/"), "{operation:?}: {text}");
        assert_eq!(entries(&spool), (0, 0, 0), "{operation:?}");
        assert!(spool.claim(State::Save).is_none());
        spool.put(&report(2)).await.map(drop).unwrap();
        drop(spool);
        let spool = place.open();
        assert_eq!(entries(&spool), (1, 0, 0), "{operation:?}");
        assert_eq!(spool.claim(State::Save).unwrap().crash_id(), id(2));
    }
}

#[tokio::test]
async fn a_disk_that_refuses_is_known_until_a_put_works() {
    let place = Place::new();
    let spool = place.open();
    assert!(!spool.is_failing());
    place.disk.fail(Operation::Write, 1, EIO);
    spool.put(&report(1)).await.unwrap_err();
    assert!(spool.is_failing());
    spool.put(&report(2)).await.unwrap();
    assert!(!spool.is_failing());
}

#[tokio::test]
async fn a_rename_that_took_effect_but_failed_is_undone() {
    let place = Place::new();
    let spool = place.open();
    place.disk.fail_afterwards(Operation::Rename, 1, EIO);
    text(spool.put(&report(1)).await);
    assert_eq!(entries(&spool), (0, 0, 0));
    assert_eq!(place.files(Folder::Save), [] as [PathBuf; 0]);
}

/// The client was told no, yet the report is there: it is kept track of and handed out, rather than lost or unaccounted.
#[tokio::test]
async fn what_cannot_be_withdrawn_waits_like_others() {
    let place = Place::new();
    let spool = place.open();
    place.disk.fail(Operation::SyncFolder, 1, EIO);
    place.disk.fail(Operation::Remove, 1, EIO);
    text(spool.put(&report(1)).await);
    let entry = spool.claim(State::Save).unwrap();
    assert_eq!(spool.load(&entry).await.unwrap(), report(1));
}

#[tokio::test]
async fn a_read_only_disk_is_named_with_what_to_do() {
    let place = Place::new();
    let spool = place.open();
    drop(spool.put(&report(1)).await.unwrap());
    place.disk.make_read_only();
    for number in 2..5 {
        let text = text(spool.put(&report(number)).await);
        assert!(text.contains("mount the volume writable"), "{text}");
    }
    assert_eq!(entries(&spool), (1, 0, 0));
    let entry = spool.claim(State::Save).unwrap();
    assert_eq!(spool.load(&entry).await.unwrap(), report(1));
    assert!(spool.remove(entry).await.is_err());
    let entry = spool.claim(State::Save).unwrap();
    text(spool.advance(entry).await);
    assert_eq!(entries(&spool), (1, 0, 0));
}

#[tokio::test]
async fn a_volume_that_goes_away_loses_no_entry_from_memory() {
    let place = Place::new();
    let spool = place.open();
    drop(spool.put(&report(1)).await.unwrap());
    let hidden = place.dir.path().join("hidden");
    std::fs::rename(place.path(), &hidden).unwrap();
    let missing = text(spool.put(&report(2)).await);
    assert!(
        missing.contains("is the spool's volume mounted?"),
        "{missing}"
    );
    let entry = spool.claim(State::Save).unwrap();
    spool.load(&entry).await.unwrap_err();
    entry.defer();
    std::fs::rename(&hidden, place.path()).unwrap();
    let entry = spool.claim(State::Save).unwrap();
    assert_eq!(spool.load(&entry).await.unwrap(), report(1));
}

#[tokio::test]
async fn a_damaged_entry_is_set_aside_with_its_reason() {
    let place = Place::new();
    let spool = place.open();
    drop(spool.put(&report(1)).await.unwrap());
    let path = place.files(Folder::Save).remove(0);
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let entry = spool.claim(State::Save).unwrap();
    let error = spool.load(&entry).await.unwrap_err();
    assert!(matches!(error, SpoolError::Corrupt { .. }));
    assert!(error.to_string().contains("/failed/"), "{error}");
    entry.defer();
    assert!(spool.claim(State::Save).is_none());
    assert_eq!(entries(&spool), (0, 0, 1));
    let [_, reason] = &place.files(Folder::Failed)[..] else {
        panic!("an entry and its reason");
    };
    assert_eq!(
        std::fs::read_to_string(reason).unwrap(),
        "was in save/: the dump upload_file_minidump does not fit its SHA-256\n"
    );
}

#[tokio::test]
async fn a_damaged_entry_that_cannot_be_moved_keeps_waiting() {
    let place = Place::new();
    let spool = place.open();
    drop(spool.put(&report(1)).await.unwrap());
    std::fs::write(&place.files(Folder::Save)[0], b"rubbish").unwrap();
    place.disk.make_read_only();
    let entry = spool.claim(State::Save).unwrap();
    let error = spool.load(&entry).await.unwrap_err();
    assert!(matches!(error, SpoolError::Io { .. }), "{error}");
    drop(entry);
    place.disk.heal();
    let entry = spool.claim(State::Save).unwrap();
    let error = spool.load(&entry).await.unwrap_err();
    assert!(matches!(error, SpoolError::Corrupt { .. }), "{error}");
}

#[tokio::test]
async fn a_disk_that_cannot_be_read_for_a_moment_condemns_no_entry() {
    let place = Place::new();
    let spool = place.open();
    let entry = spool.put(&report(1)).await.unwrap();
    place.disk.fail(Operation::Open, 1, EIO);
    assert!(matches!(
        spool.load(&entry).await,
        Err(SpoolError::Io { .. })
    ));
    assert_eq!(spool.load(&entry).await.unwrap(), report(1));
}

#[tokio::test]
async fn an_entry_that_somebody_took_away_is_forgotten() {
    let place = Place::new();
    let spool = place.open();
    let entry = spool.put(&report(1)).await.unwrap();
    std::fs::remove_file(&place.files(Folder::Save)[0]).unwrap();
    assert!(spool.load(&entry).await.is_err());
    entry.defer();
    assert_eq!(entries(&spool), (0, 0, 0));
    let entry = spool.put(&report(2)).await.unwrap();
    std::fs::remove_file(&place.files(Folder::Save)[0]).unwrap();
    assert!(spool.advance(entry).await.is_err());
    assert_eq!(entries(&spool), (0, 0, 0));
}

#[tokio::test]
async fn a_saved_report_keeps_its_dumps_when_no_small_entry_can_be_written() {
    let place = Place::new();
    let spool = place.open();
    let entry = spool.put(&report(1)).await.unwrap();
    let entry = spool.advance(entry).await.unwrap();
    place.disk.fail(Operation::Write, 1, ErrorKind::StorageFull);
    let entry = spool.give_up_dumps(entry).await.unwrap();
    assert_eq!(entry.state, State::Publish);
    assert_eq!(spool.load(&entry).await.unwrap(), report(1));
    assert_eq!(spool.stats().publish.bytes, 3 * 4096);
    assert_eq!(place.files(Folder::Incoming), [] as [PathBuf; 0]);
    spool.remove(entry).await.unwrap();
    assert_eq!(spool.stats().publish, Tally::default());
}

#[tokio::test]
async fn a_failed_removal_lets_the_entry_wait_again() {
    let place = Place::new();
    let spool = place.open();
    let entry = spool.put(&report(1)).await.unwrap();
    place.disk.fail(Operation::Remove, 1, EIO);
    assert!(spool.remove(entry).await.is_err());
    let entry = spool.claim(State::Save).unwrap();
    spool.remove(entry).await.unwrap();
    assert_eq!(entries(&spool), (0, 0, 0));
}

#[tokio::test]
async fn a_name_from_before_a_failed_fsync_is_not_vouched_for_by_the_next() {
    let place = Place::new();
    let spool = place.open();
    let (disk, inner) = (place.disk.clone(), spool.inner.clone());
    let first = Mutex::new(Some(()));
    // Right after the rename, before anything else: the fsync of another report fails, and this one's name with it.
    place.disk.watch_after(move |operation| {
        let is_first = operation == Operation::Rename && first.lock().unwrap().take().is_some();
        if is_first {
            disk.fail(Operation::SyncFolder, 1, EIO);
            let ticket = inner.folders.ticket();
            inner.folders.sync(State::Save, ticket).unwrap_err();
        }
    });
    let text = text(spool.put(&report(1)).await);
    assert!(text.contains("an fsync of a folder failed"), "{text}");
    assert_eq!(entries(&spool), (0, 0, 0));
}

#[tokio::test]
async fn a_panic_in_an_fsync_fails_that_put_and_holds_up_no_other() {
    let place = Place::new();
    let spool = place.open();
    let first = Mutex::new(Some(()));
    place.disk.watch(move |operation| {
        let is_first = operation == Operation::SyncFolder && first.lock().unwrap().take().is_some();
        assert!(!is_first, "on purpose");
    });
    spool.put(&report(1)).await.unwrap_err();
    soon(spool.put(&report(2))).await.unwrap();
}

/// `rm -rf spool`, and later `mkdir spool`, under a running collector.
#[tokio::test]
async fn a_spool_that_was_emptied_is_used_again_and_is_still_ours() {
    let place = Place::new();
    let spool = place.open();
    drop(spool.put(&report(1)).await.unwrap());
    std::fs::remove_dir_all(place.path()).unwrap();
    let missing = text(spool.put(&report(2)).await);
    assert!(missing.contains("mounted?"), "{missing}");
    std::fs::create_dir(place.path()).unwrap();
    let entry = spool.put(&report(3)).await.unwrap();
    assert_eq!(spool.load(&entry).await.unwrap(), report(3));
    let refused = Spool::open(place.config(), place.disk.clone())
        .err()
        .unwrap();
    assert!(
        refused
            .to_string()
            .contains("another process has this spool"),
        "{refused}"
    );
    std::fs::remove_dir_all(place.path().join("incoming")).unwrap();
    spool.put(&report(4)).await.unwrap();
}
