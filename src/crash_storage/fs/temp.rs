//! Files that are being written, in a folder of this process below `.tmp`, until they are whole and get their names.
//!
//! A process holds a lock on its folder as long as it lives, so that another one that starts on the same disk can tell
//! what a crash left behind from what is being written right now. Process ids cannot tell: containers have their own.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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

    /// A path in the folder that was never given out before.
    pub(super) fn new_path(&self) -> PathBuf {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.path.join(number.to_string())
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // Fails if a file in it could not be removed; the next start tries again.
        let _ = fs::remove_dir(&self.path);
    }
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

    #[test]
    fn an_empty_folder_goes_with_its_owner() {
        let root = tempfile::tempdir().unwrap();
        let folder = TempFolder::make(root.path()).unwrap();
        let path = folder.path.clone();
        assert!(path.exists());
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn a_start_removes_what_a_crash_left_and_only_that() {
        let root = tempfile::tempdir().unwrap();
        let living = TempFolder::make(root.path()).unwrap();
        let being_written = living.new_path();
        fs::write(&being_written, "a").unwrap();
        let shared = TempFolder::of(root.path());
        let dead = shared.join(Uuid::new_v4().to_string());
        let odd = shared.join(Uuid::new_v4().to_string());
        for folder in [&dead, &odd, &shared.join("theirs")] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("7"), "half a du").unwrap();
        }
        fs::write(odd.join("notes"), "").unwrap();

        sweep(root.path());

        assert!(being_written.exists());
        assert!(!dead.exists());
        assert!(odd.join("notes").exists() && !odd.join("7").exists());
        assert!(shared.join("theirs/7").exists());
    }
}
