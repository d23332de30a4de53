//! The real binary, started as an operator would: settings in an otherwise empty environment, a port of its choice,
//! a folder of its own. Ends with the test, whatever happens.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use super::process::{Process, address_in};
use super::wait::{PATIENCE, wait_for, wait_within};
use super::wire::{self, Answer, Exchange, Response};

/// What the ready line says before the address.
const READY: [&str; 2] = ["listening on http://", "listening on https://"];
/// A collector that answers.
pub struct TestCollector {
    process: Process,
    address: SocketAddr,
}

/// A collector that ended before it was ready.
#[derive(Debug)]
pub struct FailedStart {
    pub status: ExitStatus,
    pub log: Vec<String>,
}

impl TestCollector {
    /// Starts a collector with these settings besides the address and the folders.
    ///
    /// Panics if it does not become ready; the panic shows its log.
    pub fn start<K: AsRef<str>, V: AsRef<str>>(settings: &[(K, V)]) -> Self {
        Self::try_start(settings).unwrap_or_else(|failed| {
            panic!("ended with {}:\n{}", failed.status, failed.log.join("\n"))
        })
    }

    /// As [`Self::start`], in a folder that the test has prepared.
    pub fn start_in<K: AsRef<str>, V: AsRef<str>>(folder: TempDir, settings: &[(K, V)]) -> Self {
        Self::ready(Process::spawn(folder, settings)).unwrap_or_else(|failed| {
            panic!("ended with {}:\n{}", failed.status, failed.log.join("\n"))
        })
    }

    /// As [`Self::try_start`], by another program: `through` and its arguments, then the binary. The folder is prepared.
    ///
    /// # Errors
    /// It ended before the ready line.
    pub fn try_start_through<K: AsRef<str>, V: AsRef<str>>(
        through: &[&str],
        binary: &Path,
        folder: TempDir,
        settings: &[(K, V)],
    ) -> Result<Self, FailedStart> {
        let mut command = Command::new(through[0]);
        command.args(&through[1..]).arg(binary);
        Self::ready(Process::spawn_by(command, Stdio::null(), folder, settings))
    }

    /// Starts a collector to which a socket is handed over, as systemd does it. The folder is prepared.
    ///
    /// # Errors
    /// It ended before the ready line.
    pub fn try_start_on<K: AsRef<str>, V: AsRef<str>>(
        socket: impl Into<OwnedFd>,
        folder: TempDir,
        settings: &[(K, V)],
    ) -> Result<Self, FailedStart> {
        let mut command = Command::new("/bin/sh");
        let script = r#"exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec "$0""#;
        command.args(["-c", script, env!("CARGO_BIN_EXE_antenna")]);
        let stdin = Stdio::from(socket.into());
        Self::ready(Process::spawn_by(command, stdin, folder, settings))
    }

    /// Starts a collector that may refuse to start.
    ///
    /// # Errors
    /// It ended before the ready line.
    pub fn try_start<K: AsRef<str>, V: AsRef<str>>(
        settings: &[(K, V)],
    ) -> Result<Self, FailedStart> {
        Self::ready(Process::spawn(new_folder(), settings))
    }

    fn ready(mut process: Process) -> Result<Self, FailedStart> {
        let outcome = wait_for("the collector is ready or has ended", || {
            if let Some(address) = process
                .log()
                .iter()
                .find_map(|line| READY.iter().find_map(|words| address_in(line, words)))
            {
                return Some(Ok(address));
            }
            process.ended().map(Err)
        });
        match outcome {
            Ok(address) => Ok(Self { process, address }),
            Err(status) => Err(FailedStart {
                status,
                log: process.whole_log(),
            }),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The process that was started.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.process.child)
    }

    /// The admin listener's; `ADMIN_LISTEN` must be among the settings.
    pub fn admin(&self) -> SocketAddr {
        self.process.admin()
    }

    /// The folder that is the collector's own; `crashes` in it is where it saves.
    pub fn folder(&self) -> &Path {
        self.process.folder.path()
    }

    pub fn crashes(&self) -> PathBuf {
        self.folder().join("crashes")
    }

    /// The log so far, standard output and standard error.
    pub fn log(&self) -> Vec<String> {
        self.process.log()
    }

    /// Sends `bytes` on a connection of their own and reads one answer.
    pub fn send(&self, bytes: Vec<u8>) -> Response {
        self.play(&Exchange::of(bytes))[0].response().clone()
    }

    pub fn get(&self, path: &str) -> Response {
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        self.send(request.into_bytes())
    }

    pub fn play(&self, exchange: &Exchange) -> Vec<Answer> {
        wire::play(self.address, exchange)
    }

    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits for the end without asking for it.
    pub fn wait_for_end(&mut self) -> ExitStatus {
        wait_for("the collector ends", || self.process.ended())
    }

    /// Asks for a graceful stop and demands that it is one. Gives back the folder and the whole log.
    pub fn stop(mut self) -> (TempDir, Vec<String>) {
        self.signal(Signal::TERM);
        let ended = wait_within(PATIENCE, "the collector stops after SIGTERM", || {
            self.process.ended()
        });
        let log = self.process.whole_log();
        match ended {
            Ok(status) if status.success() => (
                std::mem::replace(&mut self.process.folder, new_folder()),
                log,
            ),
            other => panic!("no graceful stop: {other:?}\n{}", log.join("\n")),
        }
    }
}

pub fn new_folder() -> TempDir {
    tempfile::Builder::new()
        .prefix("antenna-test-")
        .tempdir()
        .expect("a temporary folder")
}

/// A collector that may never become ready. Killed when dropped.
pub struct Starting(Process);

impl Starting {
    pub fn spawn<K: AsRef<str>, V: AsRef<str>>(settings: &[(K, V)]) -> Self {
        Self(Process::spawn(new_folder(), settings))
    }

    /// The admin listener's address, as soon as it is open.
    pub fn admin(&self) -> SocketAddr {
        self.0.admin()
    }
}
