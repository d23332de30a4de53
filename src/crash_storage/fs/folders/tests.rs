//! Folders are made once, surely, together, and nobody waits for folders of others.

use std::sync::mpsc::channel;
use std::thread::scope;

use super::*;
use crate::disk::testing::{FaultyDisk, Operation, SimulatedDisk};

const ROOT_DIR: &str = "/data/crashes";
const RAW_CRASHES: &str = "20260709/raw_crash";

fn folders() -> (Arc<FaultyDisk>, Folders) {
    let disk = Arc::new(FaultyDisk::new(Arc::new(SimulatedDisk::default())));
    disk.make_folder(Path::new("/data")).unwrap();
    let folders = Folders::below(disk.clone(), ROOT_DIR.into(), true);
    (disk, folders)
}

fn ensure(folders: &Folders, folder: &str) -> Result<(), StorageError> {
    folders.ensure([folder].into_iter(), folders.ticket())
}

fn is_there(disk: &FaultyDisk, folder: &str) -> bool {
    disk.list(&Path::new(ROOT_DIR).join(folder)).is_ok()
}

#[test]
fn missing_folders_are_made_once() {
    let (disk, folders) = folders();
    ensure(&folders, RAW_CRASHES).unwrap();
    assert!(is_there(&disk, RAW_CRASHES));
    let made = disk.count(Operation::MakeFolder);
    ensure(&folders, RAW_CRASHES).unwrap();
    assert_eq!(disk.count(Operation::MakeFolder), made);
}

#[test]
fn a_report_with_a_thousand_new_folders_costs_one_fsync_for_each_parent() {
    let (disk, folders) = folders();
    let names: Vec<_> = (0..1000)
        .map(|number| format!("20260709/{number}"))
        .collect();
    folders
        .ensure(names.iter().map(String::as_str), folders.ticket())
        .unwrap();
    // Of the root's parent, the root and the day.
    assert_eq!(disk.count(Operation::SyncFolder), 3);
    assert!(is_there(&disk, "20260709/999"));
}

#[test]
fn a_folder_that_takes_long_holds_up_no_other() {
    let (disk, folders) = folders();
    ensure(&folders, RAW_CRASHES).unwrap();
    let ((runs, is_running), (may_end, ends)) = (channel(), channel::<()>());
    let slow = Mutex::new(Some((runs, ends)));
    disk.watch(move |operation| {
        let first = || slow.lock().unwrap().take();
        if operation == Operation::MakeFolder
            && let Some((runs, ends)) = first()
        {
            runs.send(()).unwrap();
            ends.recv().unwrap();
        }
    });
    scope(|threads| {
        let slow = threads.spawn(|| ensure(&folders, "20260709/slow"));
        is_running.recv().unwrap();
        ensure(&folders, RAW_CRASHES).unwrap();
        ensure(&folders, "20260709/other").unwrap();
        may_end.send(()).unwrap();
        slow.join().unwrap().unwrap();
    });
}

#[test]
fn a_file_in_the_way_is_named() {
    let space = tempfile::tempdir().unwrap();
    let disk = Arc::new(disk::RealDisk::shared(true));
    let folders = Folders::below(disk, space.path().join("root"), true);
    ensure(&folders, "20260708").unwrap();
    std::fs::write(folders.root().join("20260709"), "").unwrap();
    let error = ensure(&folders, RAW_CRASHES).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Permanent);
    let way = format!("{}/20260709 is a file in the way", folders.root().display());
    assert!(error.to_string().contains(&way), "{error}");
}

#[test]
fn a_root_that_is_a_file_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let disk = Arc::new(disk::RealDisk::shared(true));
    let error = ensure(&Folders::below(disk, file.path().to_owned(), true), "day").unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Permanent);
    assert!(
        error.to_string().contains("is a file in the way"),
        "{error}"
    );
}

/// As after a reboot: reports would be hidden when the volume is back.
#[test]
fn nothing_is_made_where_a_volume_is_not_mounted() {
    let (disk, _) = folders();
    let folders = Folders::below(disk.clone(), "/volume/crashes".into(), true);
    let error = ensure(&folders, RAW_CRASHES).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Transient);
    assert!(
        error.to_string().contains("/volume, or mount its volume"),
        "{error}"
    );
    assert!(disk.list(Path::new("/volume")).is_err());
    disk.make_folder(Path::new("/volume")).unwrap();
    ensure(&folders, RAW_CRASHES).unwrap();
}

#[test]
fn a_removed_folder_is_noticed_and_made_again() {
    let (disk, folders) = folders();
    ensure(&folders, "20260709").unwrap();
    for folder in ["20260709", ""] {
        disk.remove_folder(&Path::new(ROOT_DIR).join(folder))
            .unwrap();
    }
    let error = ensure(&folders, RAW_CRASHES).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::NotFound);
    folders.trust_none();
    ensure(&folders, RAW_CRASHES).unwrap();
    assert!(is_there(&disk, RAW_CRASHES));
}

#[test]
fn a_failed_fsync_is_the_end_for_all_whose_names_are_older() {
    let (_disk, folders) = folders();
    ensure(&folders, "day").unwrap();
    let before = folders.ticket();
    folders.sync("day", before).unwrap();
    assert!(folders.sync("missing", before).is_err());
    let error = folders.sync("day", before).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::NotFound);
    folders.sync("day", folders.ticket()).unwrap();
}

#[test]
fn folders_that_are_not_surely_on_disk_are_made_anew() {
    let (disk, folders) = folders();
    for (folder, nth) in [("", 1), ("20260709", 1), (RAW_CRASHES, 1)] {
        disk.fail(Operation::SyncFolder, nth, ErrorKind::Other);
        ensure(&folders, RAW_CRASHES).unwrap_err();
        assert!(!is_there(&disk, folder), "{folder:?}");
        let until_there: Vec<_> = folder.split_inclusive('/').collect();
        ensure(&folders, until_there.concat().as_str()).unwrap();
    }
    ensure(&folders, RAW_CRASHES).unwrap();
    assert!(is_there(&disk, RAW_CRASHES));
}

/// Under the strict reading of POSIX: a start may have been killed between mkdir and fsync.
#[test]
fn a_root_that_is_there_is_put_on_disk_once_by_each_process() {
    let (disk, folders) = folders();
    disk.make_folder(Path::new(ROOT_DIR)).unwrap();
    let before = disk.count(Operation::SyncFolder);
    ensure(&folders, "20260709").unwrap();
    assert_eq!(
        disk.count(Operation::SyncFolder) - before,
        2,
        "of its parent and of itself"
    );
    ensure(&folders, "20260710").unwrap();
    assert_eq!(disk.count(Operation::SyncFolder) - before, 3);
}
