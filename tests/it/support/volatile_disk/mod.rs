//! A disk whose power can be cut under a running process: a file system on FUSE that keeps only what was synced.
//!
//! It lives in the memory of the test, so it survives the cut and the collector does not. Needs `/dev/fuse` and the right
//! to mount. As it is, it promises less than any file system of the kernel's; with an ext4 on it, it is the drive below that.

mod bytes;
mod ext4;
mod node;
mod operations;
mod serve;
mod tree;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fuser::{BackgroundSession, Config, MountOption};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tempfile::TempDir;

use ext4::Ext4;
use operations::Serve;
use tree::Tree;

pub use tree::Strength;

/// Says whether an fsync of this path (of a folder, if true) is a lie: it answers yes and does nothing.
pub type Lie = fn(&str, bool) -> bool;

/// Everything a cut leaves, and what goes wrong until then.
#[derive(Default)]
struct State {
    tree: Tree,
    /// Everything fails and nothing changes any more.
    is_off: bool,
    /// Nothing can be written any more.
    is_full: bool,
    lie: Option<Lie>,
    /// fsyncs until one fails, and what it then loses.
    failing: Option<(u32, StdRng)>,
    /// What an fsync failed to write can be written by the next: a drive has its cache still, a kernel has not.
    keeps_what_failed: bool,
    /// fsyncs that failed.
    failed: u32,
}

/// A mounted disk; unmounted when dropped.
pub struct VolatileDisk {
    state: Arc<Mutex<State>>,
    folder: TempDir,
    session: Option<BackgroundSession>,
    ext4: Option<Ext4>,
}

impl VolatileDisk {
    /// `None` where this machine cannot do that; on CI with `/dev/fuse`, where it must, that is a failure.
    pub fn mount() -> Option<Self> {
        Self::attached(None, &["/dev/fuse"])
    }

    /// One with an ext4 on it, of which it keeps the blocks that were flushed. `None` as for `mount`; needs loop devices too.
    pub fn mount_ext4() -> Option<Self> {
        Self::attached(Some(Ext4::new()), &["/dev/fuse", "/dev/loop-control"])
    }

    fn attached(ext4: Option<Ext4>, needed: &[&str]) -> Option<Self> {
        let state = State {
            keeps_what_failed: ext4.is_some(),
            ..State::default()
        };
        let mut disk = Self {
            state: Arc::new(Mutex::new(state)),
            folder: tempfile::tempdir().expect("a temporary folder"),
            session: None,
            ext4,
        };
        if let Err(error) = disk.attach() {
            let has_all = needed.iter().all(|device| Path::new(device).exists());
            let must = std::env::var_os("CI").is_some() && has_all;
            let devices = needed.join(" and ");
            assert!(!must, "CI may not use {devices}: {error}");
            eprintln!(
                "NOT TESTED: these power cuts need {devices} and permission to mount: {error}"
            );
            return None;
        }
        Some(disk)
    }

    fn attach(&mut self) -> std::io::Result<()> {
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("volatile".to_owned())];
        let serve = Serve::new(Arc::clone(&self.state));
        self.session = Some(fuser::spawn_mount(serve, self.folder.path(), &config)?);
        let ext4 = self.ext4.as_ref();
        ext4.map_or(Ok(()), |it| it.attach(self.folder.path()))
    }

    /// Where processes find it.
    pub fn path(&self) -> &Path {
        let ext4 = self.ext4.as_ref();
        ext4.map_or(self.folder.path(), Ext4::path)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cuts the power, calls `end_processes` (all that use the disk), and switches it on again.
    pub fn cut_power(&mut self, strength: Strength, seed: u64, end_processes: impl FnOnce()) {
        self.state().is_off = true;
        end_processes();
        // So that the kernel remembers nothing.
        self.detach();
        let mut state = self.state();
        state.tree.cut(strength, &mut StdRng::seed_from_u64(seed));
        (state.is_off, state.is_full, state.failing) = (false, false, None);
        drop(state);
        self.attach().expect("it was mounted before");
    }

    fn detach(&mut self) {
        self.ext4.iter().for_each(Ext4::detach);
        if let Some(session) = self.session.take() {
            // Lazily, since a failed test may still have files open.
            let _ = Command::new("umount")
                .arg("-l")
                .arg(self.folder.path())
                .status();
            drop(session);
        }
    }

    /// From now on these fsyncs are lies.
    pub fn lie(&self, lie: Lie) {
        self.state().lie = Some(lie);
    }

    /// The `nth` fsync from now on (1: the next) fails; `seed` decides what it loses for good.
    pub fn fail_fsync(&self, nth: u32, seed: u64) {
        self.state().failing = Some((nth, StdRng::seed_from_u64(seed)));
    }

    /// How many fsyncs failed so far.
    pub fn failed_fsyncs(&self) -> u32 {
        self.state().failed
    }

    /// Nothing more can be written, or it can again.
    pub fn fill(&self, is_full: bool) {
        match &self.ext4 {
            Some(ext4) => ext4.fill(is_full),
            None => self.state().is_full = is_full,
        }
    }

    /// Makes a folder that every cut leaves.
    pub fn make_folder(&self, name: &str) {
        let made = fs::create_dir(self.path().join(name));
        let durable = made.and_then(|()| File::open(self.path())?.sync_all());
        durable.expect("a name that is not in use");
    }

    /// Turns one bit in one of the files in a folder, not in those of these names; its name, if there is any.
    pub fn rot(&self, folder: &str, except: &BTreeSet<String>, seed: u64) -> Option<String> {
        let (folder, mut dice) = (self.path().join(folder), StdRng::seed_from_u64(seed));
        let files = fs::read_dir(&folder).ok()?;
        let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
        let mut names: Vec<_> = names.filter(|name| !except.contains(name)).collect();
        names.sort();
        let name = names.get(dice.random_range(0..names.len().max(1)))?;
        let path = folder.join(name);
        let bytes = fs::read(&path).ok()?;
        let at = dice.random_range(0..bytes.len().max(1));
        let turned = [bytes.get(at)? ^ (1 << dice.random_range(0..8))];
        let file = File::options().write(true).open(&path).ok()?;
        file.write_all_at(&turned, at as u64).ok()?;
        file.sync_all().ok()?;
        Some(name.clone())
    }
}

impl Drop for VolatileDisk {
    fn drop(&mut self) {
        self.detach();
    }
}
