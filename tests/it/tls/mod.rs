//! A collector that speaks TLS itself: its clients, how connections end, and what its two files may hold.

mod clients;
mod ends;
mod files;
mod handshakes;

use std::io::{Read, Write};
use std::path::Path;

use tempfile::TempDir;

use crate::support::collector::TestCollector;
use crate::support::tls::{CERTIFICATE, KEY, Secure, connect, make_certificate};
use crate::support::wire::{Exchange, play};

/// Takes everything, so that what is tested is the way here and not a rule.
const ACCEPT_ALL: [(&str, &str); 2] = [
    ("BREAKPAD_THROTTLER_RULES", "accept_all"),
    ("BREAKPAD_THROTTLER_PRODUCTS", "all"),
];
const HEAD: &str = "GET /__lbheartbeat__ HTTP/1.1\r\nHost: localhost\r\n";

/// A collector and the folder with its certificate.
struct Scene {
    collector: TestCollector,
    folder: TempDir,
}

impl Scene {
    fn start(more: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        make_certificate(folder.path());
        let files = files(folder.path());
        let files = files.iter().map(|(name, path)| (*name, path.as_str()));
        let admin = ("ADMIN_LISTEN", "127.0.0.1:0");
        let settings = files.chain(ACCEPT_ALL).chain([admin]);
        let settings: Vec<_> = settings.chain(more.iter().copied()).collect();
        let collector = TestCollector::start(&settings);
        Self { collector, folder }
    }

    /// A connection that trusts the certificate as it is in the folder now.
    fn connect(&self) -> Secure {
        connect(self.collector.address(), self.folder.path())
    }

    fn is_answered(&self) -> bool {
        answers(&mut self.connect())
    }

    /// A counter's value; its name as Prometheus has it.
    fn counted(&self, sample: &str) -> u64 {
        let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let answers = play(self.collector.admin(), &Exchange::of(request.into()));
        let text = answers[0].response().text();
        let found = text.lines().filter_map(|line| line.rsplit_once(' '));
        let mut found = found.filter(|(name, _)| *name == sample);
        found.next().map_or(0, |(_, value)| value.parse().unwrap())
    }

    fn log_has(&self, words: &str) -> bool {
        self.collector.log().iter().any(|line| line.contains(words))
    }
}

/// The two settings for what `make_certificate` made.
fn files(folder: &Path) -> [(&'static str, String); 2] {
    let path = |name| folder.join(name).display().to_string();
    [
        ("TLS_CERTIFICATE", path(CERTIFICATE)),
        ("TLS_KEY", path(KEY)),
    ]
}

/// Asks on a connection that stays open, and reads the answer.
fn answers(client: &mut Secure) -> bool {
    client
        .write_all(format!("{HEAD}\r\n").as_bytes())
        .and_then(|()| head(client))
        .is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// Reads to the end of an answer's head.
fn head(client: &mut Secure) -> std::io::Result<String> {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        read.extend(byte);
    }
    Ok(String::from_utf8_lossy(&read).into_owned())
}
