//! Makes the folders of a tree when they are first needed, and makes sure that they outlive a power cut.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::failure::failure;
use super::key_locks::KeyLocks;
use super::known::Known;
use crate::crash_storage::blob::{StorageError, StorageErrorKind};
use crate::disk::{self, Disk, FolderSyncs, Ticket, make_folders, sync_parent};

const ROOT: &str = "";
/// As in messages.
const MAKE: &str = "make the folder";

/// The folders below `root`, by their path relative to it, parts joined by `/`.
pub(super) struct Folders {
    disk: Arc<dyn Disk>,
    root: PathBuf,
    fsync: bool,
    /// Folders of which it is certain that they are there and that their name in the parent is on disk.
    known: Mutex<Known>,
    being_made: KeyLocks,
    syncs: FolderSyncs,
}

impl Folders {
    pub(super) fn below(disk: Arc<dyn Disk>, root: PathBuf, fsync: bool) -> Self {
        Self {
            disk,
            root,
            fsync,
            known: Mutex::default(),
            being_made: KeyLocks::default(),
            syncs: FolderSyncs::default(),
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// After somebody removed a folder.
    pub(super) fn trust_none(&self) {
        self.known().clear();
    }

    /// Makes the folders and what is missing between them and the root. "Not found" if somebody removed one of those.
    pub(super) fn ensure<'a>(
        &self,
        folders: impl Iterator<Item = &'a str>,
        before: Ticket,
    ) -> Result<(), StorageError> {
        if !self.known().contains(ROOT) {
            self.make_root()?;
        }
        // Parents come before what is in them.
        for (parent, children) in self.missing(folders) {
            self.make(parent, &children, before)?;
        }
        Ok(())
    }

    /// What is above the root must be there: a volume that is not mounted must not be written beside.
    ///
    /// A root that is there already is put on disk too, once in the life of a process.
    fn make_root(&self) -> Result<(), StorageError> {
        let _turn = self.being_made.take([ROOT]);
        let (disk, root) = (self.disk.as_ref(), &self.root);
        let made = make_folders(disk, std::slice::from_ref(root), || {
            if self.fsync {
                sync_parent(disk, root)
            } else {
                Ok(())
            }
        });
        made.map_err(|error| self.not_durable(MAKE, error))?;
        self.known().insert(ROOT);
        Ok(())
    }

    /// By parent.
    fn missing<'a>(
        &self,
        folders: impl Iterator<Item = &'a str>,
    ) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
        let mut missing = BTreeMap::<_, BTreeSet<_>>::new();
        let mut known = self.known();
        for mut folder in folders {
            while folder != ROOT && !known.contains(folder) {
                let parent = parent_of(folder);
                missing.entry(parent).or_default().insert(folder);
                folder = parent;
            }
        }
        missing
    }

    /// One thread at a time for each folder: one whose fsync fails removes what others would take for certain.
    fn make(
        &self,
        parent: &str,
        folders: &BTreeSet<&str>,
        before: Ticket,
    ) -> Result<(), StorageError> {
        let _turn = self.being_made.take(folders.iter().copied());
        let dirs: Vec<_> = folders
            .iter()
            .map(|folder| self.root.join(folder))
            .collect();
        let made = make_folders(self.disk.as_ref(), &dirs, || {
            self.sync_names(parent, before)
        });
        made.map_err(|error| self.not_durable(MAKE, error))?;
        let mut known = self.known();
        folders.iter().for_each(|folder| known.insert(folder));
        Ok(())
    }

    /// To be taken before the first name that [`Folders::sync`] is to vouch for.
    pub(super) fn ticket(&self) -> Ticket {
        self.syncs.ticket()
    }

    /// Puts the names of the files in `folder` on disk, together with whoever else wants that.
    ///
    /// # Errors
    /// "Not found" also if an fsync of any folder failed since `before`: whoever named files since has to do it again.
    pub(super) fn sync(&self, folder: &str, before: Ticket) -> Result<(), StorageError> {
        let synced = self.sync_names(folder, before);
        synced.map_err(|e| self.not_durable("put on disk the folder", (self.root.join(folder), e)))
    }

    fn sync_names(&self, folder: &str, before: Ticket) -> io::Result<()> {
        if !self.fsync {
            return Ok(());
        }
        let path = self.root.join(folder);
        self.syncs.sync(self.disk.as_ref(), &path, before)
    }

    fn not_durable(&self, doing: &str, (path, error): (PathBuf, io::Error)) -> StorageError {
        match error.kind() {
            ErrorKind::Interrupted => {
                let doing = format!("cannot be sure of the names in {}", path.display());
                StorageError::new(StorageErrorKind::NotFound, doing, error)
            }
            ErrorKind::NotFound if path == self.root => not_mounted(&path, error),
            _ => failure(doing, &path, error),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_mounted(root: &Path, error: io::Error) -> StorageError {
    let (root, parent) = (root.display(), disk::parent_of(root).display());
    let doing = format!("cannot make the folder {root}: make {parent}, or mount its volume");
    StorageError::new(StorageErrorKind::Transient, doing, error)
}

/// The folder of a key or folder; the root is the empty text.
pub(super) fn parent_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(ROOT, |(parent, _)| parent)
}

#[cfg(test)]
mod tests;
