//! The power goes right after a yes, on a disk that keeps only what was synced. `tests/fault` cuts it at any moment.

use std::path::{Path, PathBuf};

use rustix::process::Signal;

use super::rig::crash;
use super::scene::settings;
use crate::support::collector::TestCollector;
use crate::support::stored::{objects_below, objects_of};
use crate::support::volatile_disk::{Strength, VolatileDisk};

/// Takes one report and loses power at once; its id.
fn acknowledged_before_a_cut(
    disk: &mut VolatileDisk,
    root: &Path,
    more: &[(&str, &str)],
) -> String {
    let of_disk = [
        ("CRASHMOVER_CRASHSTORAGE_CLASS", "fs"),
        ("CRASHMOVER_CRASHSTORAGE_FS_ROOT", root.to_str().unwrap()),
    ];
    let mut collector = TestCollector::start(&settings(&[&of_disk, more].concat()));
    let id = collector
        .send(crash(0).request())
        .crash_id()
        .expect("a yes");
    disk.cut_power(Strength::Strict, 0, || {
        collector.signal(Signal::KILL);
        collector.wait_for_end();
    });
    id
}

#[test]
fn a_saved_report_is_whole_after_a_power_cut() {
    let Some(mut disk) = VolatileDisk::mount() else {
        return;
    };
    disk.make_folder("volume");
    let root = disk.path().join("volume/crashes");
    let id = acknowledged_before_a_cut(&mut disk, &root, &[]);
    let objects = objects_below(&root);
    let parts = objects_of(&objects, &id);
    assert_eq!(parts.len(), 3);
    assert!(parts.values().all(|bytes| !bytes.is_empty()));
}

/// Otherwise a report would leave the spool, where it was safe, for a place where it is not.
#[test]
fn beside_a_spool_a_saved_report_is_whole_whatever_the_settings_say_of_fsync() {
    let Some(mut disk) = VolatileDisk::mount() else {
        return;
    };
    disk.make_folder("volume");
    let (root, spool) = (
        disk.path().join("volume/crashes"),
        disk.path().join("spool"),
    );
    let unsafely = [
        ("CRASHMOVER_SPOOL_DIR", spool.to_str().unwrap()),
        ("CRASHMOVER_SPOOL_MIN_FREE_BYTES", "0"),
        ("CRASHMOVER_CRASHSTORAGE_FS_FSYNC", "false"),
    ];
    let id = acknowledged_before_a_cut(&mut disk, &root, &unsafely);
    assert_eq!(objects_of(&objects_below(&root), &id).len(), 3);
}

#[test]
fn a_spooled_report_is_whole_after_a_power_cut() {
    let Some(mut disk) = VolatileDisk::mount() else {
        return;
    };
    let (root, spool) = (
        disk.path().join("volume/crashes"),
        disk.path().join("spool"),
    );
    let spooling = [
        ("CRASHMOVER_SPOOL_DIR", spool.to_str().unwrap()),
        ("CRASHMOVER_SPOOL_MIN_FREE_BYTES", "0"),
        ("CRASHMOVER_ACKNOWLEDGE", "spooled"),
    ];
    let id = acknowledged_before_a_cut(&mut disk, &root, &spooling);
    let files = std::fs::read_dir(spool.join("save")).unwrap();
    let files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    let [file] = &files[..] else {
        panic!("one entry: {files:?}");
    };
    assert!(file.to_str().unwrap().ends_with(&id));
    assert!(std::fs::read(file).unwrap().len() > 40_000);
}
