//! Whose the spool's folder is: one process's at a time, and on one volume as long as that process lives.

use std::any::Any;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::error::SpoolError;
use super::folders::Folders;
use crate::disk::{Disk, Identity};

const IN_USE: &str =
    "another process has this spool; each collector needs a CRASHMOVER_SPOOL_DIR of its own";

/// Lasts until it is dropped.
pub(super) struct Ownership {
    dir: PathBuf,
    /// The volume with what waits.
    device: u64,
    lock: Mutex<Lock>,
}

struct Lock {
    file: Identity,
    _held: Box<dyn Any + Send + Sync>,
}

impl Ownership {
    /// # Errors
    /// `Io`: another process has it, or the disk says no.
    pub fn take(disk: &dyn Disk, dir: &Path) -> Result<Self, SpoolError> {
        let lock = Mutex::new(lock(disk, dir)?);
        let found = disk.identity(dir);
        let device = found.map_err(|e| SpoolError::io("look at", dir, e))?.device;
        let dir = dir.to_owned();
        Ok(Self { dir, device, lock })
    }

    /// Makes the folders again if somebody emptied the spool's while we run, and locks the new one.
    ///
    /// False where the folder itself is missing or on another volume: the one with what waits may come back.
    ///
    /// # Errors
    /// `Io`: another process was faster, or the disk says no.
    pub fn restore(&self, folders: &Folders) -> Result<bool, SpoolError> {
        let (disk, dir) = (folders.disk(), &self.dir);
        let mut held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let is_ours = disk
            .identity(dir)
            .is_ok_and(|found| found.device == self.device);
        if is_ours {
            let is_locked = disk
                .identity(&lock_file(dir))
                .is_ok_and(|file| file == held.file);
            if !is_locked {
                *held = lock(disk, dir)?;
            }
            folders.make_states()?;
        }
        Ok(is_ours)
    }
}

fn lock_file(dir: &Path) -> PathBuf {
    dir.join("lock")
}

fn lock(disk: &dyn Disk, dir: &Path) -> Result<Lock, SpoolError> {
    let path = lock_file(dir);
    let failed = |error: io::Error| {
        let error = match error.kind() {
            kind @ ErrorKind::WouldBlock => io::Error::new(kind, IN_USE),
            _ => error,
        };
        SpoolError::io("lock", &path, error)
    };
    let _held = disk.lock(&path).map_err(failed)?;
    let file = disk.identity(&path).map_err(failed)?;
    Ok(Lock { file, _held })
}
