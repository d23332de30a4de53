//! Folders are made once, surely, and an fsync that failed is believed by nobody.

use super::*;
use std::sync::mpsc::channel;
use std::thread::scope;

fn folders() -> (tempfile::TempDir, Folders) {
    let space = tempfile::tempdir().unwrap();
    let folders = Folders::below(space.path().join("a/root"), true).unwrap();
    (space, folders)
}

#[test]
fn missing_folders_are_made() {
    let (_space, folders) = folders();
    folders
        .ensure("20260709/raw_crash", folders.failed_syncs())
        .unwrap();
    folders
        .ensure("20260709/raw_crash", folders.failed_syncs())
        .unwrap();
    assert!(folders.root().join("20260709/raw_crash").is_dir());
}

#[test]
fn a_file_in_the_way_is_named() {
    let (_space, folders) = folders();
    fs::write(folders.root().join("20260709"), "").unwrap();
    let error = folders
        .ensure("20260709/raw_crash", folders.failed_syncs())
        .unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Permanent);
    let way = format!("{}/20260709 is a file in the way", folders.root().display());
    assert!(error.to_string().contains(&way), "{error}");
}

#[test]
fn a_root_that_is_a_file_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Folders::below(file.path().to_owned(), true).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Permanent);
    assert!(
        error.to_string().contains("is a file in the way"),
        "{error}"
    );
}

#[test]
fn a_removed_folder_is_noticed_and_made_again() {
    let (space, folders) = folders();
    folders.ensure("20260709", folders.failed_syncs()).unwrap();
    fs::remove_dir_all(space.path().join("a")).unwrap();
    let error = folders
        .ensure("20260709/raw_crash", folders.failed_syncs())
        .unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::NotFound);
    folders.start_over().unwrap();
    folders
        .ensure("20260709/raw_crash", folders.failed_syncs())
        .unwrap();
    assert!(folders.root().join("20260709/raw_crash").is_dir());
}

#[test]
fn a_failed_fsync_is_the_end_for_all_whose_names_are_older() {
    let (_space, folders) = folders();
    let before = folders.failed_syncs();
    folders.sync("", before).unwrap();
    assert!(folders.sync("missing", before).is_err());
    let error = folders.sync("", before).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::NotFound);
    folders.sync("", folders.failed_syncs()).unwrap();
}

#[test]
fn who_waits_behind_a_failing_fsync_is_not_told_that_all_is_well() {
    let (_space, folders) = folders();
    folders.ensure("d", folders.failed_syncs()).unwrap();
    let before = folders.failed_syncs();
    let ((runs, first_runs), (may_fail, fails)) = (channel(), channel::<()>());
    scope(|threads| {
        let folders = &folders;
        let leader = threads.spawn(move || {
            folders.sync_by("d", before, || {
                runs.send(()).unwrap();
                fails.recv().unwrap();
                Err(failure("sync", Path::new("d"), ErrorKind::Other.into()))
            })
        });
        first_runs.recv().unwrap();
        let follower = threads.spawn(|| folders.sync_by("d", before, || Ok(())));
        may_fail.send(()).unwrap();
        let error = leader.join().unwrap().unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Transient);
        let error = follower.join().unwrap().unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::NotFound);
    });
}

#[test]
fn a_folder_that_is_not_surely_on_disk_is_made_anew() {
    let (_space, folders) = folders();
    let before = folders.failed_syncs();
    assert!(folders.sync("missing", before).is_err());
    assert!(folders.ensure("d", before).is_err());
    assert!(!folders.root().join("d").exists());
    folders.ensure("d", folders.failed_syncs()).unwrap();
    assert!(folders.root().join("d").exists());
}

#[test]
fn names_chosen_by_clients_do_not_fill_the_memory() {
    let (_space, folders) = folders();
    for number in 0..MOST_KNOWN + 5 {
        folders.known().insert(number.to_string(), Arc::default());
    }
    folders.ensure("one_more", folders.failed_syncs()).unwrap();
    assert_eq!(folders.known().len(), 1);
}
