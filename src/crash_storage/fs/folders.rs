//! Makes the folders of a tree when they are first needed, and makes sure that they outlive a power cut.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::failure::failure;
use super::shared_sync::SharedSync;
use crate::crash_storage::blob::{StorageError, StorageErrorKind};

/// Clients choose the names of dumps, and with them folders: without a limit they could fill the memory.
const MOST_KNOWN: usize = 1000;

/// The folders below `root`, by their path relative to it, parts joined by `/`.
#[derive(Debug)]
pub(super) struct Folders {
    root: PathBuf,
    fsync: bool,
    /// Folders of which it is certain that they are there and that their entry in the parent is on disk.
    known: Mutex<HashMap<String, Arc<SharedSync>>>,
    failed_syncs: AtomicU64,
}

/// How many fsyncs of folders had failed at some moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct FailedSyncs(u64);

impl Folders {
    /// Makes the root and whatever is missing above it.
    pub(super) fn below(root: PathBuf, fsync: bool) -> Result<Self, StorageError> {
        let folders = Self {
            root,
            fsync,
            known: Mutex::default(),
            failed_syncs: AtomicU64::default(),
        };
        folders.make_root()?;
        Ok(folders)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Makes `folder` and what is missing between it and the root. "Not found" if somebody removed one of those.
    pub(super) fn ensure(&self, folder: &str) -> Result<(), StorageError> {
        if folder.is_empty() || self.known().contains_key(folder) {
            return Ok(());
        }
        // From the top: a parent that another thread has just made may not be on disk yet.
        let parent = parent_of(folder);
        self.ensure(parent)?;
        make(&self.root.join(folder))?;
        if self.fsync {
            sync(&self.root.join(parent))?;
        }
        let mut known = self.known();
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.entry(folder.to_owned()).or_default();
        Ok(())
    }

    /// To be taken before the first name that [`Folders::sync`] is to vouch for.
    pub(super) fn failed_syncs(&self) -> FailedSyncs {
        FailedSyncs(self.failed_syncs.load(Ordering::SeqCst))
    }

    /// Puts the names of the files in `folder` on disk, together with whoever else wants that.
    ///
    /// # Errors
    /// An fsync of any folder failed since `before`, too: the kernel may have marked names clean that it never wrote, and
    /// the next fsync would say yes.
    pub(super) fn sync(&self, folder: &str, before: FailedSyncs) -> Result<(), StorageError> {
        if !self.fsync {
            return Ok(());
        }
        let path = self.root.join(folder);
        self.shared_sync(folder).join(|| {
            // Counted before those who wait for this fsync are let go.
            sync(&path).inspect_err(|_| {
                self.failed_syncs.fetch_add(1, Ordering::SeqCst);
            })
        })?;
        if self.failed_syncs().0 == before.0 {
            return Ok(());
        }
        Err(StorageError::new(
            StorageErrorKind::Transient,
            format!("cannot put on disk the folder {}", path.display()),
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
mod tests {
    use super::*;

    fn folders() -> (tempfile::TempDir, Folders) {
        let space = tempfile::tempdir().unwrap();
        let folders = Folders::below(space.path().join("a/root"), true).unwrap();
        (space, folders)
    }

    #[test]
    fn missing_folders_are_made() {
        let (_space, folders) = folders();
        folders.ensure("20260709/raw_crash").unwrap();
        folders.ensure("20260709/raw_crash").unwrap();
        assert!(folders.root().join("20260709/raw_crash").is_dir());
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let (_space, folders) = folders();
        fs::write(folders.root().join("20260709"), "").unwrap();
        let error = folders.ensure("20260709/raw_crash").unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Permanent);
        let way = format!("{}/20260709 is a file in the way", folders.root().display());
        assert!(error.to_string().contains(&way), "{error}");
    }

    #[test]
    fn a_root_that_is_a_file_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Folders::below(file.path().to_owned(), true).unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Permanent);
        assert!(
            error.to_string().contains("is a file in the way"),
            "{error}"
        );
    }

    #[test]
    fn a_removed_folder_is_noticed_and_made_again() {
        let (space, folders) = folders();
        folders.ensure("20260709").unwrap();
        fs::remove_dir_all(space.path().join("a")).unwrap();
        let error = folders.ensure("20260709/raw_crash").unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::NotFound);
        folders.start_over().unwrap();
        folders.ensure("20260709/raw_crash").unwrap();
        assert!(folders.root().join("20260709/raw_crash").is_dir());
    }

    #[test]
    fn a_failed_fsync_is_the_end_for_all_whose_names_are_older() {
        let (_space, folders) = folders();
        folders.ensure("20260709").unwrap();
        let before = folders.failed_syncs();
        folders.sync("20260709", before).unwrap();
        assert!(folders.sync("missing", before).is_err());
        let error = folders.sync("20260709", before).unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Transient);
        folders.sync("20260709", folders.failed_syncs()).unwrap();
    }

    #[test]
    fn names_chosen_by_clients_do_not_fill_the_memory() {
        let (_space, folders) = folders();
        for number in 0..MOST_KNOWN + 5 {
            folders.known().insert(number.to_string(), Arc::default());
        }
        folders.ensure("one_more").unwrap();
        assert_eq!(folders.known().len(), 1);
    }
}
