//! What a start finds, and does.

use std::io::ErrorKind;

use super::*;
use crate::disk::testing::SimulatedDisk;

fn opened(place: &Place) -> Result<Spool, SpoolError> {
    Spool::open(place.config(), place.disk.clone())
}

#[tokio::test]
async fn what_waits_is_resumed_oldest_first() {
    let place = Place::new();
    let spool = place.open();
    for number in 1..=5 {
        drop(spool.put(&report(number)).await.unwrap());
    }
    let published = spool.claim(State::Save).unwrap();
    drop(spool.advance(published).await.unwrap());
    drop(spool);
    let spool = place.open();
    assert_eq!(entries(&spool), (4, 1, 0));
    for number in 2..=5 {
        let entry = spool.next(State::Save).await;
        assert_eq!(spool.load(&entry).await.unwrap(), report(number));
        spool.remove(entry).await.unwrap();
    }
    assert_eq!(spool.claim(State::Publish).unwrap().crash_id(), id(1));
}

#[tokio::test]
async fn reports_can_be_put_before_the_spool_is_looked_through_and_none_is_taken() {
    use futures_util::FutureExt;
    let place = Place::new();
    let spool = place.open();
    drop(spool.put(&report(1)).await.unwrap());
    drop(spool);
    let spool = Spool::take(place.config(), place.disk.clone()).unwrap();
    drop(spool.put(&report(2)).await.unwrap());
    let advanced = spool.put(&report(3)).await.unwrap();
    drop(spool.advance(advanced).await.unwrap());
    let mut next = Box::pin(spool.next(State::Save));
    assert!(next.as_mut().now_or_never().is_none());
    assert!(!spool.is_looked_through());
    let (reports, found) = spool.look_through().await;
    found.unwrap();
    assert_eq!(reports, 1, "the others are not what another process left");
    assert!(spool.is_looked_through());
    assert_eq!(entries(&spool), (2, 1, 0));
    let (first, second) = (next.await, spool.next(State::Save).await);
    assert_eq!((first.crash_id(), second.crash_id()), (id(1), id(2)));
    assert_eq!(spool.load(&second).await.unwrap(), report(2));
    assert_eq!(spool.look_through().await.0, 0);
}

#[tokio::test]
async fn a_clock_that_is_set_back_costs_no_new_report() {
    let place = Place::new();
    let mut spool = Spool::take(place.config(), place.disk.clone()).unwrap();
    let inner = Arc::get_mut(&mut spool.inner).unwrap();
    inner.taken += Duration::from_secs(3600);
    drop(spool.put(&report(1)).await.unwrap());
    let (reports, found) = spool.look_through().await;
    found.unwrap();
    assert_eq!((reports, entries(&spool)), (0, (1, 0, 0)));
    let entry = spool.next(State::Save).await;
    assert_eq!(spool.load(&entry).await.unwrap(), report(1));
}

#[tokio::test]
async fn what_can_be_found_is_found_although_a_folder_cannot_be_listed() {
    let place = Place::new();
    let spool = place.open();
    drop(spool.put(&report(1)).await.unwrap());
    drop(spool);
    let spool = Spool::take(place.config(), place.disk.clone()).unwrap();
    std::fs::remove_dir(place.path().join("publish")).unwrap();
    let (reports, found) = spool.look_through().await;
    assert!(found.is_err());
    assert_eq!(reports, 1);
    assert_eq!(spool.next(State::Save).await.crash_id(), id(1));
}

#[test]
fn what_was_being_written_is_cleared() {
    let place = Place::new();
    drop(place.open());
    std::fs::write(place.path().join("incoming/half"), b"ANTS").unwrap();
    drop(place.open());
    assert_eq!(place.files(Folder::Incoming), [] as [PathBuf; 0]);
}

#[test]
fn a_spool_belongs_to_one_process() {
    let place = Place::new();
    let spool = place.open();
    let error = opened(&place).err().unwrap().to_string();
    assert!(error.contains("another process has this spool"), "{error}");
    drop(spool);
    place.open();
}

#[test]
fn a_spool_on_a_missing_volume_is_not_made() {
    let place = Place::new();
    let config = SpoolSettings {
        dir: place.path().join("not/there"),
        ..place.config()
    };
    let error = Spool::open(config, place.disk.clone()).err().unwrap();
    assert!(error.to_string().contains("mounted?"), "{error}");
}

#[test]
fn a_start_on_a_broken_disk_fails_with_the_path() {
    for operation in [
        Operation::MakeFolder,
        Operation::Lock,
        Operation::List,
        Operation::SyncFolder,
    ] {
        let place = Place::new();
        place.disk.fail(operation, 1, ErrorKind::Other);
        let error = opened(&place).err().unwrap().to_string();
        let path = place.dir.path().display().to_string();
        assert!(error.contains(&path), "{error}");
    }
}

#[tokio::test]
async fn a_report_in_both_folders_is_only_published() {
    let place = Place::new();
    let spool = place.open();
    drop(spool.put(&report(1)).await.unwrap());
    drop(spool);
    let saved = place.files(Folder::Save).remove(0);
    let published = place
        .path()
        .join("publish")
        .join(saved.file_name().unwrap());
    std::fs::copy(&saved, published).unwrap();
    let spool = place.open();
    assert_eq!(entries(&spool), (0, 1, 0));
    assert!(!saved.exists());
}

#[test]
fn files_of_others_are_shown_but_not_touched_while_hidden() {
    let place = Place::new();
    drop(place.open());
    std::fs::write(place.path().join("save/copy of an entry"), b"x").unwrap();
    std::fs::write(place.path().join("save/.rsync.part"), b"x").unwrap();
    let spool = place.open();
    assert_eq!(entries(&spool), (0, 0, 1));
    assert!(place.path().join("failed/copy of an entry").exists());
    assert!(place.path().join("failed/copy of an entry.reason").exists());
    assert!(place.path().join("save/.rsync.part").exists());
}

#[tokio::test]
async fn a_rescan_finds_what_others_brought_and_nothing_twice() {
    let place = Place::new();
    let spool = place.open();
    drop(spool.put(&report(1)).await.unwrap());
    let taken = spool.put(&report(2)).await.unwrap();
    let known = place.files(Folder::Save).remove(0);
    let brought = known.with_file_name("1700000000000000-00000009-0000-4000-8000-000000260709");
    std::fs::copy(&known, brought).unwrap();
    assert_eq!(spool.rescan().await.unwrap().save, 1);
    assert_eq!(spool.rescan().await.unwrap().save, 0);
    assert_eq!(spool.claim(State::Save).unwrap().crash_id(), id(9));
    spool.remove(taken).await.unwrap();
    assert_eq!(spool.rescan().await.unwrap().save, 0);
}

/// Opening is what would make a start slow; 100,000 names and sizes alone take a quarter of a second.
#[test]
fn a_start_with_many_waiting_opens_none_of_them() {
    const WAITING: u64 = 5_000;
    let place = Place::new();
    drop(place.open());
    let save = place.path().join("save");
    for number in 0..WAITING {
        let name = format!("{number:016}-{}", id(number as u32));
        std::fs::File::create(save.join(name)).unwrap();
    }
    let opens = place.disk.count(Operation::Open);
    let spool = place.open();
    assert_eq!(entries(&spool), (WAITING as usize, 0, 0));
    assert_eq!(place.disk.count(Operation::Open), opens);
    assert_eq!(spool.claim(State::Save).unwrap().crash_id(), id(0));
}

/// The kernel may forget names whose fsync failed, and say yes the next time.
#[tokio::test]
async fn a_start_whose_fsync_fails_leaves_nothing_that_the_next_one_takes_for_certain() {
    for (nth, seed) in (1..=6).flat_map(|nth| (0..20).map(move |seed| (nth, seed))) {
        let disk = SimulatedDisk::default();
        let faults = Arc::new(FaultyDisk::new(Arc::new(disk.clone())));
        let (forgetful, count) = (disk.clone(), Mutex::new(0));
        faults.watch(move |operation| {
            if operation == Operation::SyncFolder {
                let mut count = count.lock().unwrap();
                *count += 1;
                if *count == nth {
                    forgetful.fail_next_folder_sync(seed);
                }
            }
        });
        let open = || {
            let config = SpoolSettings {
                dir: "/spool".into(),
                max_bytes: u64::MAX,
                min_free_bytes: 0,
            };
            Spool::open(config, faults.clone())
        };
        assert!(open().is_err(), "fsync {nth}");
        disk.end_process();
        let spool = open().unwrap();
        drop(spool.put(&report(1)).await.unwrap());
        drop(spool);
        disk.end_process();
        disk.cut_power(seed);
        let spool = open().unwrap();
        assert_eq!(entries(&spool), (1, 0, 0), "fsync {nth}, seed {seed}");
        let entry = spool.claim(State::Save).unwrap();
        assert_eq!(spool.load(&entry).await.unwrap(), report(1));
    }
}
