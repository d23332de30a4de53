//! The binary as the image runs it: by a user without rights, on a root file system that cannot be written, as process 1
//! with its signals, and with folders that are somebody else's.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

use crate::support::collector::{FailedStart, TestCollector};
use crate::support::crash::Crash;
use crate::support::stored::objects_below;
use crate::support::wait::wait_for;

/// As in the Dockerfile. Where the tests have no rights themselves, nothing needs to be taken away.
const NO_RIGHTS: [&str; 6] = [
    "setpriv",
    "--reuid=10001",
    "--regid=10001",
    "--clear-groups",
    "--bounding-set=-all",
    "--no-new-privs",
];

/// Makes everything but the folder `$1` read-only, shows that it is, and becomes the rest of the arguments.
const READ_ONLY: &str = r#"
set -eu
mount --bind "$1" "$1"
mount -o remount,bind,ro /
cd "$1"
if touch /nobody-may-write-here 2>/dev/null; then echo "/ can be written" >&2; exit 99; fi
shift
exec "$@"
"#;

fn is_root() -> bool {
    geteuid().is_root()
}

fn no_rights() -> &'static [&'static str] {
    if is_root() { &NO_RIGHTS } else { &["env"] }
}

/// A folder that user 10001 can enter, with the binary in it: where the tests are built, it might not get to.
fn folder_for_all() -> (TempDir, PathBuf) {
    let folder = tempfile::Builder::new()
        .prefix("antenna-image-")
        .tempdir()
        .expect("a folder");
    set_mode(folder.path(), 0o755);
    let binary = folder.path().join("antenna");
    let built = env!("CARGO_BIN_EXE_antenna");
    if fs::hard_link(built, &binary).is_err() {
        fs::copy(built, &binary).expect("room for the binary");
    }
    (folder, binary)
}

/// A folder below, in which user 10001 may write or not, whoever runs the tests.
fn folder_below(folder: &Path, name: &str, is_writable: bool) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir(&path).expect("a folder");
    set_mode(&path, if is_writable { 0o777 } else { 0o555 });
    path
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a folder of ours");
}

fn settings(folder: &Path) -> Vec<(&'static str, String)> {
    let below = |name: &str| folder.join(name).display().to_string();
    vec![
        ("CRASHMOVER_CRASHSTORAGE_CLASS", "fs".to_owned()),
        ("CRASHMOVER_CRASHSTORAGE_FS_ROOT", below("data/crashes")),
        ("CRASHMOVER_SPOOL_DIR", below("data/spool")),
        ("CRASHMOVER_SPOOL_MIN_FREE_BYTES", "0".to_owned()),
    ]
}

fn start_without_rights(
    folder: TempDir,
    binary: &Path,
    settings: &[(&str, String)],
) -> Result<TestCollector, FailedStart> {
    TestCollector::try_start_through(no_rights(), binary, folder, settings)
}

fn check_without_rights(binary: &Path, settings: &[(&str, String)]) -> Output {
    let [program, arguments @ ..] = no_rights() else {
        unreachable!("a program");
    };
    Command::new(program)
        .args(arguments)
        .arg(binary)
        .arg("check")
        .env_clear()
        .env("PORT", "0")
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .output()
        .expect("the binary can be started")
}

/// A collector in a process namespace of its own, where it is process 1, on a read-only root; with its process id here.
fn start_as_process_1() -> (TestCollector, Pid) {
    let (folder, binary) = folder_for_all();
    let data = folder_below(folder.path(), "data", true);
    let settings = settings(folder.path());
    let mut through = vec![
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    ];
    if !is_root() {
        through.extend(["--user", "--map-root-user"]);
    }
    through.extend(["sh", "-c", READ_ONLY, "sh", data.to_str().expect("UTF-8")]);
    through.extend(no_rights());
    let collector = TestCollector::try_start_through(&through, &binary, folder, &settings);
    let collector = collector.unwrap_or_else(|failed| panic!("{failed:#?}"));
    let parent = collector.pid().as_raw_nonzero();
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
    let child = children
        .expect("unshare runs")
        .trim()
        .parse()
        .expect("one child");
    (collector, Pid::from_raw(child).expect("a process"))
}

#[test]
fn process_1_without_rights_on_a_read_only_root_keeps_reports_and_stops_in_good_order() {
    for signal in [Signal::TERM, Signal::INT] {
        let (mut collector, pid) = start_as_process_1();
        let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero()));
        let status = status.expect("a running collector");
        let line = |name: &str| {
            status
                .lines()
                .find(|line| line.starts_with(name))
                .map(str::to_owned)
        };
        assert!(
            line("NSpid:").is_some_and(|pids| pids.ends_with("\t1")),
            "{status}"
        );
        if is_root() {
            assert_eq!(
                line("Uid:").as_deref(),
                Some("Uid:\t10001\t10001\t10001\t10001")
            );
            for set in ["CapPrm:", "CapEff:", "CapBnd:"] {
                assert!(
                    line(set).is_some_and(|all| all.ends_with("\t0000000000000000")),
                    "{status}"
                );
            }
        }
        let answer = collector.send(Crash::accepted().request());
        let id = answer.crash_id().unwrap_or_else(|| panic!("{answer:?}"));
        let crashes = collector.folder().join("data/crashes");
        let stored = objects_below(&crashes);
        assert!(
            stored.keys().any(|path| path.contains(&id)),
            "{:?}",
            stored.keys()
        );
        kill_process(pid, signal).expect("the collector runs");
        assert_eq!(
            collector.wait_for_end().code(),
            Some(0),
            "{:#?}",
            collector.log()
        );
    }
}

#[test]
fn a_folder_for_reports_that_is_somebody_elses_stops_the_start_in_plain_words() {
    let (folder, binary) = folder_for_all();
    folder_below(folder.path(), "data", false);
    let mut settings = settings(folder.path());
    settings.retain(|(name, _)| *name != "CRASHMOVER_SPOOL_DIR");
    let checked = check_without_rights(&binary, &settings);
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert_eq!(checked.status.code(), Some(1), "{said}");
    let failed = start_without_rights(folder, &binary, &settings)
        .err()
        .expect("no start");
    assert_eq!(failed.status.code(), Some(1));
    let told = startup_error(&failed);
    for words in [
        "data/crashes",
        "permission denied: let the collector's user read and write",
    ] {
        assert!(told.contains(words), "{words}: {told}");
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn a_spool_that_is_somebody_elses_stops_the_start_in_plain_words() {
    let (folder, binary) = folder_for_all();
    let data = folder_below(folder.path(), "data", true);
    folder_below(&data, "spool", false);
    let settings = settings(folder.path());
    let failed = start_without_rights(folder, &binary, &settings)
        .err()
        .expect("no start");
    assert_eq!(failed.status.code(), Some(1));
    let told = startup_error(&failed);
    for words in [
        "data/spool",
        "Permission denied",
        "the collector's user must own the spool folder",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn a_folder_that_is_taken_away_meanwhile_is_told_and_nothing_is_promised() {
    let (folder, binary) = folder_for_all();
    folder_below(folder.path(), "data", true);
    let mut settings = settings(folder.path());
    settings.retain(|(name, _)| *name != "CRASHMOVER_SPOOL_DIR");
    // Belongs to whoever runs the tests, so that its rights can be changed.
    let crashes = folder_below(&folder.path().join("data"), "crashes", true);
    let collector = start_without_rights(folder, &binary, &settings).expect("a start");
    set_mode(&crashes, 0o555);
    let answer = collector.send(Crash::accepted().request());
    assert_eq!(answer.status, 500, "{answer:?}");
    let health = collector.get("/__heartbeat__");
    assert_eq!(health.status, 503, "{health:?}");
    assert!(health.text().contains("ermission denied"), "{health:?}");
    wait_for("the log says why", || {
        let log = collector.log();
        let why = |line: &String| line.contains("dropped") && line.contains("permission denied");
        log.iter().any(why).then_some(())
    });
    set_mode(&crashes, 0o777);
    let answer = collector.send(Crash::accepted().request());
    assert!(answer.crash_id().is_some(), "{answer:?}");
    collector.stop();
}

fn startup_error(failed: &FailedStart) -> String {
    let mut lines = failed.log.iter();
    let line = lines.find(|line| line.contains("Unhandled startup exception"));
    line.unwrap_or_else(|| panic!("{:#?}", failed.log)).clone()
}
