//! Who may read reports on disk: the collector's user and group, unless the settings say otherwise.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::collector::{TestCollector, new_folder};
use crate::support::crash::Crash;

/// The rights of all folders, and of all files, below a folder and of itself.
fn rights(folder: &Path, folders: &mut BTreeSet<u32>, files: &mut BTreeSet<u32>) {
    let mode = std::fs::metadata(folder).unwrap().permissions().mode() & 0o777;
    if folder.is_dir() {
        folders.insert(mode);
        for entry in std::fs::read_dir(folder).unwrap() {
            rights(&entry.unwrap().path(), folders, files);
        }
    } else {
        files.insert(mode);
    }
}

/// The rights of what is stored by a collector that was started with this umask.
fn stored(umask: &str, settings: &[(&str, &str)]) -> (BTreeSet<u32>, BTreeSet<u32>) {
    let script = format!("umask {umask}; exec \"$0\"");
    let binary = Path::new(env!("CARGO_BIN_EXE_antenna"));
    let through = ["/bin/sh", "-c", &script];
    let collector = TestCollector::try_start_through(&through, binary, new_folder(), settings)
        .expect("a start");
    let id = collector.send(Crash::accepted().request()).crash_id();
    assert!(id.is_some());
    let (mut folders, mut files) = Default::default();
    rights(&collector.crashes(), &mut folders, &mut files);
    collector.stop();
    (folders, files)
}

#[test]
fn reports_are_for_owner_and_group() {
    let expected = (BTreeSet::from([0o750]), BTreeSet::from([0o640]));
    assert_eq!(stored("022", &[]), expected);
}

#[test]
fn a_setting_lets_others_read_but_never_loosens_the_umask_of_the_process() {
    let open = [("CRASHMOVER_CRASHSTORAGE_FS_UMASK", "022")];
    let expected = (BTreeSet::from([0o755]), BTreeSet::from([0o644]));
    assert_eq!(stored("022", &open), expected);
    let expected = (BTreeSet::from([0o700]), BTreeSet::from([0o600]));
    assert_eq!(stored("077", &open), expected);
}
