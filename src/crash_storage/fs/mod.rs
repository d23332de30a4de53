//! Keeps reports on disk. Each report is whole or absent, and when `put` says yes, a power cut loses nothing of it.
//!
//! How a report is written is `tree`'s business, on threads that may block.

mod failure;
mod file;
mod folders;
mod key_locks;
mod known;
mod temp;
mod tree;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::crash_storage::blob::{Blob, BlobStore, StorageError, StorageErrorKind};
use crate::disk::{Disk, RealDisk};
use crate::settings::FsSettings;
use failure::failure;
use tree::Tree;

/// A folder tree on disk.
#[derive(Clone)]
pub struct FsStore {
    tree: Arc<Tree>,
}

impl FsStore {
    /// Touches no disk yet: `root`, the folder of the reports, is made when something is saved or verified, in one that exists.
    /// Several processes may use one. With `fsync`, `put` waits until everything is on disk; without, a power cut loses
    /// reports that were taken.
    ///
    /// # Errors
    /// The working directory is gone, and the root is relative to it.
    pub fn open(settings: &FsSettings) -> Result<Self, StorageError> {
        let root = std::path::absolute(&settings.root);
        let root = root.map_err(|error| failure("use", &settings.root, error))?;
        let disk = Arc::new(RealDisk::shared(settings.fsync));
        Ok(Self::on(disk, root, settings.fsync))
    }

    fn on(disk: Arc<dyn Disk>, root: PathBuf, fsync: bool) -> Self {
        let tree = Arc::new(Tree::new(disk, root, fsync));
        Self { tree }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tree) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let tree = Arc::clone(&self.tree);
        let done = tokio::task::spawn_blocking(move || work(&tree));
        done.await.unwrap_or_else(|error| Err(broken_off(error)))
    }
}

#[async_trait]
impl BlobStore for FsStore {
    /// When the caller stops waiting, the work goes on to its end.
    async fn put(&self, first: &[Blob], last: &Blob) -> Result<(), StorageError> {
        let (first, last) = (first.to_vec(), last.clone());
        self.blocking(move |tree| tree.put(&first, &last)).await
    }

    async fn get(&self, key: &str) -> Result<Bytes, StorageError> {
        let key = key.to_owned();
        self.blocking(move |tree| tree.get(&key)).await
    }

    async fn verify(&self, probe: &Blob) -> Result<(), StorageError> {
        let probe = probe.clone();
        self.blocking(move |tree| tree.verify(&probe)).await
    }

    async fn check(&self) -> Result<(), StorageError> {
        self.blocking(Tree::check).await
    }

    fn describe(&self) -> String {
        let fsync = if self.tree.has_fsync() { "on" } else { "off" };
        format!("disk: {}, fsync {fsync}", self.tree.root().display())
    }
}

fn broken_off(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StorageError {
    StorageError::new(
        StorageErrorKind::Transient,
        "work on the disk was broken off",
        error,
    )
}

#[cfg(test)]
mod model;
