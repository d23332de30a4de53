//! Keeps nothing: to measure everything but storage. Every report is lost.

use async_trait::async_trait;
use bytes::Bytes;

use super::blob::{Blob, BlobStore, StorageError, StorageErrorKind};

/// Says yes to everything and forgets it.
#[derive(Debug)]
pub struct NoStore;

#[async_trait]
impl BlobStore for NoStore {
    async fn put(&self, _first: &[Blob], _last: &Blob) -> Result<(), StorageError> {
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Bytes, StorageError> {
        Err(StorageError::new(
            StorageErrorKind::NotFound,
            format!("cannot read {key}"),
            "crash storage is \"none\", which keeps nothing",
        ))
    }

    async fn check(&self) -> Result<(), StorageError> {
        Ok(())
    }

    fn describe(&self) -> String {
        "none: every report is thrown away".to_owned()
    }
}
