//! The collector's process with its log.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::wait::wait_for;

/// What the log says before the admin listener's address.
const ADMIN: &str = "admin listener on http://";

/// The child process with its log; killed when dropped.
pub(super) struct Process {
    pub(super) child: Child,
    pub(super) folder: TempDir,
    lines: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    pub(super) fn spawn<K: AsRef<str>, V: AsRef<str>>(
        folder: TempDir,
        settings: &[(K, V)],
    ) -> Self {
        let binary = Command::new(env!("CARGO_BIN_EXE_antenna"));
        Self::spawn_by(binary, Stdio::null(), folder, settings)
    }

    pub(super) fn spawn_by<K: AsRef<str>, V: AsRef<str>>(
        mut command: Command,
        stdin: Stdio,
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
            .stdin(stdin)
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

    pub(super) fn admin(&self) -> SocketAddr {
        wait_for("the admin listener is open", || {
            self.log().iter().find_map(|line| address_in(line, ADMIN))
        })
    }

    pub(super) fn log(&self) -> Vec<String> {
        self.lines.lock().expect("no panic while locked").clone()
    }

    /// The log to its end; only after the process has ended.
    pub(super) fn whole_log(&mut self) -> Vec<String> {
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        self.log()
    }

    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of ours")
    }

    pub(super) fn signal(&self, signal: Signal) {
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

pub(super) fn address_in(line: &str, words: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once(words)?;
    let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':'));
    rest[..end.unwrap_or(rest.len())].parse().ok()
}
