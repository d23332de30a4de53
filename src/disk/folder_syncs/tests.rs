//! An fsync that failed is believed by nobody whose names are older, whoever did it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::thread::scope;

use super::*;
use crate::disk::testing::{FaultyDisk, Operation, SimulatedDisk};

fn disk() -> FaultyDisk {
    FaultyDisk::new(Arc::new(SimulatedDisk::default()))
}

#[test]
fn a_failure_is_the_end_for_all_whose_names_are_older_in_any_folder() {
    let (disk, syncs) = (disk(), FolderSyncs::default());
    disk.make_folder(Path::new("/a")).unwrap();
    let before = syncs.ticket();
    syncs.sync(&disk, Path::new("/"), before).unwrap();
    disk.fail(Operation::SyncFolder, 1, io::ErrorKind::Other);
    let error = syncs.sync(&disk, Path::new("/a"), before).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Other);
    let error = syncs.sync(&disk, Path::new("/"), before).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Interrupted);
    syncs.sync(&disk, Path::new("/"), syncs.ticket()).unwrap();
}

#[test]
fn those_who_wait_behind_a_failing_fsync_are_not_told_that_all_is_well() {
    let (disk, syncs) = (disk(), FolderSyncs::default());
    let before = syncs.ticket();
    let ((runs, first_runs), (may_fail, fails)) = (channel(), channel::<()>());
    let waits = Mutex::new(Some((runs, fails)));
    disk.watch(move |_| {
        let first = waits.lock().unwrap().take();
        if let Some((runs, fails)) = first {
            runs.send(()).unwrap();
            fails.recv().unwrap();
        }
    });
    disk.fail(Operation::SyncFolder, 1, io::ErrorKind::Other);
    scope(|threads| {
        let sync = || syncs.sync(&disk, Path::new("/"), before);
        let leader = threads.spawn(sync);
        first_runs.recv().unwrap();
        let follower = threads.spawn(sync);
        may_fail.send(()).unwrap();
        let error = leader.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Other);
        let error = follower.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
    });
}

#[test]
fn a_panic_counts_as_a_failure_and_holds_up_nobody() {
    let (disk, syncs) = (disk(), FolderSyncs::default());
    let before = syncs.ticket();
    disk.watch(|_| panic!("on purpose"));
    let sync = || syncs.sync(&disk, Path::new("/"), syncs.ticket());
    assert!(catch_unwind(AssertUnwindSafe(sync)).is_err());
    disk.watch(|_| {});
    let error = syncs.sync(&disk, Path::new("/"), before).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Interrupted);
    sync().unwrap();
}

#[test]
fn folders_are_forgotten_when_nobody_needs_them() {
    let (disk, syncs) = (disk(), FolderSyncs::default());
    syncs.sync(&disk, Path::new("/"), syncs.ticket()).unwrap();
    assert!(
        syncs
            .sync(&disk, Path::new("/missing"), syncs.ticket())
            .is_err()
    );
    assert!(syncs.under_way().is_empty());
}
