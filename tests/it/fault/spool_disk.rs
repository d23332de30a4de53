//! The spool's own disk is full, read-only or not there. Only when storage is away too is a client told no: 503.

use std::path::Path;

use super::rig::{Rig, assert_overloaded};
use super::scene::Scene;
use crate::backends::small_disk::SmallDisk;
use crate::support::fault_proxy::Fault;
use crate::support::wait::wait_for;

/// Storage that hangs has failed, or merely not worked yet, when the client must be answered.
const FAILS_IN_TIME: (&str, &str) = ("CRASHMOVER_SAVE_TIMEOUT_SECONDS", "2");
const FAILS_LATER: (&str, &str) = ("CRASHMOVER_SAVE_TIMEOUT_SECONDS", "60");
const DROPPED: &str = "crashmover.save_crash_dropped.count";

/// A spool below this folder; a client waits for four seconds at most. `more` wins over what is set here.
fn spooling_on(folder: &Path, more: &[(&str, &str)]) -> Rig {
    let spool = folder.join("spool");
    let settings = [
        ("CRASHMOVER_SPOOL_DIR", spool.to_str().unwrap()),
        ("CRASHMOVER_SPOOL_MIN_FREE_BYTES", "0"),
        ("CRASHMOVER_ACK_TIMEOUT_SECONDS", "4"),
        FAILS_IN_TIME,
        ("CRASHMOVER_MAX_ATTEMPTS", "2"),
        ("CRASHMOVER_RETRY_SLEEP_SECONDS", "0"),
    ];
    Scene::new().start(&[&settings, more].concat())
}

/// The spool takes nothing: yes while storage works, 503 while it does not, yes afterwards.
fn useless_spool(rig: &Rig, why: &str) {
    assert_eq!(rig.submit(0).status, 200);
    for fault in [Fault::Refuse, Fault::Hang] {
        rig.scene().s3(fault);
        assert_overloaded(&rig.submit(1));
        assert_eq!(rig.collector.get("/__lbheartbeat__").status, 200);
        rig.scene().s3(Fault::Pass);
        // Trouble is remembered for a while; then storage is tried first again.
        assert_eq!(rig.submit(2).status, 200);
    }
    rig.wait_until_said("cannot be spooled", 2);
    rig.wait_until_said(why, 2);
    rig.assert_all_arrive();
}

/// The books of [`useless_spool`]: what was refused is counted as dropped, unless it could be saved late after all.
fn assert_accounted(rig: Rig) {
    let books = rig.end().books;
    assert_eq!((books.outcome("overloaded"), books.outcome("kept")), (2, 3));
    let late = books.count("crashmover.saved_late.count");
    assert_eq!(books.count(DROPPED) + late, 2, "{books:#?}");
}

#[test]
fn a_full_spool_is_a_no_only_while_storage_is_away() {
    let (saved, spooled) = (
        ("CRASHMOVER_ACKNOWLEDGE", "saved"),
        ("CRASHMOVER_ACKNOWLEDGE", "spooled"),
    );
    for settings in [
        [saved, FAILS_IN_TIME],
        [saved, FAILS_LATER],
        [spooled, FAILS_IN_TIME],
        [spooled, FAILS_LATER],
    ] {
        let Some(disk) = SmallDisk::mount(256 * 1024) else {
            return;
        };
        let rig = spooling_on(disk.path(), &settings);
        std::fs::write(disk.path().join("filler"), vec![0; 100 * 1024]).unwrap();
        let rest = std::fs::File::create(disk.path().join("rest")).unwrap();
        fill(&rest);
        useless_spool(&rig, "make room on the volume");
        assert_accounted(rig);
    }
}

fn fill(mut file: &std::fs::File) {
    use std::io::Write;
    while file.write_all(&[0; 4096]).is_ok() {}
}

#[test]
fn a_spool_with_too_little_free_space_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let more_than_any_disk = (1_u64 << 60).to_string();
    let rig = spooling_on(
        folder.path(),
        &[("CRASHMOVER_SPOOL_MIN_FREE_BYTES", &more_than_any_disk)],
    );
    useless_spool(&rig, "lower CRASHMOVER_SPOOL_MIN_FREE_BYTES");
    assert_accounted(rig);
}

/// A read-only disk in the place of a running spool, since one that is being written to cannot be made read-only.
fn read_only_disk_on(spool: &Path) -> Option<SmallDisk> {
    let mut disk = SmallDisk::mount(1024 * 1024)?;
    for folder in ["incoming", "save", "publish", "failed"] {
        std::fs::create_dir(disk.path().join(folder)).unwrap();
    }
    disk.make_read_only();
    disk.cover(spool);
    Some(disk)
}

#[test]
fn a_read_only_spool_is_a_no_only_while_storage_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let rig = spooling_on(folder.path(), &[]);
    let Some(_disk) = read_only_disk_on(&folder.path().join("spool")) else {
        return;
    };
    useless_spool(&rig, "Read-only file system");
    assert_accounted(rig);
}

#[test]
fn a_spool_whose_folder_is_gone_is_a_no_only_while_storage_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let rig = spooling_on(folder.path(), &[]);
    std::fs::remove_dir_all(folder.path().join("spool")).unwrap();
    useless_spool(&rig, "is the spool's volume mounted?");
    assert_accounted(rig);
}

#[test]
fn the_probe_hears_that_reports_can_be_kept_nowhere() {
    let Some(disk) = SmallDisk::mount(1024 * 1024) else {
        return;
    };
    let rig = spooling_on(disk.path(), &[]);
    rig.scene().s3(Fault::Refuse);
    assert_eq!(rig.submit(0).status, 200);
    assert_eq!(rig.collector.get("/__heartbeat__").status, 200);
    fill(&std::fs::File::create(disk.path().join("filler")).unwrap());
    wait_for("the probe hears of it", || {
        (rig.collector.get("/__heartbeat__").status == 503).then_some(())
    });
    std::fs::remove_file(disk.path().join("filler")).unwrap();
    rig.scene().s3(Fault::Pass);
    rig.assert_all_arrive();
    rig.end();
}

#[test]
fn the_probe_hears_of_a_spool_that_takes_nothing_although_it_has_room() {
    let folder = tempfile::tempdir().unwrap();
    let rig = spooling_on(folder.path(), &[]);
    let Some(_disk) = read_only_disk_on(&folder.path().join("spool")) else {
        return;
    };
    rig.scene().s3(Fault::Refuse);
    assert_overloaded(&rig.submit(0));
    assert_eq!(rig.collector.get("/__heartbeat__").status, 503);
    rig.scene().s3(Fault::Pass);
    wait_for("the probe hears that storage is back", || {
        (rig.collector.get("/__heartbeat__").status == 200).then_some(())
    });
    rig.end();
}

#[test]
fn a_spool_below_a_missing_folder_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("volume/spool");
    let failed = Scene::new().refused_start(&[("CRASHMOVER_SPOOL_DIR", missing.to_str().unwrap())]);
    let log = failed.log.join("\n");
    for words in [
        "Unhandled startup exception",
        missing.to_str().unwrap(),
        "is the spool's volume mounted?",
    ] {
        assert!(log.contains(words), "{words}: {log}");
    }
}

#[test]
fn a_spool_on_a_read_only_disk_stops_the_start() {
    let Some(disk) = SmallDisk::mount(64 * 1024) else {
        return;
    };
    disk.make_read_only();
    let dir = disk.path().join("spool");
    let failed = Scene::new().refused_start(&[("CRASHMOVER_SPOOL_DIR", dir.to_str().unwrap())]);
    let log = failed.log.join("\n");
    assert!(
        log.contains("Read-only file system") && log.contains(dir.to_str().unwrap()),
        "{log}"
    );
}
