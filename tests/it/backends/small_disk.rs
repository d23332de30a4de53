//! A disk of a few kilobytes, to be full or read-only on demand: a tmpfs, which root may mount in most places.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

pub struct SmallDisk {
    folder: TempDir,
    covered: Option<PathBuf>,
}

impl SmallDisk {
    /// `None` where this process may not mount anything; on CI, where it must, that is a failure.
    pub fn mount(size_bytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={size_bytes}");
        if mount(&["-t", "tmpfs", "-o", &size, "tmpfs"], folder.path()) {
            return Some(Self {
                folder,
                covered: None,
            });
        }
        assert!(std::env::var_os("CI").is_none(), "CI may not mount a tmpfs");
        eprintln!("NOT TESTED: a small disk needs permission to mount a tmpfs");
        None
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn make_read_only(&self) {
        assert!(mount(&["-o", "remount,ro"], self.path()));
    }

    /// Puts this disk in the place of a folder as well, which is hidden until the disk goes.
    pub fn cover(&mut self, folder: &Path) {
        let disk = self.path().to_str().unwrap();
        assert!(mount(&["--bind", disk], folder));
        self.covered = Some(folder.to_owned());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, since a failed test may still have files open.
        for path in self
            .covered
            .iter()
            .map(PathBuf::as_path)
            .chain([self.folder.path()])
        {
            let _ = Command::new("umount").arg("-l").arg(path).status();
        }
    }
}

fn mount(options: &[&str], on: &Path) -> bool {
    let output = Command::new("mount").args(options).arg(on).output();
    output.is_ok_and(|output| output.status.success())
}
