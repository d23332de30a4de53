//! Storage on a disk that is full, or has the wrong things on it.

use std::path::Path;

use super::rig::{Rig, assert_not_kept, crash};
use super::scene::settings;
use crate::backends::small_disk::SmallDisk;
use crate::support::stored::{objects_below, objects_of};
use crate::support::wait::wait_for;
use crate::support::wire::Exchange;

/// Gives up quickly; a disk that is full does not change while a client waits.
fn on_disk(root: &Path) -> Rig {
    Rig::start(
        None,
        &settings(&[
            ("CRASHMOVER_CRASHSTORAGE_CLASS", "fs"),
            ("CRASHMOVER_CRASHSTORAGE_FS_ROOT", root.to_str().unwrap()),
            ("CRASHMOVER_MAX_ATTEMPTS", "2"),
            ("CRASHMOVER_RETRY_SLEEP_SECONDS", "0"),
        ]),
    )
}

#[test]
fn a_full_disk_is_told_to_client_and_operator_and_takes_what_fits_later() {
    let Some(disk) = SmallDisk::mount(128 * 1024) else {
        return;
    };
    let root = disk.path().join("crashes");
    let rig = on_disk(&root);
    let big = crash(0).dump("upload_file_minidump_browser", &[b'x'; 200_000]);
    let answer = rig.post(&Exchange::of(big.request()));
    assert_not_kept(answer.response());
    assert_eq!(objects_below(&root).len(), 0);
    rig.wait_until_said("dropped: it could not be saved", 1);
    assert!(rig.says("the disk is full"));

    let id = rig.submit(1).crash_id().expect("a yes");
    assert_eq!(objects_of(&objects_below(&root), &id).len(), 3);
    let books = rig.end().books;
    assert_eq!((books.outcome("not_kept"), books.fate("saved")), (1, 1));
}

#[test]
fn a_disk_that_turns_read_only_is_told_to_client_operator_and_probe() {
    let Some(disk) = SmallDisk::mount(128 * 1024) else {
        return;
    };
    let rig = on_disk(&disk.path().join("crashes"));
    disk.make_read_only();
    assert_not_kept(&rig.submit(0));
    rig.wait_until_said("the disk is read-only", 1);
    let heartbeat = rig.collector.get("/__heartbeat__");
    assert_eq!(heartbeat.status, 503);
    assert!(heartbeat.text().contains("the disk is read-only"));
    assert_eq!(rig.end().books.outcome("not_kept"), 1);
}

#[test]
fn a_file_where_a_folder_should_be_is_named_and_can_be_moved_away() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("crashes");
    let rig = on_disk(&root);
    let days = chrono::Utc::now().date_naive();
    // The test may run over midnight.
    let in_the_way =
        [days, days.succ_opt().unwrap()].map(|day| root.join(day.format("%Y%m%d").to_string()));
    for file in &in_the_way {
        std::fs::write(file, "in the way").unwrap();
    }
    assert_not_kept(&rig.submit(0));
    rig.wait_until_said("is a file in the way: move it away", 1);
    assert_eq!(objects_below(&root).len(), in_the_way.len());
    for file in in_the_way {
        std::fs::remove_file(file).unwrap();
    }
    assert_eq!(rig.submit(1).status, 200);
    rig.end();
}

#[test]
fn a_volume_that_is_not_mounted_does_not_stop_a_start_with_a_spool() {
    let folder = tempfile::tempdir().unwrap();
    let (volume, spool) = (folder.path().join("volume"), folder.path().join("spool"));
    let root = volume.join("crashes");
    let rig = Rig::start(
        None,
        &settings(&[
            ("CRASHMOVER_CRASHSTORAGE_CLASS", "fs"),
            ("CRASHMOVER_CRASHSTORAGE_FS_ROOT", root.to_str().unwrap()),
            ("CRASHMOVER_SPOOL_DIR", spool.to_str().unwrap()),
            ("CRASHMOVER_SPOOL_MIN_FREE_BYTES", "0"),
        ]),
    );
    rig.wait_until_said("or mount its volume", 1);
    assert_eq!(rig.submit(0).status, 200);
    assert!(!volume.exists(), "nothing is written beside the volume");
    std::fs::create_dir(&volume).unwrap();
    wait_for("the report is saved", || {
        (objects_below(&root).len() == 3).then_some(())
    });
    rig.end();
}

#[test]
fn a_root_that_cannot_be_a_folder_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("crashes");
    std::fs::write(&root, "in the way").unwrap();
    let given = [
        ("CRASHMOVER_CRASHSTORAGE_CLASS", "fs"),
        ("CRASHMOVER_CRASHSTORAGE_FS_ROOT", root.to_str().unwrap()),
    ];
    let failed = crate::support::collector::TestCollector::try_start(&given);
    let log = failed.err().expect("no start").log.join("\n");
    for words in [
        "Unhandled startup exception",
        root.to_str().unwrap(),
        "is a file in the way",
    ] {
        assert!(log.contains(words), "{words}: {log}");
    }
}
