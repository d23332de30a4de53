//! The commands for people: the real binary, as a person types it, against a real collector.

mod check;
mod completions;
mod exit_codes;
mod https;
mod pages;
mod pipes;
mod settings;
mod spool;
mod submit;
mod submit_many;
mod submit_trouble;
mod throttle;

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::collector::TestCollector;

/// How a command ended and what it said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    /// What it printed; it must have ended well.
    pub fn fine(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }
}

/// Runs a command to its end in an otherwise empty environment.
pub fn antenna(settings: &[(&str, &str)], args: &[&str]) -> Said {
    antenna_with_input(settings, args, b"")
}

/// The same, with something on standard input.
pub fn antenna_with_input(settings: &[(&str, &str)], args: &[&str], input: &[u8]) -> Said {
    let mut child = Command::new(env!("CARGO_BIN_EXE_antenna"))
        .env_clear()
        .envs(settings.iter().copied())
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary can be started");
    let mut stdin = child.stdin.take().expect("a piped stream");
    // A command that reads nothing may have ended already.
    let _ = stdin.write_all(input);
    drop(stdin);
    let output = child.wait_with_output().expect("a child of ours");
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

/// Where a collector takes reports.
pub fn url(collector: &TestCollector) -> String {
    format!("http://{}/submit", collector.address())
}
