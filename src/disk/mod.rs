//! The operations on files that durability rests on, each once, so that a test can fail the third fsync.
//!
//! Under the spool and under crash storage on disk. Operations only: what they mean for a report, and in which order they
//! come, is decided there.

mod direct_io;
mod real_disk;
mod shared_sync;
#[cfg(any(test, feature = "fail-points"))]
pub mod testing;

use std::any::Any;
use std::io::{self, IoSlice, Read};
use std::path::Path;

pub use direct_io::{DirectIo, MOST_IMPATIENT};
pub use real_disk::RealDisk;
pub use shared_sync::SharedSync;

/// A disk on which reports are kept. All operations block.
pub trait Disk: Send + Sync {
    /// Makes one folder; it may exist already, its parent must.
    fn make_folder(&self, dir: &Path) -> io::Result<()>;

    /// Locks a file (made if absent) for as long as the returned guard lives.
    ///
    /// # Errors
    /// `WouldBlock`: somebody else holds it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>>;

    /// Makes an empty file, or empties an existing one.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// A file's bytes, and how many there are.
    fn open(&self, path: &Path) -> io::Result<(Box<dyn Read>, u64)>;

    /// Moves a file within the disk in one step; a file at `to` is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes every earlier change of names in this folder durable.
    fn sync_folder(&self, dir: &Path) -> io::Result<()>;

    /// The plain files of a folder, in any order. Opens none of them.
    fn list(&self, dir: &Path) -> io::Result<Vec<FileSeen>>;

    /// What this process may still write on the file system that holds `dir`.
    fn free_bytes(&self, dir: &Path) -> io::Result<u64>;
}

/// A file being written.
pub trait DiskFile {
    /// Writes all slices one after the other. An error leaves the file in an unknown state.
    fn write_all(&mut self, slices: &mut [IoSlice<'_>]) -> io::Result<()>;

    /// Makes content and length durable (not the name: that is `Disk::sync_folder`).
    fn sync(&mut self) -> io::Result<()>;
}

/// A file as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSeen {
    pub name: String,
    pub length_bytes: u64,
}
