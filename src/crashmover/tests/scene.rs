//! A crashmover on a stage, and what became of the reports that it was given. For tests only.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::super::*;
use super::hooks::{Hooked, Mood, Moody};
use crate::crash::{
    Annotations, CrashId, CrashReport, Dump, DumpName, Metadata, Payload, RawCrash, ThrottleDigit,
};
use crate::crash_storage::Layout;
use crate::disk::RealDisk;
use crate::disk::testing::FaultyDisk;
use crate::metrics::{Count, Fate, Outcome};
use crate::settings::SpoolSettings;

pub struct Scene {
    pub store: Arc<Hooked>,
    pub queue: Arc<Moody>,
    pub metrics: Metrics,
    pub crashmover: Arc<Crashmover>,
    pub spool: Option<Spool>,
    pub disk: Arc<FaultyDisk>,
    pub dir: TempDir,
}

/// What a test may want otherwise.
pub struct Wanted {
    pub acknowledge: Acknowledge,
    /// `None`: no spool.
    pub spool_bytes: Option<u64>,
    pub queue_size: usize,
    pub publish_backlog: usize,
    pub ack_timeout: Duration,
    pub is_silent: bool,
    /// The queue's at first.
    pub mood: Mood,
    /// What an earlier scene has left in the spool.
    pub dir: TempDir,
}

impl Wanted {
    pub fn new(acknowledge: Acknowledge, has_spool: bool) -> Self {
        Self {
            acknowledge,
            spool_bytes: has_spool.then_some(1 << 20),
            queue_size: 2,
            publish_backlog: 100,
            ack_timeout: Duration::from_secs(1),
            is_silent: false,
            mood: Mood::Fine,
            dir: TempDir::new().unwrap(),
        }
    }

    fn settings(&self) -> CrashmoverSettings {
        CrashmoverSettings {
            concurrent_crashmovers: 2,
            queue_size: self.queue_size,
            acknowledge: self.acknowledge,
            ack_timeout: self.ack_timeout,
            max_attempts: 3,
            retry_sleep: Duration::ZERO,
            save_timeout: Duration::from_secs(1),
            shutdown_timeout: Duration::from_secs(1),
            publish_backlog: self.publish_backlog,
        }
    }
}

impl Scene {
    pub async fn new(acknowledge: Acknowledge, has_spool: bool) -> Self {
        Self::build(Wanted::new(acknowledge, has_spool)).await
    }

    pub async fn build(wanted: Wanted) -> Self {
        let settings = wanted.settings();
        let dir = wanted.dir;
        let disk = Arc::new(FaultyDisk::new(Arc::new(RealDisk::private(true))));
        let open = |max_bytes| {
            let config = SpoolSettings {
                dir: dir.path().join("spool"),
                max_bytes,
                min_free_bytes: 0,
            };
            Spool::take(config, disk.clone()).unwrap()
        };
        let spool = wanted.spool_bytes.map(open);
        let (store, queue, metrics) = (
            Arc::new(Hooked::default()),
            Arc::new(Moody::default()),
            Metrics::default(),
        );
        queue.is(wanted.mood);
        queue.is_silent.store(wanted.is_silent, Ordering::SeqCst);
        let storage = CrashStorage::new(store.clone(), Layout::S3);
        let crashmover = Crashmover::start(
            storage,
            queue.clone(),
            spool.clone(),
            settings,
            Budget::new(1 << 20),
            metrics.clone(),
        )
        .await;
        Self {
            store,
            queue,
            metrics,
            crashmover,
            spool,
            disk,
            dir,
        }
    }

    /// Stops in good order, and in a hurry; what is left, and what the next process finds.
    pub async fn stop(self) -> (Leftover, TempDir) {
        let leftover = self.crashmover.drain(PATIENCE, &in_a_hurry()).await;
        (leftover, self.dir)
    }

    pub fn spool(&self) -> &Spool {
        self.spool.as_ref().expect("a test with a spool")
    }

    /// What is kept, or was found in the spool, and has neither a fate nor waits: nothing, once all is quiet.
    pub fn unaccounted(&self) -> i64 {
        let of = |count| i64::try_from(self.total(count)).unwrap();
        let sizes = self.crashmover.sizes();
        let in_spool = self.spool.as_ref().map_or(0, |it| it.stats().save.entries);
        let waiting = sizes.save_queue + sizes.work_queue + in_spool;
        of(Count::Outcome(Outcome::Kept)) + of(Count::Resumed)
            - of(Count::Fate(Fate::Saved))
            - of(Count::Fate(Fate::Failed))
            - i64::try_from(waiting).unwrap()
    }

    pub fn storage_refuses(&self, refuses: bool) {
        self.store.refuses.store(refuses, Ordering::SeqCst);
    }

    pub async fn storage_hangs(&self) -> tokio::sync::SemaphorePermit<'_> {
        self.store.gate.0.acquire_many(u32::MAX).await.unwrap()
    }

    /// Takes a report and counts what its client is told, as the front door does.
    pub async fn take(&self, report: &CrashReport) -> Result<Receipt, NotKept> {
        let reservation = self.crashmover.budget().reserve(1).unwrap();
        let taken = self.crashmover.take(report.clone(), reservation).await;
        if taken.is_ok() {
            self.metrics.count(Count::Outcome(Outcome::Kept));
        }
        taken
    }

    /// Takes reports at once.
    pub async fn take_all(&self, reports: &[CrashReport]) -> Vec<Result<Receipt, NotKept>> {
        join_all(reports.iter().map(|report| self.take(report))).await
    }

    pub fn is_saved(&self, report: &CrashReport) -> bool {
        self.store
            .inner
            .keys()
            .iter()
            .any(|key| key.contains("raw_crash") && key.ends_with(report.id.as_str()))
    }

    pub fn is_published(&self, report: &CrashReport) -> bool {
        self.queue
            .inner
            .messages()
            .iter()
            .any(|message| message == report.id.as_str())
    }

    pub fn total(&self, count: Count) -> u64 {
        self.metrics.total(&count)
    }
}

/// Longer than a busy machine takes.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Nobody waits for what hangs; there is all the time for what does not.
pub fn in_a_hurry() -> CancellationToken {
    let hurry = CancellationToken::new();
    hurry.cancel();
    hurry
}

pub fn report() -> CrashReport {
    report_with(Bytes::from_static(b"MDMP"))
}

/// One that takes several blocks on a disk.
pub fn large_report() -> CrashReport {
    report_with(vec![0; 20_000].into())
}

pub fn report_with(dump: Bytes) -> CrashReport {
    let received = chrono::DateTime::from_timestamp(1_784_000_000, 0).unwrap();
    let id = CrashId::make(rand::random(), ThrottleDigit::Accept, received.date_naive());
    let dumps = vec![Dump::whole(
        DumpName::sanitise("upload_file_minidump").unwrap(),
        dump,
    )];
    let metadata = Metadata {
        notes: vec![],
        payload: Payload::Multipart,
        payload_compressed: false,
        payload_bytes: 1,
        throttle_rule: "accept_everything".to_owned(),
        user_agent: None,
        submitted: received,
    };
    CrashReport::new(
        id.clone(),
        RawCrash::assemble(&id, Annotations::default(), metadata, &dumps, |_| true).unwrap(),
        dumps,
    )
}

pub async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}
