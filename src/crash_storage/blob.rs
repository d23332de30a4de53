//! The seam to places that keep bytes under names: disk, S3, memory.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

/// One object to be stored: a key, and its bytes in the pieces in which they arrived.
#[derive(Clone, Debug)]
pub struct Blob {
    /// Path below the store's root, parts joined by `/`. Made by `keys` only, so it is always safe.
    pub key: String,
    pub frames: Vec<Bytes>,
    pub length_bytes: u64,
    /// SHA-256 of the bytes where it is known already, so that no store needs to hash them again.
    pub sha256: Option<[u8; 32]>,
}

impl Blob {
    /// A blob of one piece whose hash is not known.
    pub fn whole(key: String, bytes: Bytes) -> Self {
        Self::of(key, vec![bytes])
    }

    /// A blob whose hash is not known.
    pub fn of(key: String, frames: Vec<Bytes>) -> Self {
        Self {
            key,
            length_bytes: frames.iter().map(|frame| frame.len() as u64).sum(),
            frames,
            sha256: None,
        }
    }
}

/// A place that keeps blobs. A backend classifies its own failures and never retries by itself.
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Stores all blobs, each whole or not at all, and overwrites older ones of the same key.
    ///
    /// `last` becomes visible only after every one of `first` is durable, so whoever sees it may rely on the rest.
    /// When this returns `Ok`, everything is as durable as the store can make it.
    async fn put(&self, first: &[Blob], last: &Blob) -> Result<(), StorageError>;

    /// The bytes under a key.
    async fn get(&self, key: &str) -> Result<Bytes, StorageError>;

    /// Really writes `probe`, at start, and takes it away again where the store can: a bucket keeps it.
    async fn verify(&self, probe: &Blob) -> Result<(), StorageError> {
        self.put(&[], probe).await
    }

    /// Cheap look whether the store answers; for the heartbeat.
    async fn check(&self) -> Result<(), StorageError>;

    /// One line for the start log: what this store is and where.
    fn describe(&self) -> String;
}

/// What a failure means for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageErrorKind {
    /// There is nothing under this key.
    NotFound,
    /// It may work when tried again: time-outs, refused connections, 5xx, throttling, a full disk.
    Transient,
    /// Trying again cannot help before somebody acts: no permission, wrong credentials.
    Permanent,
}

/// A store could not do what it was asked.
#[derive(Debug)]
pub struct StorageError {
    pub kind: StorageErrorKind,
    /// What was being done, with path or key, and what to do about it where that is known.
    pub doing: String,
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl StorageError {
    pub fn new(
        kind: StorageErrorKind,
        doing: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            doing: doing.into(),
            source: source.into(),
        }
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.source)
    }
}

impl std::error::Error for StorageError {
    /// What is behind the source: `Display` says the source itself, and whoever prints the chain must not say it twice.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(self.source.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_causes_says_each_of_them_once() {
        let cause = std::io::Error::from(std::io::ErrorKind::NotFound);
        let error = StorageError::new(StorageErrorKind::Permanent, "reading a", cause);
        let text = format!("{:#}", anyhow::Error::from(error));
        assert_eq!(text, "reading a: entity not found");
    }
}
