//! Files that are being written, in a folder of this process below `.tmp`, until they are whole and get their names.
//!
//! A process holds a lock on its folder as long as it lives, so that another one that starts on the same disk can tell
//! what a crash left behind from what is being written right now. Process ids cannot tell: containers have their own.

use std::any::Any;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use crate::disk::{Disk, Listed};

const FOLDER: &str = ".tmp";

/// `<root>/.tmp/<random uuid>/`, files in it are numbered.
pub(super) struct TempFolder {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    next: AtomicU64,
    /// `None` where the disk knows no locks: there nobody removes what somebody left behind.
    _alive: Option<Box<dyn Any + Send + Sync>>,
}

impl TempFolder {
    /// # Errors
    /// "Not found" also if a process that starts removed it before it was locked; the next attempt makes another.
    pub(super) fn make(disk: &Arc<dyn Disk>, root: &Path) -> io::Result<Arc<Self>> {
        let shared = Self::of(root);
        disk.make_folder(&shared)?;
        let path = shared.join(Uuid::new_v4().to_string());
        disk.make_folder(&path)?;
        let _alive = match disk.lock(&path) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return Err(ErrorKind::NotFound.into());
            }
            locked => locked.ok(),
        };
        Ok(Arc::new(Self {
            disk: Arc::clone(disk),
            path,
            next: AtomicU64::new(0),
            _alive,
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
        let _ = self.disk.remove_folder(&self.path);
    }
}

/// Removes what processes left behind that are gone. What cannot be removed does no harm and stays.
pub(super) fn sweep(disk: &dyn Disk, root: &Path) {
    let shared = TempFolder::of(root);
    for Listed { name, .. } in disk.list(&shared).unwrap_or_default() {
        if Uuid::try_parse(&name).is_ok() {
            sweep_one(disk, &shared.join(name));
        }
    }
}

fn sweep_one(disk: &dyn Disk, folder: &Path) {
    let Ok(_lock) = disk.lock(folder) else {
        return;
    };
    for Listed { name, .. } in disk.list(folder).unwrap_or_default() {
        if name.parse::<u64>().is_ok() {
            let _ = disk.remove(&folder.join(name));
        }
    }
    // Keeps a folder in which somebody else put something.
    let _ = disk.remove_folder(folder);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;
    use std::fs;

    fn space() -> (tempfile::TempDir, Arc<dyn Disk>) {
        (
            tempfile::tempdir().unwrap(),
            Arc::new(RealDisk::shared(true)),
        )
    }

    #[test]
    fn an_empty_folder_goes_with_its_owner() {
        let (root, disk) = space();
        let folder = TempFolder::make(&disk, root.path()).unwrap();
        let path = folder.path.clone();
        assert!(path.exists());
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn a_start_removes_what_a_crash_left_and_only_that() {
        let (root, disk) = space();
        let living = TempFolder::make(&disk, root.path()).unwrap();
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

        sweep(disk.as_ref(), root.path());

        assert!(being_written.exists());
        assert!(!dead.exists());
        assert!(odd.join("notes").exists() && !odd.join("7").exists());
        assert!(shared.join("theirs/7").exists());
    }
}
