//! Storage and a queue that fail on demand. For tests only.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Semaphore;

use crate::crash::CrashId;
use crate::crash_publish::{CrashPublisher, MemoryPublisher, PublishError, PublishErrorKind};
use crate::crash_storage::{Blob, BlobStore, MemoryStore, StorageError, StorageErrorKind};

/// Storage that hangs, refuses or works.
#[derive(Default)]
pub struct Hooked {
    pub inner: MemoryStore,
    pub refuses: AtomicBool,
    pub is_permanent: AtomicBool,
    pub panics: AtomicBool,
    /// So many calls fail.
    pub failures: AtomicUsize,
    pub attempts: AtomicUsize,
    /// Closed: every call waits until it is opened.
    pub gate: Gate,
}

pub struct Gate(pub Semaphore);

impl Default for Gate {
    fn default() -> Self {
        // As many as can be acquired at once.
        Self(Semaphore::new(u32::MAX as usize))
    }
}

#[async_trait]
impl BlobStore for Hooked {
    async fn put(&self, first: &[Blob], last: &Blob) -> Result<(), StorageError> {
        self.attempts.fetch_add(1, Ordering::SeqCst);
        assert!(!self.panics.load(Ordering::SeqCst), "as the test wants it");
        drop(self.gate.0.acquire().await.unwrap());
        let kind = if self.is_permanent.load(Ordering::SeqCst) {
            StorageErrorKind::Permanent
        } else {
            StorageErrorKind::Transient
        };
        let fails = |left: usize| left.checked_sub(1);
        let failures = &self.failures;
        let fails = failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fails);
        if self.refuses.load(Ordering::SeqCst) || fails.is_ok() {
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

/// How a queue answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    #[default]
    Fine,
    /// Takes nothing.
    Refuses,
    Panics,
    /// Takes nothing and says nothing.
    Silent,
    Hangs,
}

/// A queue that refuses on demand.
#[derive(Default)]
pub struct Moody {
    pub inner: MemoryPublisher,
    mood: Mutex<Mood>,
    /// Ids that it never takes.
    poison: Mutex<Vec<CrashId>>,
    pub calls: AtomicUsize,
    pub is_silent: AtomicBool,
}

impl Moody {
    pub fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub fn never_takes(&self, ids: impl IntoIterator<Item = CrashId>) {
        self.poison.lock().unwrap().extend(ids);
    }
}

fn refused(kind: PublishErrorKind) -> PublishError {
    PublishError::new(kind, "publishing", "refused by the test")
}

#[async_trait]
impl CrashPublisher for Moody {
    async fn publish(&self, ids: &[CrashId]) -> Vec<Result<(), PublishError>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Fine => {}
            Mood::Refuses => {
                let refused = |_| Err(refused(PublishErrorKind::Transient));
                return ids.iter().map(refused).collect();
            }
            Mood::Panics => panic!("as the test wants it"),
            Mood::Silent => return Vec::new(),
            Mood::Hangs => std::future::pending().await,
        }
        let mut answers = Vec::new();
        for id in ids {
            let is_poison = self.poison.lock().unwrap().contains(id);
            answers.push(match is_poison {
                true => Err(refused(PublishErrorKind::Permanent)),
                false => self.inner.publish(std::slice::from_ref(id)).await.remove(0),
            });
        }
        answers
    }

    fn is_silent(&self) -> bool {
        self.is_silent.load(Ordering::SeqCst)
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
