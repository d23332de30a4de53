//! The real binary, started as an operator would: settings in an otherwise empty environment, a port of its choice,
//! a folder of its own. Ends with the test, whatever happens.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::wait::{PATIENCE, wait_for, wait_within};
use super::wire::{self, Answer, Exchange, Response};

/// What the ready line says before the address.
const READY: [&str; 2] = ["listening on http://", "listening on https://"];
/// What the log says before the admin listener's address.
const ADMIN: &str = "admin listener on http://";

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
        Self::ready(Process::spawn_by(command, folder, settings))
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

fn new_folder() -> TempDir {
    tempfile::Builder::new()
        .prefix("antenna-test-")
        .tempdir()
        .expect("a temporary folder")
}

fn address_in(line: &str, words: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once(words)?;
    let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':'));
    rest[..end.unwrap_or(rest.len())].parse().ok()
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

/// The child process with its log; killed when dropped.
struct Process {
    child: Child,
    folder: TempDir,
    lines: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    fn spawn<K: AsRef<str>, V: AsRef<str>>(folder: TempDir, settings: &[(K, V)]) -> Self {
        let binary = Command::new(env!("CARGO_BIN_EXE_antenna"));
        Self::spawn_by(binary, folder, settings)
    }

    fn spawn_by<K: AsRef<str>, V: AsRef<str>>(
        mut command: Command,
        folder: TempDir,
        settings: &[(K, V)],
    ) -> Self {
        let own = [
            ("HOST", "127.0.0.1".to_owned()),
            ("PORT", "0".to_owned()),
            ("BASEDIR", folder.path().display().to_string()),
            (
                "CRASHMOVER_CRASHSTORAGE_FS_ROOT",
                folder.path().join("crashes").display().to_string(),
            ),
        ];
        let mut child = command
            .env_clear()
            .envs(own)
            .envs(settings.iter().map(|(k, v)| (k.as_ref(), v.as_ref())))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary can be started");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let stdout = child.stdout.take().expect("a piped stream");
        let stderr = child.stderr.take().expect("a piped stream");
        let readers = vec![
            collect(stdout, lines.clone()),
            collect(stderr, lines.clone()),
        ];
        Self {
            child,
            folder,
            lines,
            readers,
        }
    }

    fn admin(&self) -> SocketAddr {
        wait_for("the admin listener is open", || {
            self.log().iter().find_map(|line| address_in(line, ADMIN))
        })
    }

    fn log(&self) -> Vec<String> {
        self.lines.lock().expect("no panic while locked").clone()
    }

    /// The log to its end; only after the process has ended.
    fn whole_log(&mut self) -> Vec<String> {
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        self.log()
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of ours")
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a child of ours");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            let log = self.whole_log();
            let tail = log.len().saturating_sub(60);
            eprintln!("the collector's last lines:\n{}", log[tail..].join("\n"));
        }
    }
}

fn collect(stream: impl Read + Send + 'static, lines: Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            lines.lock().expect("no panic while locked").push(line);
        }
    })
}
