//! Files that are being written, in a folder of this process below `.tmp`, until they are whole and get their names.
//!
//! A process holds a lock on its folder as long as it lives, so that another one that starts on the same disk can tell
//! what a crash left behind from what is being written right now. Process ids cannot tell: containers have their own.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, IoSlice, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use uuid::Uuid;

const FOLDER: &str = ".tmp";

/// `<root>/.tmp/<random uuid>/`, files in it are numbered.
#[derive(Debug)]
pub(super) struct TempFolder {
    path: PathBuf,
    next: AtomicU64,
    /// Locked; where the disk knows no locks, nobody removes what somebody left behind.
    _alive: File,
}

impl TempFolder {
    pub(super) fn make(root: &Path) -> io::Result<Arc<Self>> {
        let shared = root.join(FOLDER);
        if let Err(error) = fs::create_dir(&shared)
            && error.kind() != ErrorKind::AlreadyExists
        {
            return Err(error);
        }
        // So that no sweep sees the new folder before it is locked. Let go at the end of this function.
        let gate = File::open(&shared)?;
        let _ = gate.lock();
        let path = shared.join(Uuid::new_v4().to_string());
        fs::create_dir(&path)?;
        let alive = File::open(&path)?;
        let _ = alive.try_lock();
        Ok(Arc::new(Self {
            path,
            next: AtomicU64::new(0),
            _alive: alive,
        }))
    }

    /// Where the folders of all processes are; for messages.
    pub(super) fn of(root: &Path) -> PathBuf {
        root.join(FOLDER)
    }

    /// Writes a new file, in as few calls as the frames allow.
    pub(super) fn write(self: &Arc<Self>, frames: &[Bytes]) -> io::Result<TempFile> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = self.path.join(number.to_string());
        let mut file = File::create_new(&path)?;
        let written = write_frames(&mut file, frames);
        let temp = TempFile {
            path,
            file: Some(file),
            moved: false,
            _folder: Arc::clone(self),
        };
        written.map(|()| temp)
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // Fails if a file in it could not be removed; the next start tries again.
        let _ = fs::remove_dir(&self.path);
    }
}

/// A file without its final name; gone when dropped before it got one.
#[derive(Debug)]
pub(super) struct TempFile {
    path: PathBuf,
    file: Option<File>,
    moved: bool,
    /// Its lock keeps other processes from sweeping the file away.
    _folder: Arc<TempFolder>,
}

impl TempFile {
    /// Closes the file, its bytes being on disk if `fsync`.
    pub(super) fn close(&mut self, fsync: bool) -> io::Result<()> {
        match self.file.take() {
            Some(file) if fsync => file.sync_data(),
            _ => Ok(()),
        }
    }

    /// Gives the file its name, in place of an older one.
    pub(super) fn move_to(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.moved = true;
        Ok(())
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if !self.moved {
            // What cannot be removed now is removed at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn write_frames(file: &mut impl Write, frames: &[Bytes]) -> io::Result<()> {
    let mut slices: Vec<_> = frames.iter().map(|frame| IoSlice::new(frame)).collect();
    let mut rest = &mut slices[..];
    // Skips empty frames at the front: writing nothing would look like a disk that takes nothing.
    IoSlice::advance_slices(&mut rest, 0);
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

/// Removes what processes left behind that are gone. What cannot be removed does no harm and stays.
pub(super) fn sweep(root: &Path) {
    let Ok(gate) = File::open(root.join(FOLDER)) else {
        return;
    };
    if gate.lock().is_err() {
        return;
    }
    for folder in entries(&root.join(FOLDER)) {
        if name_of(&folder).is_some_and(|name| Uuid::try_parse(name).is_ok()) {
            sweep_one(&folder);
        }
    }
}

fn sweep_one(folder: &Path) {
    let Ok(lock) = File::open(folder) else {
        return;
    };
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => return,
    }
    for file in entries(folder) {
        if name_of(&file).is_some_and(|name| name.parse::<u64>().is_ok()) {
            let _ = fs::remove_file(file);
        }
    }
    // Keeps a folder in which somebody else put something.
    let _ = fs::remove_dir(folder);
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
}

fn name_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
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

    #[test]
    fn frames_are_joined_in_the_file() {
        let root = tempfile::tempdir().unwrap();
        let folder = TempFolder::make(root.path()).unwrap();
        for (pieces, text) in [
            (&["", "a", "", "bc", ""][..], "abc"),
            (&[], ""),
            (&["", ""], ""),
        ] {
            let mut temp = folder.write(&frames(pieces)).unwrap();
            temp.close(true).unwrap();
            temp.move_to(&root.path().join("file")).unwrap();
            assert_eq!(fs::read_to_string(root.path().join("file")).unwrap(), text);
        }
    }

    #[test]
    fn more_frames_than_one_call_takes_are_written() {
        let root = tempfile::tempdir().unwrap();
        let folder = TempFolder::make(root.path()).unwrap();
        let temp = folder
            .write(&vec![Bytes::from_static(b"xy"); 5000])
            .unwrap();
        assert_eq!(fs::read(&temp.path).unwrap(), b"xy".repeat(5000));
    }

    #[test]
    fn a_full_disk_is_told() {
        let mut full = File::options().write(true).open("/dev/full").unwrap();
        let error = write_frames(&mut full, &frames(&["a"])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }

    #[test]
    fn a_file_without_a_name_does_not_stay() {
        let root = tempfile::tempdir().unwrap();
        let folder = TempFolder::make(root.path()).unwrap();
        drop(folder.write(&frames(&["a"])).unwrap());
        assert_eq!(entries(&folder.path).count(), 0);
        let path = folder.path.clone();
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn a_start_removes_what_a_crash_left_and_only_that() {
        let root = tempfile::tempdir().unwrap();
        let living = TempFolder::make(root.path()).unwrap();
        let being_written = living.write(&frames(&["a"])).unwrap();
        let shared = TempFolder::of(root.path());
        let dead = shared.join(Uuid::new_v4().to_string());
        let odd = shared.join(Uuid::new_v4().to_string());
        for folder in [&dead, &odd, &shared.join("theirs")] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("7"), "half a du").unwrap();
        }
        fs::write(odd.join("notes"), "").unwrap();

        sweep(root.path());

        assert!(being_written.path.exists());
        assert!(!dead.exists());
        assert!(odd.join("notes").exists() && !odd.join("7").exists());
        assert!(shared.join("theirs/7").exists());
    }
}
