//! Storage in memory, and storage that keeps nothing.

use std::sync::Arc;

use antenna::crash_storage::{CrashStorage, Layout, MemoryStore, NoStore, StorageErrorKind};

use super::suite;

#[tokio::test]
async fn memory_behaves_with_the_layout_of_the_disk() {
    suite::behaves(Arc::new(MemoryStore::default()), Layout::Fs).await;
}

#[tokio::test]
async fn memory_behaves_with_the_layout_of_a_bucket() {
    suite::behaves(Arc::new(MemoryStore::default()), Layout::S3).await;
}

#[tokio::test]
async fn none_takes_everything_and_keeps_nothing() {
    let storage = CrashStorage::new(Arc::new(NoStore), Layout::Fs);
    let report = suite::report(&[("upload_file_minidump", b"abc")]);
    storage.verify().await.unwrap();
    storage.save(&report).await.unwrap();
    let error = storage.load(&report.id).await.unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::NotFound);
}
