//! File descriptors: the limit is raised, too few are told of at start, and running out of them is no flood.

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit, prlimit};

use super::{ADMIN, ALL, ask, connect, report};
use crate::support::collector::{TestCollector, new_folder};
use crate::support::wait::wait_for;
use crate::support::wire::{Exchange, play};

const WARNING: &str = "instead of BREAKPAD_MAX_CONNECTIONS=2000";
const LIVE: &[u8] = b"GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

fn start_with(limit: &str) -> TestCollector {
    let script = format!(r#"ulimit {limit}; exec "$0""#);
    let through = ["/bin/sh", "-c", &script];
    let binary = Path::new(env!("CARGO_BIN_EXE_antenna"));
    TestCollector::try_start_through(&through, binary, new_folder(), &[ALL, ADMIN])
        .expect("a start")
}

fn said(collector: &TestCollector, words: &str) -> usize {
    let log = collector.log();
    log.iter().filter(|line| line.contains(words)).count()
}

fn is_live(collector: &TestCollector) -> bool {
    let answers = play(collector.admin(), &Exchange::of(LIVE.to_vec()));
    answers[0].response().status == 200
}

#[test]
fn the_soft_limit_is_raised_to_the_hard_one() {
    let collector = start_with("-Sn 64");
    let limits = format!("/proc/{}/limits", collector.pid().as_raw_nonzero());
    let limits = std::fs::read_to_string(limits).expect("a child of ours");
    let files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let words: Vec<_> = files.expect("a limit").split_whitespace().collect();
    assert_eq!(words[3], words[4], "{words:?}");
    assert_eq!(said(&collector, WARNING), 0);
    collector.stop();
}

#[test]
fn with_too_few_files_there_is_a_warning_and_the_admin_listener_is_reached() {
    let collector = start_with("-n 300");
    assert_eq!(said(&collector, WARNING), 1);
    let _many: Vec<_> = (0..400)
        .map(|_| TcpStream::connect(collector.address()))
        .collect();
    assert!(is_live(&collector));
    let mut client = connect(collector.address());
    ask(&mut client, &report("POST /submit HTTP/1.1"), "\n");
    assert_eq!(said(&collector, "cannot accept"), 0);
    collector.stop();
}

#[test]
fn check_tells_of_too_few_files() {
    let script = r#"ulimit -n 300; exec "$0" check"#;
    let folder = new_folder();
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", script, env!("CARGO_BIN_EXE_antenna")])
        .env_clear();
    command.env("CRASHMOVER_CRASHSTORAGE_FS_ROOT", folder.path());
    let output = command.output().expect("a shell");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains(WARNING), "{text}");
    assert!(output.status.success(), "{text}");
}

#[test]
fn running_out_of_files_is_one_warning_and_a_counter() {
    let collector = TestCollector::start(&[ALL, ADMIN]);
    let address = collector.admin();
    let limit = |current| {
        let limit = Rlimit {
            current: Some(current),
            maximum: getrlimit(Resource::Nofile).maximum,
        };
        prlimit(Some(collector.pid()), Resource::Nofile, limit).expect("a child of ours")
    };
    let before = limit(1);
    let waiting: Vec<_> = (0..5)
        .map(|_| TcpStream::connect(collector.address()))
        .collect();
    wait_for("a warning", || {
        (said(&collector, "cannot accept connections") > 0).then_some(())
    });
    // Some more attempts, all of them in vain.
    let _more = TcpStream::connect(collector.address());
    prlimit(Some(collector.pid()), Resource::Nofile, before).expect("a child of ours");
    drop(waiting);
    let metrics = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = play(address, &Exchange::of(metrics.to_vec()))[0]
        .response()
        .text();
    assert!(answer.contains("accept_failed"), "{answer}");
    assert_eq!(said(&collector, "cannot accept connections"), 1);
    collector.stop();
}
