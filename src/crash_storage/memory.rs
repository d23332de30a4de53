//! Keeps reports in memory, for tests and for trying things out. Nothing outlives the process, nothing is ever freed.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::blob::{Blob, BlobStore, StorageError, StorageErrorKind};

/// A map from key to bytes.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<BTreeMap<String, Bytes>>);

impl MemoryStore {
    /// Every key there is, sorted.
    pub fn keys(&self) -> Vec<String> {
        self.blobs().keys().cloned().collect()
    }

    fn blobs(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl BlobStore for MemoryStore {
    async fn put(&self, first: &[Blob], last: &Blob) -> Result<(), StorageError> {
        let mut blobs = self.blobs();
        for blob in first.iter().chain([last]) {
            // Copied: a frame may be a small piece of a large network buffer, which it would keep alive.
            blobs.insert(blob.key.clone(), blob.frames.concat().into());
        }
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Bytes, StorageError> {
        self.blobs().get(key).cloned().ok_or_else(|| {
            StorageError::new(
                StorageErrorKind::NotFound,
                format!("cannot read {key} from memory"),
                "no such key",
            )
        })
    }

    async fn check(&self) -> Result<(), StorageError> {
        Ok(())
    }

    fn describe(&self) -> String {
        "memory: reports are lost when the process ends".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keys_are_listed_in_order() {
        let store = MemoryStore::default();
        let blob = |key: &str| Blob::whole(key.to_owned(), Bytes::from_static(b"x"));
        store
            .put(&[blob("b"), blob("c")], &blob("a"))
            .await
            .unwrap();
        assert_eq!(store.keys(), ["a", "b", "c"]);
    }
}
