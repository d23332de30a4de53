//! One life of the real binary: started on a folder that outlives it, with a log file of its own, ended by a signal.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::support::wait::{PATIENCE, wait_within};

/// Settings as the collector gets them.
pub type Settings = Vec<(String, String)>;

/// What the ready line says before the address.
const READY: &str = "listening on http://";

/// The binary under test: a copy, so that a build during a long run does not change what is killed.
static BINARY: OnceLock<PathBuf> = OnceLock::new();

/// Copies the binary into `folder`, or else the one that cargo built for this suite; to be called once, before any life.
pub fn copy_binary(folder: &Path, binary: Option<&Path>) {
    let copy = folder.join("antenna");
    let built = Path::new(env!("CARGO_BIN_EXE_antenna"));
    fs::copy(binary.unwrap_or(built), &copy).expect("a binary");
    BINARY.set(copy).expect("called once");
}

fn binary() -> &'static Path {
    BINARY.get().expect("copied before the first life")
}

/// A running collector; killed when dropped.
pub struct Life {
    child: Child,
    log: PathBuf,
    /// The process id of the collector, as seen from here.
    pid: Pid,
}

impl Life {
    /// Starts the collector. Lives are numbered, so that each has its own log below `folder`.
    pub fn start(folder: &Path, number: u32, settings: &Settings) -> Self {
        let binary = Command::new(binary());
        let mut life = Self::spawn(binary, folder, number, settings);
        life.pid = Pid::from_child(&life.child);
        life
    }

    /// As [`Self::start`], as the first process of a process namespace, where signals that nobody handles do nothing.
    pub fn start_as_first(folder: &Path, number: u32, settings: &Settings) -> Self {
        let mut unshare = Command::new("unshare");
        unshare.args(["--user", "--map-root-user", "--pid", "--fork"]);
        unshare.arg("--kill-child").arg(binary());
        let mut life = Self::spawn(unshare, folder, number, settings);
        let parent = life.child.id();
        let children = format!("/proc/{parent}/task/{parent}/children");
        let child = wait_within(PATIENCE, "unshare starts the collector", || {
            let child = fs::read_to_string(&children).ok()?.trim().parse().ok()?;
            // Until it has become the collector, it is a copy of unshare.
            let name = fs::read_to_string(format!("/proc/{child}/comm")).ok()?;
            (name.trim() == "antenna").then(|| Pid::from_raw(child))?
        });
        life.pid = child.unwrap_or_else(|problem| panic!("{problem}: {}", life.log()));
        life
    }

    fn spawn(mut command: Command, folder: &Path, number: u32, settings: &Settings) -> Self {
        let log = folder.join(format!("life-{number}.log"));
        let file = File::create(&log).expect("a log file");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let child = command
            .env_clear()
            .env("PATH", path)
            .env("HOST", "127.0.0.1")
            .env("PORT", "0")
            .env("BASEDIR", folder)
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a second handle"))
            .stderr(file)
            .spawn()
            .expect("the binary can be started");
        let pid = Pid::from_child(&child);
        Self { child, log, pid }
    }

    /// Waits until it takes requests.
    ///
    /// # Errors
    /// It ended before.
    pub fn ready(&mut self) -> Result<SocketAddr, ExitStatus> {
        let outcome =
            wait_within(
                PATIENCE,
                "the collector is ready or has ended",
                || match address_in(&self.log()) {
                    Some(address) => Some(Ok(address)),
                    None => self.ended().map(Err),
                },
            );
        outcome.unwrap_or_else(|problem| panic!("{problem}\n{}", self.log()))
    }

    pub fn log(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The last lines of the log, for messages.
    pub fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of ours")
    }

    pub fn ended_within(&mut self, time: Duration) -> Option<ExitStatus> {
        wait_within(time, "the end", || self.ended()).ok()
    }

    pub fn signal(&self, signal: Signal) {
        // It may have ended a moment ago, but it has not been waited for: the number is still its own.
        let _ = kill_process(self.pid, signal);
    }

    /// Ends it as `kill -9` does; its status if it had ended by itself before.
    pub fn kill(&mut self) -> ExitStatus {
        let _ = self.child.kill();
        self.child.wait().expect("a child of ours")
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        if self.ended().is_none() {
            self.kill();
        }
    }
}

/// True where the process ended by one of the two deaths of this suite.
pub fn was_killed(status: ExitStatus) -> bool {
    let by = |signal: Signal| status.signal() == Some(signal.as_raw());
    by(Signal::KILL) || by(Signal::ABORT)
}

/// True where a fail point ended it.
pub fn was_aborted(status: ExitStatus) -> bool {
    status.signal() == Some(Signal::ABORT.as_raw())
}

fn address_in(log: &str) -> Option<SocketAddr> {
    let (_, rest) = log.split_once(READY)?;
    let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':'))?;
    rest[..end].parse().ok()
}
