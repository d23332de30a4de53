//! `moto_server`, an S3 and SQS in Python that others wrote, as a child process on a free port of 127.0.0.1.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/venv/bin/python");
const START_DEADLINE: Duration = Duration::from_secs(120);
/// Ends with us however we end: its standard input is a pipe that closes then.
const SERVER: &str = "
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from moto.server import main
main(['-H', '127.0.0.1', '-p', '0'])
";

/// A running server. Killed when dropped.
pub struct Moto {
    child: Child,
    address: SocketAddr,
}

impl Moto {
    /// A server of one's own, for tests that stop it.
    pub fn start() -> Self {
        assert!(
            Path::new(PYTHON).exists(),
            "{PYTHON} is missing: run tests/run.sh once, it installs moto_server there"
        );
        let mut child = Command::new(PYTHON)
            .args(["-c", SERVER])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let address = address_in(child.stderr.take().unwrap());
        Self { child, address }
    }

    /// The server that all tests share: each test uses buckets and queues with names of its own ([`unique`]).
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Moto> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A name that no other test uses, good for buckets and queues.
pub fn unique(prefix: &str) -> String {
    format!("{prefix}-{}", uuid::Uuid::new_v4().simple())
}

/// Waits for the line that names the port: the server answers from then on. Its log is read on, so that it never blocks.
fn address_in(log: ChildStderr) -> SocketAddr {
    let (found, address) = mpsc::channel();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(log).lines().map_while(Result::ok);
        let mut before = Vec::new();
        for line in lines.by_ref() {
            if let Some((_, address)) = line.split_once("Running on http://") {
                let _ = found.send(Ok(address.trim().parse().unwrap()));
                break;
            }
            before.push(line);
        }
        let _ = found.send(Err(before.join("\n")));
        lines.for_each(drop);
    });
    match address.recv_timeout(START_DEADLINE) {
        Ok(Ok(address)) => address,
        Ok(Err(log)) => panic!("moto_server did not start; it says:\n{log}"),
        Err(_) => panic!("moto_server did not start within {START_DEADLINE:?}"),
    }
}
