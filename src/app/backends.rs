//! Storage and queue, as the settings choose them.

use std::sync::Arc;

use rustix::fs::Mode;

use crate::crash_publish::{
    CrashPublisher, MemoryPublisher, NoPublisher, PublishErrorKind, SqsPublisher,
};
use crate::crash_storage::{
    CrashStorage, FsStore, Layout, MemoryStore, NoStore, S3Store, StorageErrorKind,
};
use crate::settings::{PublishClass, Settings, StorageClass};

/// The outside world as the settings describe it.
pub struct Backends {
    pub storage: CrashStorage,
    pub publisher: Arc<dyn CrashPublisher>,
}

/// What keeps storage or queue from being used.
pub struct Failure {
    pub error: String,
    /// It may be gone when it is tried again.
    pub is_transient: bool,
}

impl Backends {
    /// Really writes to storage, then asks the queue; none where all is well.
    pub async fn verify(&self) -> [Option<Failure>; 2] {
        let storage = self.storage.verify().await.err().map(|error| Failure {
            is_transient: error.kind == StorageErrorKind::Transient,
            error: error.to_string(),
        });
        let queue = self.publisher.verify().await.err().map(|error| Failure {
            is_transient: error.kind == PublishErrorKind::Transient,
            error: error.to_string(),
        });
        [storage, queue]
    }
}

/// Prepares storage and queue. Neither network nor disk is used yet.
///
/// # Errors
/// A relative folder where there is no working directory.
pub async fn backends(settings: &Settings) -> anyhow::Result<Backends> {
    let storage = match &settings.crash_storage {
        StorageClass::Fs(fs) => {
            forbid(fs.umask);
            CrashStorage::new(Arc::new(FsStore::open(fs)?), Layout::Fs)
        }
        StorageClass::Memory => CrashStorage::new(Arc::new(MemoryStore::default()), Layout::Fs),
        StorageClass::None => CrashStorage::new(Arc::new(NoStore), Layout::Fs),
        StorageClass::S3(s3) => CrashStorage::new(Arc::new(S3Store::connect(s3).await), Layout::S3),
    };
    let publisher: Arc<dyn CrashPublisher> = match &settings.crash_publish {
        PublishClass::None => Arc::new(NoPublisher),
        PublishClass::Memory => Arc::new(MemoryPublisher::default()),
        PublishClass::Sqs(sqs) => Arc::new(SqsPublisher::connect(sqs).await),
    };
    Ok(Backends { storage, publisher })
}

/// Takes rights from every file and folder that this process makes from now on, besides those that it takes already.
fn forbid(umask: u32) {
    let wanted = Mode::from_bits_truncate(umask);
    let before = rustix::process::umask(wanted);
    rustix::process::umask(before | wanted);
}
