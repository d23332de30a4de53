//! A running collector of which every POST is remembered, so that afterwards it can be asked: where is what you promised?

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::books::Books;
use super::scene::{Scene, Settings};
use crate::support::collector::TestCollector;
use crate::support::crash::Crash;
use crate::support::statsd::StatsdReceiver;
use crate::support::stored::objects_below;
use crate::support::wait::wait_for;
use crate::support::wire::{Answer, Exchange, Response};

/// A collector with its surroundings.
pub struct Rig {
    pub collector: TestCollector,
    pub scene: Option<Scene>,
    statsd: StatsdReceiver,
    posts: AtomicU64,
    carried: AtomicI64,
    promised: Mutex<Vec<Promised>>,
}

/// A report that its client was told is kept.
pub struct Promised {
    id: String,
    dump: Vec<u8>,
}

/// What a report's dump consists of: different for every number, and of more than one packet.
fn dump(number: usize) -> Vec<u8> {
    (0..40_000)
        .map(|at| ((at * 7 + number * 13) % 251) as u8)
        .collect()
}

pub fn crash(number: usize) -> Crash {
    Crash::default()
        .annotation("ProductName", "Thunderbird")
        .annotation("Version", &format!("115.6.{number}"))
        .dump("upload_file_minidump", &dump(number))
}

impl Rig {
    pub fn start(scene: Option<Scene>, settings: &Settings) -> Self {
        let statsd = StatsdReceiver::start();
        let more = [
            ("STATSD_HOST".to_owned(), "127.0.0.1".to_owned()),
            ("STATSD_PORT".to_owned(), statsd.port().to_string()),
        ];
        let settings = [settings.as_slice(), &more].concat();
        Self {
            collector: TestCollector::start(&settings),
            scene,
            statsd,
            posts: AtomicU64::new(0),
            carried: AtomicI64::new(0),
            promised: Mutex::default(),
        }
    }

    pub fn scene(&self) -> &Scene {
        self.scene.as_ref().expect("a test with S3 and SQS")
    }

    /// One POST on a connection of its own.
    pub fn post(&self, exchange: &Exchange) -> Answer {
        self.posts.fetch_add(1, Ordering::SeqCst);
        self.collector.play(exchange).remove(0)
    }

    /// One POST that the test makes itself.
    pub fn count_post(&self) {
        self.posts.fetch_add(1, Ordering::SeqCst);
    }

    /// Sends the report of this number; what it was answered, and how long that took.
    pub fn submit_timed(&self, number: usize) -> (Response, Duration) {
        let started = Instant::now();
        let answer = self.post(&Exchange::of(crash(number).request()));
        let took = started.elapsed();
        let response = answer.response().clone();
        if response.status == 200 {
            let id = response.crash_id().expect("an id with a yes");
            let dump = dump(number);
            self.promised.lock().unwrap().push(Promised { id, dump });
        }
        (response, took)
    }

    pub fn submit(&self, number: usize) -> Response {
        self.submit_timed(number).0
    }

    /// Sends these reports at once.
    pub fn submit_all(&self, numbers: std::ops::Range<usize>) -> Vec<(Response, Duration)> {
        std::thread::scope(|scope| {
            let clients: Vec<_> = numbers
                .map(|number| scope.spawn(move || self.submit_timed(number)))
                .collect();
            clients
                .into_iter()
                .map(|client| client.join().unwrap())
                .collect()
        })
    }

    pub fn says(&self, words: &str) -> bool {
        self.times_said(words) > 0
    }

    pub fn times_said(&self, words: &str) -> usize {
        let log = self.collector.log();
        log.iter().filter(|line| line.contains(words)).count()
    }

    pub fn wait_until_said(&self, words: &str, times: usize) {
        wait_for(&format!("{times} log lines with {words:?}"), || {
            (self.times_said(words) >= times).then_some(())
        });
    }

    /// Every promised report is in the bucket, byte for byte, and its id was in the queue; nothing half-saved is visible.
    pub fn assert_all_arrive(&self) {
        let scene = self.scene();
        let promised = self.promised.lock().unwrap();
        wait_for("every promised report is in the bucket", || {
            let keys = scene.keys();
            let is_there = |p: &Promised| keys.iter().any(|key| is_raw_crash_of(key, &p.id));
            promised.iter().all(is_there).then_some(())
        });
        let objects = scene.objects();
        for Promised { id, dump } in promised.iter() {
            assert!(
                &objects[&format!("v1/dump/{id}")] == dump,
                "bytes differ: {id}"
            );
        }
        assert_no_half_reports(&objects.into_keys().collect::<Vec<_>>());
        wait_for("every promised id is in the queue", || {
            let messages = scene.messages();
            promised
                .iter()
                .all(|p| messages.contains_key(&p.id))
                .then_some(())
        });
    }

    /// No report is visible to the processor.
    pub fn assert_none_visible(&self) {
        let keys = self.scene().keys();
        let visible = keys.iter().filter(|key| key.contains("/raw_crash/"));
        assert_eq!(visible.count(), 0, "{keys:?}");
    }

    pub fn wait_until_spool_is_empty(&self) {
        wait_for("the spool is empty", || {
            (self.spool_entries() == 0).then_some(())
        });
    }

    /// Entries in the spool `spool` in the collector's folder, where [`Self::SPOOL`] puts it.
    pub fn spool_entries(&self) -> usize {
        let files = objects_below(&self.collector.folder().join("spool"));
        let entries = files.keys().filter(|path| {
            path.starts_with("save/") || path.starts_with("publish/") || path.starts_with("failed/")
        });
        entries.count()
    }

    /// Reports that another process keeps for this one (or, if negative, this one for another).
    pub fn carry(&self, reports: i64) {
        self.carried.fetch_add(reports, Ordering::SeqCst);
    }

    /// What was promised so far, for another process that keeps the promises.
    pub fn promised(&self) -> Vec<Promised> {
        std::mem::take(&mut *self.promised.lock().unwrap())
    }

    /// Takes over the promises of another process.
    pub fn expect(&self, promised: Vec<Promised>) {
        self.promised.lock().unwrap().extend(promised);
    }

    /// Stops the collector in good order; the books must balance.
    pub fn end(self) -> Ended {
        let (_folder, log) = self.collector.stop();
        let mut books = Books::default();
        let posts = self.posts.load(Ordering::SeqCst);
        books.balance(&self.statsd, posts, self.carried.load(Ordering::SeqCst));
        Ended {
            books,
            log,
            scene: self.scene,
        }
    }
}

/// What a collector leaves behind.
pub struct Ended {
    pub books: Books,
    pub log: Vec<String>,
    pub scene: Option<Scene>,
}

/// Turns the spool on, in the collector's own folder, whatever the disk of this machine has free.
pub const SPOOL: [(&str, &str); 2] = [
    ("CRASHMOVER_SPOOL_DIR", "spool"),
    ("CRASHMOVER_SPOOL_MIN_FREE_BYTES", "0"),
];

pub fn assert_not_kept(response: &Response) {
    assert_eq!(response.status, 500, "{response:?}");
    assert_eq!(response.text(), "");
}

pub fn assert_overloaded(response: &Response) {
    assert_eq!(response.status, 503, "{response:?}");
    assert_eq!(response.text(), "Discarded=overloaded");
}

fn is_raw_crash_of(key: &str, id: &str) -> bool {
    key.starts_with("v1/raw_crash/") && key.ends_with(id)
}

/// What the processor can see has all its parts.
fn assert_no_half_reports(keys: &[String]) {
    for key in keys.iter().filter(|key| key.contains("/raw_crash/")) {
        let id = key.rsplit('/').next().expect("a last part");
        for part in ["dump_names", "dump"] {
            let part = format!("v1/{part}/{id}");
            assert!(keys.contains(&part), "{key} without {part}");
        }
    }
}
