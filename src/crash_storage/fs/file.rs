//! One file of a report while it is written: gone again when dropped, unless it was kept.
//!
//! A file that nobody looks at before the raw crash is there gets its own name at once: a new name costs about a
//! quarter of what writing a small report costs. Where that name is taken, and for the raw crash, whose name makes the
//! report visible, the bytes are written under a name of no meaning first, so that no older file is ever cut short.

use std::io::{self, ErrorKind, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::temp::TempFolder;
use crate::disk::{Disk, DiskFile, Identity};
use crate::fail_point::around;

/// A file that is written, but may still be taken back.
pub(super) struct NewFile<'a> {
    disk: &'a dyn Disk,
    path: PathBuf,
    file: Option<Box<dyn DiskFile>>,
    identity: Identity,
    state: State,
}

enum State {
    /// It has its own name. Somebody else may put another in its place meanwhile, which is not ours to remove.
    InPlace,
    /// Its name means nothing. The folder's lock keeps other processes from sweeping the file away.
    Unnamed { _folder: Arc<TempFolder> },
    /// Not ours to remove any more.
    Kept,
}

impl<'a> NewFile<'a> {
    /// Writes a file under its own name; `None` if there is something of this name.
    pub(super) fn in_place(
        disk: &'a dyn Disk,
        path: PathBuf,
        frames: &[Bytes],
    ) -> io::Result<Option<Self>> {
        let file = match around("fs.create", || disk.create_new(&path)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(None),
            Err(error) => return Err(error),
        };
        Self::fill(disk, path, file, State::InPlace, frames).map(Some)
    }

    /// Writes a file that has no name yet.
    pub(super) fn unnamed(
        disk: &'a dyn Disk,
        folder: &Arc<TempFolder>,
        frames: &[Bytes],
    ) -> io::Result<Self> {
        let path = folder.new_path();
        let file = disk.create_new(&path)?;
        let _folder = Arc::clone(folder);
        Self::fill(disk, path, file, State::Unnamed { _folder }, frames)
    }

    fn fill(
        disk: &'a dyn Disk,
        path: PathBuf,
        file: Box<dyn DiskFile>,
        state: State,
        frames: &[Bytes],
    ) -> io::Result<Self> {
        let identity = file.identity()?;
        let file = Some(file);
        // Goes again if it cannot be filled.
        let mut new = Self {
            disk,
            path,
            file,
            identity,
            state,
        };
        let mut slices: Vec<_> = frames.iter().map(|frame| IoSlice::new(frame)).collect();
        if let Some(file) = &mut new.file {
            file.write_all(&mut slices)?;
        }
        Ok(new)
    }

    /// Has the disk begin to write, and waits for nothing: it then takes all files of a report in one go.
    pub(super) fn begin_sync(&mut self) {
        if let Some(file) = &mut self.file {
            file.begin_sync();
        }
    }

    /// Closes the file, its bytes being on disk if `fsync`.
    pub(super) fn close(&mut self, fsync: bool) -> io::Result<()> {
        match self.file.take() {
            Some(mut file) if fsync => file.sync(),
            _ => Ok(()),
        }
    }

    /// Gives the file its name, in place of an older one. One that has it already can still be taken back.
    pub(super) fn name(&mut self, target: &Path) -> io::Result<()> {
        let State::Unnamed { .. } = self.state else {
            return Ok(());
        };
        let named = around("fs.rename", || self.disk.rename(&self.path, target));
        if named.is_ok() || self.may_be_at(target) {
            self.state = State::Kept;
        }
        named
    }

    /// A rename may have been done although the disk reports a failure.
    fn may_be_at(&self, path: &Path) -> bool {
        match self.disk.identity(path) {
            Ok(found) => found == self.identity,
            Err(error) => error.kind() != ErrorKind::NotFound,
        }
    }

    pub(super) fn is_kept(&self) -> bool {
        matches!(self.state, State::Kept)
    }

    /// The file stays.
    pub(super) fn keep(mut self) {
        self.state = State::Kept;
    }
}

impl Drop for NewFile<'_> {
    fn drop(&mut self) {
        let is_ours = match &self.state {
            State::Kept => false,
            State::Unnamed { .. } => true,
            State::InPlace => self
                .disk
                .identity(&self.path)
                .is_ok_and(|found| found == self.identity),
        };
        if is_ours {
            // What cannot be removed now is removed at the next start, or is not visible as a report.
            let _ = self.disk.remove(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;
    use std::fs;

    fn frames() -> [Bytes; 1] {
        [Bytes::from_static(b"a")]
    }

    fn space() -> (tempfile::TempDir, Arc<dyn Disk>, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("file");
        (root, Arc::new(RealDisk::shared(true)), path)
    }

    fn in_place<'a>(disk: &'a Arc<dyn Disk>, path: &Path) -> Option<NewFile<'a>> {
        NewFile::in_place(disk.as_ref(), path.to_owned(), &frames()).unwrap()
    }

    #[test]
    fn what_is_not_kept_goes() {
        let (root, disk, path) = space();
        let folder = TempFolder::make(&disk, root.path()).unwrap();
        let unnamed = NewFile::unnamed(disk.as_ref(), &folder, &frames()).unwrap();
        let written = unnamed.path.clone();
        assert!(written.exists());
        drop(unnamed);
        assert!(!written.exists());
        let file = in_place(&disk, &path);
        assert!(path.exists());
        drop(file);
        assert!(!path.exists());
        in_place(&disk, &path).unwrap().keep();
        assert_eq!(fs::read(path).unwrap(), b"a");
    }

    #[test]
    fn a_name_that_is_taken_is_not_touched() {
        let (_root, disk, path) = space();
        fs::write(&path, "older").unwrap();
        assert!(in_place(&disk, &path).is_none());
        assert_eq!(fs::read_to_string(path).unwrap(), "older");
    }

    #[test]
    fn what_somebody_else_put_in_its_place_is_not_removed() {
        let (root, disk, path) = space();
        let ours = in_place(&disk, &path);
        let other = root.path().join("other");
        fs::write(&other, "other").unwrap();
        fs::rename(other, &path).unwrap();
        drop(ours);
        assert_eq!(fs::read_to_string(path).unwrap(), "other");
    }
}
