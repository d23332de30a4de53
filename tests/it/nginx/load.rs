//! Clients that send reports without a pause and remember what they were told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::Value;

use crate::support::crash::Crash;
use crate::support::stored::{Objects, crash_id_of};
use crate::support::wait::wait_for;
use crate::support::wire::{Answer, Exchange, play};

const CLIENTS: usize = 4;

/// What the clients were told.
#[derive(Debug, Default)]
pub struct Told {
    /// Crash id to the marker of the report.
    pub kept: BTreeMap<String, String>,
    /// What came in place of a crash id, and how often.
    pub refused: BTreeMap<String, usize>,
}

/// The load while it goes on.
pub struct Load {
    told: Mutex<Told>,
    sent: AtomicUsize,
    is_over: AtomicBool,
}

impl Load {
    /// Sends reports to `address` while `meanwhile` runs.
    pub fn during(address: SocketAddr, meanwhile: impl FnOnce(&Self)) -> Told {
        let load = Self {
            told: Mutex::default(),
            sent: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        };
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| load.client(address));
            }
            // The clients must end whether or not it panics.
            let end = End(&load.is_over);
            meanwhile(&load);
            drop(end);
        });
        load.told.into_inner().expect("no client panicked")
    }

    /// Waits until so many more reports were answered with an id.
    pub fn wait_for_more(&self, more: usize) {
        let kept = || self.told.lock().expect("no client panicked").kept.len();
        let enough = kept() + more;
        wait_for("more reports are kept", || (kept() >= enough).then_some(()));
    }

    fn client(&self, address: SocketAddr) {
        while !self.is_over.load(Ordering::Relaxed) {
            let marker = format!("report-{}", self.sent.fetch_add(1, Ordering::Relaxed));
            let crash = Crash::accepted()
                .annotation("Marker", &marker)
                .dump("upload_file_minidump_browser", &[7; 30_000]);
            let answers = play(address, &Exchange::of(crash.request()));
            let mut told = self.told.lock().expect("no client panicked");
            match &answers[0] {
                Answer::Response(response) => match response.crash_id() {
                    Some(id) => drop(told.kept.insert(id, marker)),
                    None => *told.refused.entry(response.status.to_string()).or_default() += 1,
                },
                other => *told.refused.entry(format!("{other:?}")).or_default() += 1,
            }
        }
    }
}

struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Told {
    /// Demands that every answered report is stored whole, under its id. Returns how many are stored twice.
    pub fn assert_all_stored(&self, stores: &[Objects]) -> usize {
        let mut stored = BTreeMap::new();
        for (path, content) in stores.iter().flatten() {
            let id = crash_id_of(path);
            if let Some(id) = id.filter(|_| path.contains("/raw_crash/")) {
                let raw_crash: Value = serde_json::from_slice(content).expect("JSON");
                stored.insert(
                    id.to_owned(),
                    raw_crash["Marker"].as_str().unwrap().to_owned(),
                );
            }
        }
        for (id, marker) in &self.kept {
            assert_eq!(stored.get(id), Some(marker), "{id} was answered");
            let dump = |(path, content): (&String, &Vec<u8>)| {
                path.contains("/upload_file_minidump_browser/")
                    && path.ends_with(id.as_str())
                    && *content == [7; 30_000]
            };
            assert!(stores.iter().flatten().any(dump), "{id} has no dump");
        }
        let markers: std::collections::BTreeSet<_> = stored.values().collect();
        stored.len() - markers.len()
    }
}
