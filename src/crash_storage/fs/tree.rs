//! One report at a time into a folder tree. Everything here blocks; `fs` finds the threads for it.
//!
//! Nobody looks at a report before its raw crash is there, so the raw crash gets its name last, when its bytes are on
//! disk; the other files are written under their own names at once, unless an older report has them (`file`). All
//! the work of one call is done in one go: hopping between threads for each file costs more than writing small files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rustix::fs::Access;

use super::failure::failure;
use super::file::NewFile;
use super::folders::{FailedSyncs, Folders, parent_of};
use super::key_locks::KeyLocks;
use super::temp::TempFolder;
use crate::crash_storage::blob::{Blob, StorageError, StorageErrorKind};
use crate::disk::DirectIo;
use crate::fail_point::around;

/// Files of one report that are open at the same time. A client may send thousands of dumps, and the limit of open
/// files is needed for connections too.
const OPEN_AT_ONCE: usize = 8;

/// A folder tree.
#[derive(Debug)]
pub(super) struct Tree {
    folders: Folders,
    fsync: bool,
    /// Made by the first `put`, so that whoever only reads needs no permission to write.
    temp: Mutex<Option<Arc<TempFolder>>>,
    locks: KeyLocks,
    direct: DirectIo,
}

impl Tree {
    pub(super) fn new(folders: Folders, fsync: bool) -> Self {
        Self {
            folders,
            fsync,
            temp: Mutex::default(),
            locks: KeyLocks::default(),
            direct: DirectIo::new(fsync),
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
        let _turn = self.locks.take(&last.key);
        match self.put_once(first, last) {
            Err(error) if error.kind == StorageErrorKind::NotFound => {
                self.start_over()?;
                self.put_once(first, last).map_err(vanished)
            }
            done => done,
        }
    }

    fn put_once(&self, first: &[Blob], last: &Blob) -> Result<(), StorageError> {
        let before = self.folders.failed_syncs();
        let all: Vec<_> = first.iter().chain([last]).collect();
        for blob in &all {
            self.folders.ensure(parent_of(&blob.key), before)?;
        }
        let mut files = self.write(&all, last)?;
        if let Err(error) = self.name(first, last, &mut files, before) {
            self.take_back(first, last);
            // The rest goes with `files`.
            return Err(error);
        }
        // Visible now, so nothing of it may go, even if the disk does not confirm the last step.
        files.into_iter().for_each(NewFile::keep);
        self.sync_folder(last, before)
    }

    /// The files in the order of the blobs, their bytes on disk.
    ///
    /// Several are written before the first is put on disk: the disk then takes them with fewer interruptions.
    fn write(&self, blobs: &[&Blob], last: &Blob) -> Result<Vec<NewFile>, StorageError> {
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
                files[start..].iter().for_each(NewFile::send_to_disk);
            }
            for (blob, file) in std::iter::zip(some, &mut files[start..]) {
                around("fs.sync_file", || file.close(self.fsync))
                    .map_err(|error| self.cannot_save(blob, error))?;
            }
        }
        Ok(files)
    }

    fn write_one(&self, blob: &Blob, is_last: bool) -> Result<NewFile, StorageError> {
        let cannot_save = |error| self.cannot_save(blob, error);
        if !is_last {
            let in_place = NewFile::in_place(&self.path(&blob.key), &blob.frames, &self.direct);
            if let Some(file) = in_place.map_err(cannot_save)? {
                return Ok(file);
            }
        }
        NewFile::unnamed(&self.temp()?, &blob.frames, &self.direct).map_err(cannot_save)
    }

    /// Gives files their names, the last one when the names of the others are on disk.
    fn name(
        &self,
        first: &[Blob],
        last: &Blob,
        files: &mut [NewFile],
        before: FailedSyncs,
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

    fn name_one(&self, blob: &Blob, file: &mut NewFile) -> Result<(), StorageError> {
        file.name(&self.path(&blob.key))
            .map_err(|error| self.cannot_save(blob, error))
    }

    fn sync_folder(&self, blob: &Blob, before: FailedSyncs) -> Result<(), StorageError> {
        let folder = parent_of(&blob.key);
        around("fs.sync_folder", || self.folders.sync(folder, before))
    }

    /// Removes what took the place of an older file, of a report that did not become whole; not if a whole one of the
    /// same id is there.
    fn take_back(&self, first: &[Blob], last: &Blob) {
        if !self.path(&last.key).is_file() {
            for blob in first {
                // What stays is not visible as a report, since its last part is missing.
                let _ = fs::remove_file(self.path(&blob.key));
            }
        }
    }

    fn temp(&self) -> Result<Arc<TempFolder>, StorageError> {
        let mut temp = self.temp.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = &*temp {
            return Ok(Arc::clone(folder));
        }
        let root = self.folders.root();
        let folder = TempFolder::make(root)
            .map_err(|error| failure("write below", &TempFolder::of(root), error))?;
        Ok(Arc::clone(temp.insert(folder)))
    }

    fn start_over(&self) -> Result<(), StorageError> {
        *self.temp.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.folders.start_over()
    }

    pub(super) fn get(&self, key: &str) -> Result<Bytes, StorageError> {
        let path = self.path(key);
        fs::read(&path)
            .map(Bytes::from)
            .map_err(|error| failure("read", &path, error))
    }

    pub(super) fn verify(&self, probe: &Blob) -> Result<(), StorageError> {
        self.put(&[], probe)?;
        let path = self.path(&probe.key);
        fs::remove_file(&path).map_err(|error| failure("remove", &path, error))?;
        // Its folder too, if nothing else is in it: whoever lists the root expects days.
        let _ = fs::remove_dir(self.path(parent_of(&probe.key)));
        self.folders.start_over()
    }

    pub(super) fn check(&self) -> Result<(), StorageError> {
        let root = self.folders.root();
        // With the dot at the end, a file of this name is refused.
        rustix::fs::access(root.join("."), Access::WRITE_OK | Access::EXEC_OK)
            .map_err(|error| failure("write to the folder", root, error.into()))
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folders.root().join(key)
    }

    fn cannot_save(&self, blob: &Blob, error: std::io::Error) -> StorageError {
        failure("save", &self.path(&blob.key), error)
    }
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

    fn blob(key: &str) -> Blob {
        Blob::whole(key.to_owned(), Bytes::from_static(b"x"))
    }

    fn tree(fsync: bool) -> (tempfile::TempDir, Tree) {
        let space = tempfile::tempdir().unwrap();
        let folders = Folders::below(space.path().to_owned(), fsync).unwrap();
        (space, Tree::new(folders, fsync))
    }

    #[test]
    fn only_what_belongs_to_no_whole_report_is_taken_back() {
        let (_space, tree) = tree(true);
        let (first, last) = ([blob("d/first")], blob("d/last"));
        tree.put(&first, &last).unwrap();
        tree.take_back(&first, &last);
        assert_eq!(tree.get("d/first").unwrap(), "x");
        fs::remove_file(tree.path("d/last")).unwrap();
        tree.take_back(&first, &last);
        assert!(tree.get("d/first").is_err());
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

    #[test]
    fn reading_needs_no_place_for_unfinished_files() {
        let (space, tree) = tree(true);
        assert!(tree.get("d/missing").is_err());
        assert!(!TempFolder::of(space.path()).exists());
    }
}
