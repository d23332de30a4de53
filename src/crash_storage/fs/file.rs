//! One file of a report while it is written: gone again when dropped, unless it was kept.
//!
//! A file that nobody looks at before the raw crash is there gets its own name at once: a new name costs about a
//! quarter of what writing a small report costs. Where that name is taken, and for the raw crash, whose name makes the
//! report visible, the bytes are written under a name of no meaning first, so that no older file is ever cut short.

use std::fs::{self, File};
use std::io::{self, ErrorKind, IoSlice, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use rustix::fs::{Advice, fadvise};

use super::temp::TempFolder;
use crate::disk::DirectIo;
use crate::fail_point::around;

/// A file that is written, but may still be taken back.
#[derive(Debug)]
pub(super) struct NewFile {
    path: PathBuf,
    file: Option<File>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// It has its own name. Somebody else may put another in its place meanwhile, which is not ours to remove.
    InPlace(Identity),
    /// Its name means nothing. The folder's lock keeps other processes from sweeping the file away.
    Unnamed { _folder: Arc<TempFolder> },
    /// Not ours to remove any more.
    Kept,
}

/// Device and inode.
type Identity = (u64, u64);

impl NewFile {
    /// Writes a file under its own name; `None` if there is something of this name.
    pub(super) fn in_place(
        path: &Path,
        frames: &[Bytes],
        direct: &DirectIo,
    ) -> io::Result<Option<Self>> {
        let file = match around("fs.create", || File::create_new(path)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(None),
            Err(error) => return Err(error),
        };
        let identity = identity(&file.metadata()?);
        Self::new(path.to_owned(), file, State::InPlace(identity))
            .fill(frames, direct)
            .map(Some)
    }

    /// Writes a file that has no name yet.
    pub(super) fn unnamed(
        folder: &Arc<TempFolder>,
        frames: &[Bytes],
        direct: &DirectIo,
    ) -> io::Result<Self> {
        let path = folder.new_path();
        let file = File::create_new(&path)?;
        let _folder = Arc::clone(folder);
        Self::new(path, file, State::Unnamed { _folder }).fill(frames, direct)
    }

    fn new(path: PathBuf, file: File, state: State) -> Self {
        Self {
            path,
            file: Some(file),
            state,
        }
    }

    fn fill(mut self, frames: &[Bytes], direct: &DirectIo) -> io::Result<Self> {
        if let Some(file) = &mut self.file {
            let written_bytes = direct.write(file, frames)?;
            write_frames(file, frames, written_bytes)?;
        }
        Ok(self)
    }

    /// Has the kernel begin to write, and waits for nothing: the disk then takes all files of a report in one go.
    pub(super) fn send_to_disk(&self) {
        if let Some(file) = &self.file {
            // Advice only. What fails here fails again when the file is closed.
            let _ = fadvise(file, 0, None, Advice::DontNeed);
        }
    }

    /// Closes the file, its bytes being on disk if `fsync`.
    pub(super) fn close(&mut self, fsync: bool) -> io::Result<()> {
        match self.file.take() {
            Some(file) if fsync => file.sync_data(),
            _ => Ok(()),
        }
    }

    /// Gives the file its name, in place of an older one. One that has it already can still be taken back.
    pub(super) fn name(&mut self, target: &Path) -> io::Result<()> {
        if let State::Unnamed { .. } = self.state {
            around("fs.rename", || fs::rename(&self.path, target))?;
            self.state = State::Kept;
        }
        Ok(())
    }

    /// The file stays.
    pub(super) fn keep(mut self) {
        self.state = State::Kept;
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        let is_ours = match &self.state {
            State::Kept => false,
            State::Unnamed { .. } => true,
            State::InPlace(ours) => {
                fs::symlink_metadata(&self.path).is_ok_and(|found| identity(&found) == *ours)
            }
        };
        if is_ours {
            // What cannot be removed now is removed at the next start, or is not visible as a report.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(metadata: &fs::Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

/// What comes behind the first `written_bytes`, in as few calls as the frames allow.
fn write_frames(file: &mut impl Write, frames: &[Bytes], written_bytes: usize) -> io::Result<()> {
    let mut slices: Vec<_> = frames.iter().map(|frame| IoSlice::new(frame)).collect();
    let mut rest = &mut slices[..];
    // Skips empty frames at the front, too: writing nothing would look like a disk that takes nothing.
    IoSlice::advance_slices(&mut rest, written_bytes);
    while !rest.is_empty() {
        match file.write_vectored(rest) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut rest, written),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(pieces: &[&'static str]) -> Vec<Bytes> {
        pieces
            .iter()
            .map(|piece| Bytes::from_static(piece.as_bytes()))
            .collect()
    }

    fn direct() -> DirectIo {
        DirectIo::new(true)
    }

    fn files(folder: &Path) -> usize {
        let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
        entries.filter(|entry| entry.path().is_file()).count()
    }

    #[test]
    fn frames_are_joined_in_the_file() {
        let root = tempfile::tempdir().unwrap();
        let folder = TempFolder::make(root.path()).unwrap();
        for (number, (pieces, text)) in [
            (&["", "a", "", "bc", ""][..], "abc"),
            (&[], ""),
            (&["", ""], ""),
        ]
        .into_iter()
        .enumerate()
        {
            let mut unnamed = NewFile::unnamed(&folder, &frames(pieces), &direct()).unwrap();
            unnamed.close(true).unwrap();
            unnamed.name(&root.path().join("file")).unwrap();
            assert_eq!(fs::read_to_string(root.path().join("file")).unwrap(), text);
            let path = root.path().join(number.to_string());
            let in_place = NewFile::in_place(&path, &frames(pieces), &direct()).unwrap();
            in_place.unwrap().keep();
            assert_eq!(fs::read_to_string(path).unwrap(), text);
        }
    }

    #[test]
    fn more_frames_than_one_call_takes_are_written() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("file");
        let frames = vec![Bytes::from_static(b"xy"); 5000];
        NewFile::in_place(&path, &frames, &direct())
            .unwrap()
            .unwrap()
            .keep();
        assert_eq!(fs::read(path).unwrap(), b"xy".repeat(5000));
    }

    /// As large as dumps are: all but the end goes past the kernel's memory where the disk can do that.
    #[test]
    fn large_files_are_whole_to_the_last_byte() {
        let root = tempfile::tempdir().unwrap();
        for length in [65_535, 65_536, 65_537, 400_000, 524_288, 1_300_001] {
            let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let frames: Vec<_> = bytes.chunks(7000).map(Bytes::copy_from_slice).collect();
            let path = root.path().join(length.to_string());
            let file = NewFile::in_place(&path, &frames, &direct()).unwrap();
            let mut file = file.unwrap();
            file.close(true).unwrap();
            file.keep();
            assert!(fs::read(path).unwrap() == bytes, "{length}");
        }
    }

    #[test]
    fn a_full_disk_is_told() {
        let mut full = File::options().write(true).open("/dev/full").unwrap();
        let error = write_frames(&mut full, &frames(&["a"]), 0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }

    #[test]
    fn what_is_not_kept_goes() {
        let root = tempfile::tempdir().unwrap();
        let folder = TempFolder::make(root.path()).unwrap();
        let unnamed = NewFile::unnamed(&folder, &frames(&["a"]), &direct()).unwrap();
        let written = unnamed.path.clone();
        assert!(written.exists());
        drop(unnamed);
        assert!(!written.exists());
        let in_place =
            NewFile::in_place(&root.path().join("file"), &frames(&["a"]), &direct()).unwrap();
        assert_eq!(files(root.path()), 1);
        drop(in_place);
        assert_eq!(files(root.path()), 0);
    }

    #[test]
    fn a_name_that_is_taken_is_not_touched() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("file");
        fs::write(&path, "older").unwrap();
        assert!(
            NewFile::in_place(&path, &frames(&["a"]), &direct())
                .unwrap()
                .is_none()
        );
        assert_eq!(fs::read_to_string(path).unwrap(), "older");
    }

    #[test]
    fn what_somebody_else_put_in_its_place_is_not_removed() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("file");
        let in_place = NewFile::in_place(&path, &frames(&["a"]), &direct())
            .unwrap()
            .unwrap();
        fs::write(root.path().join("other"), "other").unwrap();
        fs::rename(root.path().join("other"), &path).unwrap();
        drop(in_place);
        assert_eq!(fs::read_to_string(path).unwrap(), "other");
    }
}
