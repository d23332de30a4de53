//! The machine's own file systems.

use std::any::Any;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, IoSlice, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use super::{DirectIo, Disk, DiskFile, FileSeen};

/// Dumps hold the memory of somebody's program: nobody but the collector's user reads them.
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// The machine's own file systems.
#[derive(Debug)]
pub struct RealDisk {
    direct: Arc<DirectIo>,
}

impl Default for RealDisk {
    fn default() -> Self {
        // Whoever puts something into the spool waits for the disk.
        let direct = Arc::new(DirectIo::new(true));
        Self { direct }
    }
}

impl Disk for RealDisk {
    fn make_folder(&self, dir: &Path) -> io::Result<()> {
        match DirBuilder::new().mode(FOLDER_MODE).create(dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
            made => made,
        }
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(FILE_MODE)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(file)),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(FILE_MODE)
            .open(path)?;
        let direct = Arc::clone(&self.direct);
        Ok(Box::new(RealFile { file, direct }))
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
        File::open(dir)?.sync_all()
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<FileSeen>> {
        let mut seen = Vec::new();
        for found in std::fs::read_dir(dir)? {
            let found = found?;
            match found.metadata() {
                Ok(about) if about.is_file() => seen.push(FileSeen {
                    name: found.file_name().to_string_lossy().into_owned(),
                    length_bytes: about.len(),
                }),
                Ok(_) => {}
                // It was moved on while we listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(seen)
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        let about = rustix::fs::statvfs(dir)?;
        Ok(about.f_bavail.saturating_mul(about.f_frsize))
    }
}

struct RealFile {
    file: File,
    direct: Arc<DirectIo>,
}

impl DiskFile for RealFile {
    fn write_all(&mut self, mut slices: &mut [IoSlice<'_>]) -> io::Result<()> {
        let written_bytes = self.direct.write(&mut self.file, slices)?;
        // Skips empty slices at the front, too.
        IoSlice::advance_slices(&mut slices, written_bytes);
        while !slices.is_empty() {
            match self.file.write_vectored(slices) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut slices, written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_slices_are_written_whole_and_in_order() {
        let (dir, disk) = (tempfile::tempdir().unwrap(), RealDisk::default());
        let path = dir.path().join("file");
        let pieces: Vec<Vec<u8>> = (0..3000u32).map(|n| n.to_le_bytes().repeat(50)).collect();
        let mut slices: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        slices.insert(0, IoSlice::new(&[]));
        let mut file = disk.create(&path).unwrap();
        file.write_all(&mut slices).unwrap();
        file.sync().unwrap();
        let (mut read, length_bytes) = disk.open(&path).unwrap();
        let mut found = Vec::new();
        read.read_to_end(&mut found).unwrap();
        assert_eq!(found, pieces.concat());
        assert_eq!(found.len() as u64, length_bytes);
    }

    #[test]
    fn a_listing_shows_plain_files_only() {
        let (dir, disk) = (tempfile::tempdir().unwrap(), RealDisk::default());
        let folder = dir.path().join("folder");
        disk.make_folder(&folder).unwrap();
        disk.make_folder(&folder).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("link")).unwrap();
        std::fs::write(dir.path().join("file"), b"abc").unwrap();
        let seen = disk.list(dir.path()).unwrap();
        let name = "file".to_owned();
        assert_eq!(
            seen,
            [FileSeen {
                name,
                length_bytes: 3
            }]
        );
    }

    #[test]
    fn a_lock_is_held_until_its_guard_goes() {
        let (dir, disk) = (tempfile::tempdir().unwrap(), RealDisk::default());
        let path = dir.path().join("lock");
        let held = disk.lock(&path).unwrap();
        let refused = disk.lock(&path).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
        drop(held);
        disk.lock(&path).unwrap();
    }

    #[test]
    fn files_are_for_the_collector_alone() {
        use std::os::unix::fs::PermissionsExt;
        let (dir, disk) = (tempfile::tempdir().unwrap(), RealDisk::default());
        let (folder, file) = (dir.path().join("folder"), dir.path().join("file"));
        disk.make_folder(&folder).unwrap();
        disk.create(&file).unwrap();
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(folder), mode(file)), (FOLDER_MODE, FILE_MODE));
    }
}
