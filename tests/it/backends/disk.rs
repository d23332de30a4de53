//! Storage on disk: what lies where, and what happens when the disk or its folders are in trouble.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use antenna::crash_storage::{CrashStorage, FsStore, Layout, StorageError, StorageErrorKind};
use tempfile::TempDir;

use super::small_disk::SmallDisk;
use super::suite::{self, assert_same, keys_of, report};

struct Disk {
    /// Removed at the end of the test.
    _space: TempDir,
    root: PathBuf,
    store: Arc<FsStore>,
    storage: CrashStorage,
}

impl Disk {
    fn new() -> Self {
        let space = tempfile::tempdir().unwrap();
        let root = space.path().join("crashes");
        let store = Arc::new(open(&root, true).unwrap());
        Self {
            storage: CrashStorage::new(store.clone(), Layout::Fs),
            store,
            root,
            _space: space,
        }
    }

    fn file(&self, key: &str, text: &str) -> PathBuf {
        let path = self.root.join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
}

fn open(root: &Path, fsync: bool) -> Result<FsStore, StorageError> {
    FsStore::open(root, fsync)
}

/// Every file below a folder, by its path relative to it, sorted; unfinished ones too.
fn files(folder: &Path) -> Vec<String> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, &mut found);
    let relative = |path: PathBuf| path.strip_prefix(folder).unwrap().display().to_string();
    let mut found: Vec<_> = found.into_iter().map(relative).collect();
    found.sort();
    found
}

#[tokio::test]
async fn the_disk_behaves() {
    suite::behaves(Disk::new().store, Layout::Fs).await;
}

#[tokio::test]
async fn the_disk_behaves_without_fsync() {
    let space = tempfile::tempdir().unwrap();
    let store = open(space.path(), false).unwrap();
    suite::behaves(Arc::new(store), Layout::Fs).await;
}

#[tokio::test]
async fn a_saved_report_is_these_files_and_no_others() {
    let disk = Disk::new();
    disk.storage.verify().await.unwrap();
    let report = report(&[("upload_file_minidump", b"abc"), ("", b"def")]);
    disk.storage.save(&report).await.unwrap();
    let id = &report.id;
    let mut expected = [
        format!("20260709/{id}"),
        format!("20260709/dump_names/{id}.json"),
        format!("20260709/raw_crash/{id}.json"),
        format!("20260709/upload_file_minidump/{id}"),
    ];
    expected.sort();
    assert_eq!(files(&disk.root), expected);
    assert!(!disk.root.join("test").exists());
}

#[tokio::test]
async fn nothing_stays_of_a_report_when_a_folder_is_in_the_way_of_a_file() {
    let disk = Disk::new();
    let obstruct = async |key: &str| fs::create_dir_all(disk.root.join(key)).unwrap();
    let errors = suite::hides_what_is_not_whole(disk.store.clone(), Layout::Fs, obstruct).await;
    for error in errors {
        assert_eq!(error.kind, StorageErrorKind::Permanent, "{error}");
        assert!(
            error.to_string().contains("is a folder in the way"),
            "{error}"
        );
    }
    assert_eq!(files(&disk.root), [""; 0]);
}

#[tokio::test]
async fn a_file_in_the_way_of_a_folder_is_named_and_can_be_moved_away() {
    for way in [
        "20260709",
        "20260709/raw_crash",
        "20260709/dump_names",
        ".tmp",
    ] {
        let disk = Disk::new();
        let in_the_way = disk.file(way, "");
        let report = report(&[("upload_file_minidump", b"abc")]);

        let error = disk.storage.save(&report).await.unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Permanent, "{error}");
        let advice = format!(
            "{} is a file in the way: move it away",
            in_the_way.display()
        );
        assert!(error.to_string().contains(&advice), "{error}");
        assert_eq!(files(&disk.root), [way]);

        fs::remove_file(in_the_way).unwrap();
        disk.storage.save(&report).await.unwrap();
        assert_same(&disk.storage.load(&report.id).await.unwrap(), &report);
    }
}

#[tokio::test]
async fn folders_may_be_removed_while_the_collector_runs() {
    let disk = Disk::new();
    disk.storage.save(&report(&[("a", b"abc")])).await.unwrap();
    for gone in ["20260709/raw_crash", "20260709", ".tmp", ""] {
        fs::remove_dir_all(disk.root.join(gone)).unwrap();
        let report = report(&[("a", b"def")]);
        disk.storage.save(&report).await.unwrap();
        assert_same(&disk.storage.load(&report.id).await.unwrap(), &report);
    }
}

#[tokio::test]
async fn a_failed_save_leaves_an_older_report_of_the_same_id_whole() {
    let disk = Disk::new();
    let older = report(&[("a", b"older")]);
    disk.storage.save(&older).await.unwrap();
    disk.file("20260709/b", "in the way");
    let mut newer = report(&[("a", b"newer"), ("b", b"newer")]);
    newer.id = older.id.clone();
    disk.storage.save(&newer).await.unwrap_err();
    assert_same(&disk.storage.load(&older.id).await.unwrap(), &older);
}

#[tokio::test]
async fn what_a_killed_process_left_of_a_report_is_replaced() {
    let disk = Disk::new();
    let report = report(&[("upload_file_minidump", b"whole"), ("b", b"whole")]);
    let keys = keys_of(&report, Layout::Fs);
    disk.file(&keys.dump_names, "[\"upl");
    disk.file(&keys.dumps[1], "wh");
    assert!(disk.storage.load(&report.id).await.is_err());
    disk.storage.save(&report).await.unwrap();
    assert_same(&disk.storage.load(&report.id).await.unwrap(), &report);
    assert_eq!(files(&disk.root).len(), 4);
}

#[tokio::test]
async fn a_full_disk_leaves_an_older_report_of_the_same_id_whole() {
    let Some(small) = SmallDisk::mount(64 * 1024) else {
        return;
    };
    let storage = CrashStorage::new(Arc::new(open(small.path(), true).unwrap()), Layout::Fs);
    let older = report(&[("b", b"older")]);
    storage.save(&older).await.unwrap();
    let before = files(small.path());
    for dumps in [
        &[("a", &b"new"[..]), ("b", &[b'x'; 100_000])][..],
        &[("a", &[b'x'; 100_000]), ("b", b"new")],
    ] {
        let mut newer = report(dumps);
        newer.id = older.id.clone();
        storage.save(&newer).await.unwrap_err();
        assert_same(&storage.load(&older.id).await.unwrap(), &older);
        assert_eq!(files(small.path()), before);
    }
}

#[tokio::test]
async fn one_report_may_be_saved_several_times_at_once() {
    let disk = Disk::new();
    let report = report(&[("a", &[b'x'; 50_000]), ("b", b"abc")]);
    let saves = (0..8).map(|_| disk.storage.save(&report));
    for saved in futures_util::future::join_all(saves).await {
        saved.unwrap();
    }
    assert_same(&disk.storage.load(&report.id).await.unwrap(), &report);
    assert_eq!(files(&disk.root).len(), 4);
}

#[tokio::test]
async fn a_full_disk_is_a_passing_failure_that_leaves_nothing() {
    let Some(small) = SmallDisk::mount(64 * 1024) else {
        return;
    };
    let storage = CrashStorage::new(Arc::new(open(small.path(), true).unwrap()), Layout::Fs);
    let too_big = report(&[
        ("a", &[b'x'; 1000]),
        ("upload_file_minidump", &[b'x'; 100_000]),
    ]);
    let error = storage.save(&too_big).await.unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Transient, "{error}");
    let path = small.path().join(&keys_of(&too_big, Layout::Fs).dumps[1]);
    let words = format!("cannot save {}: the disk is full", path.display());
    assert!(error.to_string().starts_with(&words), "{error}");
    assert_eq!(files(small.path()), [""; 0]);

    let small_enough = report(&[("upload_file_minidump", &[b'x'; 1000])]);
    storage.save(&small_enough).await.unwrap();
    storage.check().await.unwrap();
}

#[tokio::test]
async fn a_read_only_disk_is_a_lasting_failure() {
    let Some(small) = SmallDisk::mount(64 * 1024) else {
        return;
    };
    let storage = CrashStorage::new(Arc::new(open(small.path(), true).unwrap()), Layout::Fs);
    small.make_read_only();
    for error in [
        storage.save(&report(&[])).await.unwrap_err(),
        storage.verify().await.unwrap_err(),
        storage.check().await.unwrap_err(),
    ] {
        assert_eq!(error.kind, StorageErrorKind::Permanent, "{error}");
        assert!(
            error.to_string().contains("the disk is read-only"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn the_check_notices_a_root_that_is_gone_or_not_a_folder() {
    let disk = Disk::new();
    disk.storage.verify().await.unwrap();
    disk.storage.check().await.unwrap();
    fs::remove_dir_all(&disk.root).unwrap();
    let error = disk.storage.check().await.unwrap_err();
    let words = format!("cannot write to the folder {}", disk.root.display());
    assert!(error.to_string().starts_with(&words), "{error}");
    fs::write(&disk.root, "").unwrap();
    let error = disk.storage.check().await.unwrap_err();
    assert!(
        error.to_string().contains("is a file in the way"),
        "{error}"
    );
    fs::remove_file(&disk.root).unwrap();
    fs::create_dir(&disk.root).unwrap();
    disk.storage.check().await.unwrap();
}

#[tokio::test]
async fn a_start_removes_what_a_crash_left() {
    let disk = Disk::new();
    disk.file(".tmp/0b9b3f0e-5d44-4a5c-8d0e-6d5f3c1f2a10/17", "half a du");
    let probe = "test/testfile-0b9b3f0e-5d44-4a5c-8d0e-6d5f3c1f2a10.txt";
    disk.file(probe, "test");
    disk.storage.verify().await.unwrap();
    assert_eq!(files(&disk.root), [""; 0]);
    assert!(!disk.root.join("test").exists());
    let theirs = disk.file("test/testfile-of-mine.txt", "");
    disk.storage.verify().await.unwrap();
    assert!(theirs.exists());
}

#[tokio::test]
async fn two_collectors_may_share_a_root() {
    let disk = Disk::new();
    let other = CrashStorage::new(Arc::new(open(&disk.root, true).unwrap()), Layout::Fs);
    let (ours, theirs) = (report(&[("a", b"ours")]), report(&[("a", b"theirs")]));
    let (saved, also_saved) = tokio::join!(disk.storage.save(&ours), other.save(&theirs));
    saved.unwrap();
    also_saved.unwrap();
    assert_same(&other.load(&ours.id).await.unwrap(), &ours);
    assert_same(&disk.storage.load(&theirs.id).await.unwrap(), &theirs);
}
