//! Makes the folders of a tree when they are first needed, and makes sure that they outlive a power cut.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::failure::failure;
use crate::crash_storage::blob::{StorageError, StorageErrorKind};
use crate::disk::SharedSync;

/// Clients choose the names of dumps, and with them folders: without a limit they could fill the memory.
const MOST_KNOWN: usize = 1000;

/// The folders below `root`, by their path relative to it, parts joined by `/`.
#[derive(Debug)]
pub(super) struct Folders {
    root: PathBuf,
    fsync: bool,
    /// Folders of which it is certain that they are there and that their entry in the parent is on disk.
    known: Mutex<HashMap<String, Arc<SharedSync>>>,
    making: Mutex<()>,
    failed_syncs: AtomicU64,
}

/// How many fsyncs of folders had failed at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FailedSyncs(u64);

impl Folders {
    /// Makes the root and whatever is missing above it.
    pub(super) fn below(root: PathBuf, fsync: bool) -> Result<Self, StorageError> {
        let folders = Self {
            root,
            fsync,
            known: Mutex::default(),
            making: Mutex::default(),
            failed_syncs: AtomicU64::default(),
        };
        folders.make_root()?;
        Ok(folders)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Makes `folder` and what is missing between it and the root. "Not found" if somebody removed one of those.
    pub(super) fn ensure(&self, folder: &str, before: FailedSyncs) -> Result<(), StorageError> {
        if self.is_certain(folder) {
            return Ok(());
        }
        let _turn = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        self.make(folder, before)
    }

    /// From the top, one thread at a time: a parent that another has just made may not be on disk yet.
    fn make(&self, folder: &str, before: FailedSyncs) -> Result<(), StorageError> {
        if self.is_certain(folder) {
            return Ok(());
        }
        let (parent, path) = (parent_of(folder), self.root.join(folder));
        self.make(parent, before)?;
        make(&path)?;
        if let Err(error) = self.sync(parent, before) {
            // So that it is made anew next time: the next fsync need not remember an entry whose fsync failed.
            let _ = fs::remove_dir(&path);
            return Err(error);
        }
        let mut known = self.known();
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(folder.to_owned(), Arc::default());
        Ok(())
    }

    fn is_certain(&self, folder: &str) -> bool {
        folder.is_empty() || self.known().contains_key(folder)
    }

    /// To be taken before the first name that [`Folders::sync`] is to vouch for.
    pub(super) fn failed_syncs(&self) -> FailedSyncs {
        FailedSyncs(self.failed_syncs.load(Ordering::SeqCst))
    }

    /// Puts the names of the files in `folder` on disk, together with whoever else wants that.
    ///
    /// # Errors
    /// "Not found" also if an fsync of any folder failed since `before`: the kernel may have marked names clean that it
    /// never wrote, and the next fsync would say yes. Whoever named files since has to do it again.
    pub(super) fn sync(&self, folder: &str, before: FailedSyncs) -> Result<(), StorageError> {
        let path = self.root.join(folder);
        if self.fsync {
            self.sync_by(folder, before, || sync(&path))
        } else {
            Ok(())
        }
    }

    fn sync_by(
        &self,
        folder: &str,
        before: FailedSyncs,
        sync: impl FnOnce() -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        self.shared_sync(folder).join(|| {
            // Counted before those who wait for this fsync are let go.
            sync().inspect_err(|_| {
                self.failed_syncs.fetch_add(1, Ordering::SeqCst);
            })
        })?;
        if self.failed_syncs() == before {
            return Ok(());
        }
        Err(StorageError::new(
            StorageErrorKind::NotFound,
            format!(
                "cannot be sure of the names in {}",
                self.root.join(folder).display()
            ),
            "an fsync of a folder failed meanwhile",
        ))
    }

    fn shared_sync(&self, folder: &str) -> Arc<SharedSync> {
        // One that is not known was forgotten meanwhile: syncing it alone is as good.
        self.known().get(folder).cloned().unwrap_or_default()
    }

    /// After somebody removed a folder: trust nothing, and have a root again.
    pub(super) fn start_over(&self) -> Result<(), StorageError> {
        self.known().clear();
        self.make_root()
    }

    fn make_root(&self) -> Result<(), StorageError> {
        let missing: Vec<_> = self
            .root
            .ancestors()
            .take_while(|folder| !folder.exists())
            .collect();
        fs::create_dir_all(&self.root)
            .and_then(|()| is_folder(&self.root))
            .map_err(|error| failure("make the folder", &self.root, error))?;
        if self.fsync {
            for parent in missing.iter().filter_map(|folder| folder.parent()) {
                sync(parent)?;
            }
        }
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Arc<SharedSync>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The folder of a key or folder; the root is the empty text.
pub(super) fn parent_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn make(path: &Path) -> Result<(), StorageError> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => is_folder(path),
        done => done,
    }
    .map_err(|error| failure("make the folder", path, error))
}

fn is_folder(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.is_dir() {
        Ok(())
    } else {
        Err(ErrorKind::NotADirectory.into())
    }
}

fn sync(path: &Path) -> Result<(), StorageError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| failure("put on disk the folder", path, error))
}

#[cfg(test)]
mod tests;
