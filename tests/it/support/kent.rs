//! `kent`, a Sentry that only remembers, written by others, as a child process on free ports: one in plain HTTP, one with
//! TLS and a certificate of an authority of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::wait::wait_for;
use super::wire::{Exchange, play};

const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/venv/bin/python");
/// Ends with us however we end: its standard input is a pipe that closes then.
const SERVER: &str = include_str!("kent.py");
/// What must not be seen anywhere but in the DSN.
pub const KEY: &str = "hunter2key";

/// A running server. Killed when dropped.
pub struct Kent {
    child: Child,
    address: SocketAddr,
    tls_port: u16,
    folder: TempDir,
}

impl Kent {
    pub fn start() -> Self {
        assert!(
            Path::new(PYTHON).exists(),
            "{PYTHON} is missing: run tests/run.sh once, it installs kent there"
        );
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(PYTHON)
            .args(["-c", SERVER])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut ports = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut ports).unwrap();
        let (port, tls_port) = ports.trim().split_once(' ').expect("kent starts");
        Self {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap())),
            tls_port: tls_port.parse().unwrap(),
            folder,
        }
    }

    pub fn dsn(&self) -> String {
        format!("http://{KEY}@{}/1", self.address)
    }

    pub fn tls_dsn(&self) -> String {
        format!("https://{KEY}@localhost:{}/1", self.tls_port)
    }

    /// The certificate of the authority that signed the server's.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// Everything that arrived, with envelopes and whatever is no event.
    pub fn everything(&self) -> Vec<Value> {
        let list = self.get("/api/eventlist/");
        let ids = list["events"].as_array().expect("a list of events");
        let ids = ids
            .iter()
            .map(|event| event["event_id"].as_str().expect("an id"));
        ids.map(|id| self.get(&format!("/api/event/{id}"))["payload"].clone())
            .collect()
    }

    /// The events that arrived, in order.
    pub fn events(&self) -> Vec<Value> {
        let items = self.everything().into_iter();
        let events = items.filter(|item| item["header"]["type"] == "event");
        events.map(|item| item["body"].clone()).collect()
    }

    /// Waits for that many.
    pub fn wait_for_events(&self, count: usize) -> Vec<Value> {
        wait_for(&format!("{count} events in Sentry"), || {
            Some(self.events()).filter(|events| events.len() >= count)
        })
    }

    fn get(&self, path: &str) -> Value {
        let request = format!("GET {path} HTTP/1.1\r\nHost: kent\r\nConnection: close\r\n\r\n");
        let answers = play(self.address, &Exchange::of(request.into_bytes()));
        serde_json::from_slice(&answers[0].response().body).expect("kent answers JSON")
    }
}

impl Drop for Kent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
