//! One report at a time into a folder tree. Everything here blocks; `fs` finds the threads for it.
//!
//! Nobody looks at a report before its raw crash is there, so the raw crash gets its name last, when its bytes are on
//! disk; the other files are written under their own names at once, unless an older report has them (`file`). All
//! the work of one call is done in one go: hopping between threads for each file costs more than writing small files.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use uuid::Uuid;

use super::failure::failure;
use super::file::NewFile;
use super::folders::{Folders, parent_of};
use super::key_locks::KeyLocks;
use super::temp::{TempFolder, sweep};
use crate::crash_storage::blob::{Blob, StorageError, StorageErrorKind};
use crate::disk::{Disk, Ticket};
use crate::fail_point::around;

/// Files of one report that are open at the same time. A client may send thousands of dumps, and the limit of open
/// files is needed for connections too.
const OPEN_AT_ONCE: usize = 8;

/// A folder tree.
pub(super) struct Tree {
    disk: Arc<dyn Disk>,
    folders: Folders,
    fsync: bool,
    /// Made by the first `put`, so that whoever only reads needs no permission to write.
    temp: Mutex<Option<Arc<TempFolder>>>,
    reports: KeyLocks,
}

impl Tree {
    pub(super) fn new(disk: Arc<dyn Disk>, root: PathBuf, fsync: bool) -> Self {
        Self {
            folders: Folders::below(Arc::clone(&disk), root, fsync),
            disk,
            fsync,
            temp: Mutex::default(),
            reports: KeyLocks::default(),
        }
    }

    pub(super) fn root(&self) -> &Path {
        self.folders.root()
    }

    pub(super) fn has_fsync(&self) -> bool {
        self.fsync
    }

    /// Survives folders that somebody removed, and an fsync that failed for somebody else: a second attempt does all again.
    pub(super) fn put(&self, first: &[Blob], last: &Blob) -> Result<(), StorageError> {
        let _turn = self.reports.take([last.key.as_str()]);
        match self.put_once(first, last) {
            Err(error) if error.kind == StorageErrorKind::NotFound => {
                self.start_over();
                self.put_once(first, last).map_err(vanished)
            }
            done => done,
        }
    }

    fn put_once(&self, first: &[Blob], last: &Blob) -> Result<(), StorageError> {
        let before = self.folders.ticket();
        let all: Vec<_> = first.iter().chain([last]).collect();
        let folders = all.iter().map(|blob| parent_of(&blob.key));
        self.folders.ensure(folders, before)?;
        let mut files = self.write(&all, last)?;
        let named = self.name(first, last, &mut files, before);
        // Once the report may be visible nothing of it may go, even if the disk does not confirm that or the last step.
        if files.last().is_some_and(NewFile::is_kept) {
            files.into_iter().for_each(NewFile::keep);
        }
        named?;
        self.sync_folder(last, before)
    }

    /// The files in the order of the blobs, their bytes on disk.
    ///
    /// Several are written before the first is put on disk: the disk then takes them with fewer interruptions.
    fn write(&self, blobs: &[&Blob], last: &Blob) -> Result<Vec<NewFile<'_>>, StorageError> {
        let mut files = Vec::with_capacity(blobs.len());
        for some in blobs.chunks(OPEN_AT_ONCE) {
            let start = files.len();
            for blob in some {
                let file = around("fs.write", || {
                    self.write_one(blob, std::ptr::eq(*blob, last))
                });
                files.push(file?);
            }
            if self.fsync {
                files[start..].iter_mut().for_each(NewFile::begin_sync);
            }
            for (blob, file) in std::iter::zip(some, &mut files[start..]) {
                around("fs.sync_file", || file.close(self.fsync))
                    .map_err(|error| self.cannot_save(blob, error))?;
            }
        }
        Ok(files)
    }

    fn write_one(&self, blob: &Blob, is_last: bool) -> Result<NewFile<'_>, StorageError> {
        let (disk, frames) = (self.disk.as_ref(), &blob.frames);
        let cannot_save = |error| self.cannot_save(blob, error);
        if !is_last {
            let in_place = NewFile::in_place(disk, self.path(&blob.key), frames);
            if let Some(file) = in_place.map_err(cannot_save)? {
                return Ok(file);
            }
        }
        NewFile::unnamed(disk, &self.temp()?, frames).map_err(cannot_save)
    }

    /// Gives files their names, the last one when the names of the others are on disk.
    fn name(
        &self,
        first: &[Blob],
        last: &Blob,
        files: &mut [NewFile<'_>],
        before: Ticket,
    ) -> Result<(), StorageError> {
        let mut files = files.iter_mut();
        for (blob, file) in std::iter::zip(first, &mut files) {
            self.name_one(blob, file)?;
        }
        first
            .iter()
            .try_for_each(|blob| self.sync_folder(blob, before))?;
        files.try_for_each(|file| self.name_one(last, file))
    }

    fn name_one(&self, blob: &Blob, file: &mut NewFile<'_>) -> Result<(), StorageError> {
        file.name(&self.path(&blob.key))
            .map_err(|error| self.cannot_save(blob, error))
    }

    fn sync_folder(&self, blob: &Blob, before: Ticket) -> Result<(), StorageError> {
        let folder = parent_of(&blob.key);
        around("fs.sync_folder", || self.folders.sync(folder, before))
    }

    fn temp(&self) -> Result<Arc<TempFolder>, StorageError> {
        let mut temp = self.temp.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = &*temp {
            return Ok(Arc::clone(folder));
        }
        let root = self.root();
        let folder = TempFolder::make(&self.disk, root)
            .map_err(|error| failure("write below", &TempFolder::of(root), error))?;
        Ok(Arc::clone(temp.insert(folder)))
    }

    fn start_over(&self) {
        *self.temp.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.folders.trust_none();
    }

    pub(super) fn get(&self, key: &str) -> Result<Bytes, StorageError> {
        let path = self.path(key);
        let mut bytes = Vec::new();
        let read = self.disk.open(&path).and_then(|(mut file, length_bytes)| {
            bytes.reserve(length_bytes as usize);
            file.read_to_end(&mut bytes)
        });
        read.map(|_| bytes.into())
            .map_err(|error| failure("read", &path, error))
    }

    /// Writes the probe as a report is written, and removes it, with what was left by processes that are gone.
    pub(super) fn verify(&self, probe: &Blob) -> Result<(), StorageError> {
        self.put(&[], probe)?;
        self.remove_probe(&self.path(&probe.key))?;
        let folder = self.path(parent_of(&probe.key));
        for left in self.disk.list(&folder).unwrap_or_default() {
            if is_probe(&left.name) {
                self.remove_probe(&folder.join(left.name))?;
            }
        }
        // If nothing else is in it: whoever lists the root expects days.
        let _ = self.disk.remove_folder(&folder);
        self.folders.trust_none();
        sweep(self.disk.as_ref(), self.root());
        Ok(())
    }

    /// Another collector that starts may have been faster.
    fn remove_probe(&self, path: &Path) -> Result<(), StorageError> {
        match self.disk.remove(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(failure("remove", path, error))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn check(&self) -> Result<(), StorageError> {
        let root = self.root();
        let may = self.disk.may_write(root);
        may.map_err(|error| failure("write to the folder", root, error))
    }

    fn path(&self, key: &str) -> PathBuf {
        self.root().join(key)
    }

    fn cannot_save(&self, blob: &Blob, error: std::io::Error) -> StorageError {
        failure("save", &self.path(&blob.key), error)
    }
}

/// As `CrashStorage::verify` calls its test files.
fn is_probe(name: &str) -> bool {
    let id = name
        .strip_prefix("testfile-")
        .and_then(|rest| rest.strip_suffix(".txt"));
    id.is_some_and(|id| Uuid::try_parse(id).is_ok())
}

/// Somebody keeps removing folders while we write; it may stop.
fn vanished(error: StorageError) -> StorageError {
    match error.kind {
        StorageErrorKind::NotFound => StorageError {
            kind: StorageErrorKind::Transient,
            ..error
        },
        StorageErrorKind::Transient | StorageErrorKind::Permanent => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;
    use crate::disk::testing::{FaultyDisk, Operation, SimulatedDisk};

    fn blob(key: &str) -> Blob {
        Blob::whole(key.to_owned(), Bytes::from_static(b"x"))
    }

    fn tree(fsync: bool) -> (tempfile::TempDir, Tree) {
        let space = tempfile::tempdir().unwrap();
        let disk = Arc::new(RealDisk::shared(fsync));
        let tree = Tree::new(disk, space.path().to_owned(), fsync);
        (space, tree)
    }

    #[test]
    fn more_dumps_than_may_be_open_at_once_are_kept() {
        let (_space, tree) = tree(false);
        let first: Vec<_> = (0..OPEN_AT_ONCE * 3 + 1)
            .map(|number| blob(&format!("d/{number}")))
            .collect();
        tree.put(&first, &blob("d/last")).unwrap();
        for blob in &first {
            assert_eq!(tree.get(&blob.key).unwrap(), "x");
        }
    }

    /// Two collectors on one root, and the same id: a client with the token may send it to both.
    #[test]
    fn a_failing_save_removes_nothing_that_another_collector_put_there() {
        let disk = Arc::new(FaultyDisk::new(Arc::new(SimulatedDisk::default())));
        let tree = Tree::new(disk.clone(), "/storage".into(), true);
        let theirs = Path::new("/storage/d/first");
        // A killed process has left a dump, so that ours takes its place.
        tree.put(&[], &blob("d/first")).unwrap();
        let other = disk.clone();
        disk.watch_after(move |operation| {
            if operation == Operation::Rename {
                other.create(theirs).map(drop).unwrap();
            }
        });
        disk.fail(Operation::Rename, 2, ErrorKind::Other);
        tree.put(&[blob("d/first")], &blob("d/last")).unwrap_err();
        assert!(disk.identity(theirs).is_ok());
    }

    #[test]
    fn reading_needs_no_place_for_unfinished_files() {
        let (space, tree) = tree(true);
        assert!(tree.get("d/missing").is_err());
        assert!(!TempFolder::of(space.path()).exists());
    }
}
