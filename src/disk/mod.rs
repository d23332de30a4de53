//! The operations on files that durability rests on, each once, so that a test can fail the third fsync.
//!
//! Under the spool and under crash storage on disk. Operations only: what they mean for a report, and in which order they
//! come, is decided there. All of them block.

mod direct_io;
mod folder_syncs;
mod real_disk;
mod shared_sync;
#[cfg(any(test, feature = "fail-points"))]
pub mod testing;

use std::any::Any;
use std::io::{self, IoSlice, Read};
use std::path::{Path, PathBuf};

pub use folder_syncs::{FolderSyncs, Ticket};
pub use real_disk::RealDisk;

/// A disk on which reports are kept.
pub trait Disk: Send + Sync {
    /// Makes one folder, in a parent that exists. False if it is there already.
    ///
    /// # Errors
    /// `AlreadyExists`: something else has this name.
    fn make_folder(&self, dir: &Path) -> io::Result<bool>;

    /// Removes a folder, if nothing is in it.
    fn remove_folder(&self, dir: &Path) -> io::Result<()>;

    /// Locks a folder, or a file (made if absent), for as long as the returned guard lives.
    ///
    /// # Errors
    /// `WouldBlock`: somebody else holds it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>>;

    /// Makes an empty file, or empties an existing one.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Makes an empty file.
    ///
    /// # Errors
    /// `AlreadyExists`: something has this name.
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// A file's bytes, and how many there are.
    fn open(&self, path: &Path) -> io::Result<(Box<dyn Read>, u64)>;

    /// Moves a file within the disk in one step; a file at `to` is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes every earlier change of names in this folder durable, as far as the file system can.
    fn sync_folder(&self, dir: &Path) -> io::Result<()>;

    /// The plain files and the folders in a folder, in any order. Opens none of them.
    fn list(&self, dir: &Path) -> io::Result<Vec<Listed>>;

    /// What has this name now; links are not followed.
    fn identity(&self, path: &Path) -> io::Result<Identity>;

    /// Fails where this process may not make files in `dir`.
    fn may_write(&self, dir: &Path) -> io::Result<()>;

    /// What this process may still write on the file system that holds `dir`.
    fn free_bytes(&self, dir: &Path) -> io::Result<u64>;
}

/// A file being written.
pub trait DiskFile {
    /// Writes all slices one after the other. An error leaves the file in an unknown state.
    fn write_all(&mut self, slices: &mut [IoSlice<'_>]) -> io::Result<()>;

    /// Has the disk begin with what was written, and waits for nothing. Advice only.
    fn begin_sync(&mut self) {}

    /// Makes content and length durable (not the name: that is `Disk::sync_folder`).
    fn sync(&mut self) -> io::Result<()>;

    fn identity(&self) -> io::Result<Identity>;
}

/// Which file or folder something is, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    pub device: u64,
    pub inode: u64,
}

/// A file or folder as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub name: String,
    pub is_folder: bool,
    /// Of a file.
    pub length_bytes: u64,
}

/// Makes folders of one parent, of which `sync` makes the names durable.
///
/// Those that are there already are made durable too: whoever made them may have died before.
///
/// # Errors
/// With the path. Folders that this call made are removed again where their names are not surely durable: the next fsync
/// may say yes to names that one before it failed to write.
pub fn make_folders(
    disk: &dyn Disk,
    dirs: &[PathBuf],
    sync: impl FnOnce() -> io::Result<()>,
) -> Result<(), (PathBuf, io::Error)> {
    let mut made = Vec::new();
    let all_made = dirs.iter().try_for_each(|dir| {
        let is_new = disk.make_folder(dir).map_err(|e| (dir.clone(), e))?;
        made.extend(is_new.then_some(dir));
        Ok(())
    });
    let parent = dirs.first().map_or(Path::new("."), |dir| parent_of(dir));
    let durable = all_made.and_then(|()| sync().map_err(|e| (parent.to_owned(), e)));
    durable.inspect_err(|_| {
        for dir in made {
            // Stays if it is in use already, or the disk is gone.
            let _ = disk.remove_folder(dir);
        }
    })
}

/// The folder that holds this one; of a bare name, the working directory.
pub fn parent_of(dir: &Path) -> &Path {
    let parent = dir.parent().filter(|dir| !dir.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// Makes the names in the parent of `dir` durable.
pub fn sync_parent(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    match disk.sync_folder(parent_of(dir)) {
        // A parent that we may not even read is not one in which we just made a folder.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    }
}
