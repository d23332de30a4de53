//! The machine's own file systems.

use std::any::Any;
use std::fs::{DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{Access, Advice, access, fadvise};

use super::direct_io::DirectIo;
use super::{Disk, DiskFile, Identity, Listed};

/// File systems of which this process has the usual view.
pub struct RealDisk {
    direct_io: Arc<DirectIo>,
    file_mode: u32,
    folder_mode: u32,
}

impl RealDisk {
    /// Its files are for the collector's user alone: they hold the memory of other people's programs.
    ///
    /// `waits` where everybody waits for what is written to be durable.
    pub fn private(waits: bool) -> Self {
        Self::new(waits, 0o600, 0o700)
    }

    /// Its files are for whom the process's umask says.
    pub fn shared(waits: bool) -> Self {
        Self::new(waits, 0o666, 0o777)
    }

    fn new(waits: bool, file_mode: u32, folder_mode: u32) -> Self {
        let direct_io = Arc::new(DirectIo::new(waits));
        Self {
            direct_io,
            file_mode,
            folder_mode,
        }
    }

    fn to_write(&self) -> OpenOptions {
        let mut options = OpenOptions::new();
        options.write(true).mode(self.file_mode);
        options
    }

    fn written(&self, file: File) -> Box<dyn DiskFile> {
        let direct_io = Arc::clone(&self.direct_io);
        Box::new(RealFile { file, direct_io })
    }
}

impl Disk for RealDisk {
    fn make_folder(&self, dir: &Path) -> io::Result<bool> {
        match DirBuilder::new().mode(self.folder_mode).create(dir) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && dir.is_dir() => Ok(false),
            made => made.map(|()| true),
        }
    }

    fn remove_folder(&self, dir: &Path) -> io::Result<()> {
        std::fs::remove_dir(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        let file = match self.to_write().create(true).truncate(false).open(path) {
            Err(error) if error.kind() == ErrorKind::IsADirectory => File::open(path)?,
            opened => opened?,
        };
        match file.try_lock() {
            Ok(()) => Ok(Box::new(file)),
            Err(TryLockError::WouldBlock) => Err(ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = self.to_write().create(true).truncate(true).open(path)?;
        Ok(self.written(file))
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = self.to_write().create_new(true).open(path)?;
        Ok(self.written(file))
    }

    fn open(&self, path: &Path) -> io::Result<(Box<dyn Read>, u64)> {
        let file = File::open(path)?;
        let length_bytes = file.metadata()?.len();
        Ok((Box::new(file), length_bytes))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_folder(&self, dir: &Path) -> io::Result<()> {
        as_far_as_possible(File::open(dir)?.sync_all())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Listed>> {
        let mut listed = Vec::new();
        for found in std::fs::read_dir(dir)? {
            let found = found?;
            match found.metadata() {
                Ok(about) if about.is_file() || about.is_dir() => listed.push(Listed {
                    name: found.file_name().to_string_lossy().into_owned(),
                    is_folder: about.is_dir(),
                    length_bytes: about.len(),
                }),
                Ok(_) => {}
                // It was moved on while we listed.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(listed)
    }

    fn identity(&self, path: &Path) -> io::Result<Identity> {
        std::fs::symlink_metadata(path).map(|about| Identity::from(&about))
    }

    fn may_write(&self, dir: &Path) -> io::Result<()> {
        // With the dot at the end, a file of this name is refused.
        Ok(access(dir.join("."), Access::WRITE_OK | Access::EXEC_OK)?)
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        let about = rustix::fs::statvfs(dir)?;
        Ok(about.f_bavail.saturating_mul(about.f_frsize))
    }
}

/// A file system that cannot fsync folders (CIFS, some of FUSE) says so by these; the disk is as well as it can be.
fn as_far_as_possible(synced: io::Result<()>) -> io::Result<()> {
    match synced {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::InvalidInput | ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        other => other,
    }
}

impl From<&Metadata> for Identity {
    fn from(about: &Metadata) -> Self {
        Self {
            device: about.dev(),
            inode: about.ino(),
        }
    }
}

struct RealFile {
    file: File,
    direct_io: Arc<DirectIo>,
}

impl DiskFile for RealFile {
    fn write_all(&mut self, slices: &mut [IoSlice<'_>]) -> io::Result<()> {
        let written_bytes = self.direct_io.write(&mut self.file, slices)?;
        write_rest(&mut self.file, slices, written_bytes)
    }

    fn begin_sync(&mut self) {
        // What fails here fails again when the file is synced.
        let _ = fadvise(&self.file, 0, None, Advice::DontNeed);
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn identity(&self) -> io::Result<Identity> {
        self.file.metadata().map(|about| Identity::from(&about))
    }
}

/// What comes behind the first `written_bytes`, in as few calls as the slices allow.
fn write_rest(
    file: &mut impl Write,
    mut slices: &mut [IoSlice<'_>],
    written_bytes: usize,
) -> io::Result<()> {
    // Skips empty slices at the front, too: writing nothing would look like a disk that takes nothing.
    IoSlice::advance_slices(&mut slices, written_bytes);
    while !slices.is_empty() {
        match file.write_vectored(slices) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut slices, written),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
