//! A crashmover on a stage: stores and queues that fail on demand. For tests only.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tempfile::TempDir;
use tokio::sync::Semaphore;

use super::super::*;
use crate::crash::{
    Annotations, CrashId, CrashReport, Dump, DumpName, Metadata, Payload, RawCrash, ThrottleDigit,
};
use crate::crash_publish::{MemoryPublisher, PublishError, PublishErrorKind};
use crate::crash_storage::{Blob, BlobStore, Layout, MemoryStore, StorageError, StorageErrorKind};
use crate::disk::RealDisk;
use crate::disk::testing::FaultyDisk;
use crate::metrics::Count;
use crate::spool::SpoolConfig;

/// Storage that hangs, refuses or works.
#[derive(Default)]
pub struct Hooked {
    inner: MemoryStore,
    refuses: AtomicBool,
    pub is_permanent: AtomicBool,
    pub attempts: AtomicUsize,
    /// Closed: every call waits until it is opened.
    gate: Gate,
}

struct Gate(Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(Semaphore::MAX_PERMITS))
    }
}

#[async_trait]
impl BlobStore for Hooked {
    async fn put(&self, first: &[Blob], last: &Blob) -> Result<(), StorageError> {
        self.attempts.fetch_add(1, Ordering::SeqCst);
        drop(self.gate.0.acquire().await.unwrap());
        let kind = if self.is_permanent.load(Ordering::SeqCst) {
            StorageErrorKind::Permanent
        } else {
            StorageErrorKind::Transient
        };
        if self.refuses.load(Ordering::SeqCst) {
            return Err(StorageError::new(kind, "saving", "refused by the test"));
        }
        self.inner.put(first, last).await
    }

    async fn get(&self, key: &str) -> Result<Bytes, StorageError> {
        self.inner.get(key).await
    }

    async fn check(&self) -> Result<(), StorageError> {
        self.inner.check().await
    }

    fn describe(&self) -> String {
        "hooked".to_owned()
    }
}

/// A queue that refuses on demand.
#[derive(Default)]
pub struct Moody {
    inner: MemoryPublisher,
    pub refuses: AtomicBool,
}

#[async_trait]
impl CrashPublisher for Moody {
    async fn publish(&self, ids: &[CrashId]) -> Vec<Result<(), PublishError>> {
        if self.refuses.load(Ordering::SeqCst) {
            let error = PublishError::new(
                PublishErrorKind::Transient,
                "publishing",
                "refused by the test",
            );
            return ids.iter().map(|_| Err(error.clone())).collect();
        }
        self.inner.publish(ids).await
    }

    fn largest_batch(&self) -> usize {
        self.inner.largest_batch()
    }

    async fn check(&self) -> Result<(), PublishError> {
        Ok(())
    }

    async fn verify(&self) -> Result<(), PublishError> {
        Ok(())
    }

    fn describe(&self) -> String {
        "moody".to_owned()
    }
}

pub struct Scene {
    pub store: Arc<Hooked>,
    pub queue: Arc<Moody>,
    pub metrics: Metrics,
    pub crashmover: Arc<Crashmover>,
    pub spool: Option<Spool>,
    pub disk: Arc<FaultyDisk>,
    _dir: TempDir,
}

fn config(acknowledge: Acknowledge, queue_size: usize) -> CrashmoverConfig {
    CrashmoverConfig {
        movers: 2,
        queue_size,
        acknowledge,
        ack_timeout: Duration::from_millis(400),
        retry: RetryPolicy {
            max_attempts: 3,
            sleep: Duration::ZERO,
        },
        publish_backlog: 100,
        in_flight_bytes: 1 << 20,
    }
}

impl Scene {
    pub async fn new(acknowledge: Acknowledge, has_spool: bool) -> Self {
        Self::build(acknowledge, has_spool.then_some(1 << 20), 2).await
    }

    pub async fn with_spool_of(acknowledge: Acknowledge, max_bytes: u64) -> Self {
        Self::build(acknowledge, Some(max_bytes), 2).await
    }

    pub async fn with_queue_of(acknowledge: Acknowledge, queue_size: usize) -> Self {
        Self::build(acknowledge, Some(1 << 20), queue_size).await
    }

    async fn build(
        acknowledge: Acknowledge,
        spool_max_bytes: Option<u64>,
        queue_size: usize,
    ) -> Self {
        let dir = TempDir::new().unwrap();
        let spool_config = SpoolConfig {
            dir: dir.path().join("spool"),
            max_bytes: spool_max_bytes.unwrap_or_default(),
            min_free_bytes: 0,
        };
        let disk = Arc::new(FaultyDisk::new(Arc::new(RealDisk::private(true))));
        let spool = spool_max_bytes.map(|_| Spool::open(spool_config, disk.clone()).unwrap());
        let (store, queue, metrics) = (
            Arc::new(Hooked::default()),
            Arc::new(Moody::default()),
            Metrics::default(),
        );
        let storage = CrashStorage::new(store.clone(), Layout::S3);
        let crashmover = Crashmover::start(
            storage,
            queue.clone(),
            spool.clone(),
            &config(acknowledge, queue_size),
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
            _dir: dir,
        }
    }

    pub fn storage_refuses(&self, refuses: bool) {
        self.store.refuses.store(refuses, Ordering::SeqCst);
    }

    pub async fn storage_hangs(&self) -> tokio::sync::SemaphorePermit<'_> {
        let all = u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX);
        let held = self
            .store
            .gate
            .0
            .forget_permits(Semaphore::MAX_PERMITS - all as usize);
        assert!(held <= Semaphore::MAX_PERMITS);
        self.store.gate.0.acquire_many(all).await.unwrap()
    }

    pub async fn take(&self, report: &CrashReport) -> Result<Receipt, NotKept> {
        let reservation = self.crashmover.budget().reserve(1).unwrap();
        self.crashmover.take(report.clone(), reservation).await
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

pub fn report() -> CrashReport {
    let received = chrono::DateTime::from_timestamp(1_784_000_000, 0).unwrap();
    let id = CrashId::make(rand::random(), ThrottleDigit::Accept, received.date_naive());
    let dumps = vec![Dump::whole(
        DumpName::sanitise("upload_file_minidump").unwrap(),
        Bytes::from_static(b"MDMP"),
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
        RawCrash::assemble(&id, Annotations::default(), metadata, &dumps),
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
