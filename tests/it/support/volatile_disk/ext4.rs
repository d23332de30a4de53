//! The kernel's ext4 on the test disk, by a loop device: what the disk then keeps or loses are blocks, as a drive does.

use std::fs::{self, File};
use std::io::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use tempfile::TempDir;

/// In the test disk.
const IMAGE: &str = "disk.img";
const IMAGE_BYTES: u64 = 1 << 30;

/// A place to mount it.
pub struct Ext4 {
    folder: TempDir,
}

impl Ext4 {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Mounts what is on the disk `below`, or else a new one.
    pub fn attach(&self, below: &Path) -> Result<()> {
        let image = below.join(IMAGE);
        if !image.exists() {
            format(&image)?;
            File::open(below)?.sync_all()?;
        }
        let mount = ["-t", "ext4", "-o", "loop,noatime"].map(Path::new);
        run("mount", &[&mount[..], &[&image, self.path()]].concat())?;
        self.fill(false);
        Ok(())
    }

    pub fn detach(&self) {
        // Whether it was mounted or not.
        let _ = run("umount", &[Path::new("-q"), self.path()]);
    }

    /// Lets a file have all the room there is, or takes it away.
    pub fn fill(&self, is_full: bool) {
        let ballast = self.ballast();
        if !is_full {
            // It may not be there.
            let _ = fs::remove_file(ballast);
        } else if let (Ok(file), Ok(about)) = (File::create(ballast), statvfs(self.path())) {
            // Takes as much as there is, and then says that this was not all.
            let room = about.f_bavail * about.f_frsize;
            let _ = fallocate(file, FallocateFlags::empty(), 0, room);
        }
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }
}

fn format(image: &Path) -> Result<()> {
    let file = File::create(image)?;
    file.set_len(IMAGE_BYTES)?;
    // All at once, so that the kernel writes nothing later that no report needs.
    let options = "lazy_itable_init=0,lazy_journal_init=0,nodiscard";
    let options = ["-q", "-F", "-m", "0", "-i", "16384", "-E", options].map(Path::new);
    run("mkfs.ext4", &[&options[..], &[image]].concat())?;
    file.sync_all()
}

fn run(program: &str, arguments: &[&Path]) -> Result<()> {
    let done = Command::new(program).args(arguments).output()?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    Err(Error::other(format!("{program}: {}", said.trim())))
}
