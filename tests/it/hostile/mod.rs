//! What somebody sends who wants the collector's memory, time or places (`shapes.py`): memory stays within the budget and
//! what is stated beside it, ordinary clients are served, everybody gets an answer or an end.
//!
//! This is a part of the shapes, with small bodies, against the unoptimised build. All of them, against the one that is
//! shipped: `tests/load/hostile.sh`.

use std::process::Command;

const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/venv/bin/python");
/// A debug build on a busy machine: whether the runtime is held up shows in seconds here.
const PROBE_MS: &str = "1500";

#[test]
fn nothing_that_is_sent_takes_more_than_its_share() {
    let run = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/hostile/run.py");
    let antenna = env!("CARGO_BIN_EXE_antenna");
    let output = Command::new(PYTHON)
        .args([run, "--antenna", antenna, "--quick", "--seconds", "3"])
        .args(["--probe-ms", PROBE_MS])
        .output()
        .expect("Python");
    let rows = String::from_utf8_lossy(&output.stdout);
    println!("{rows}");
    assert!(
        output.status.success(),
        "{rows}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
