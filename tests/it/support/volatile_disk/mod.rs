//! A disk whose power can be cut under a running process: a file system on FUSE that keeps only what was synced.
//!
//! It lives in the memory of the test, so it survives the cut and the collector does not. Needs `/dev/fuse` and the right
//! to mount. What no cut can show is what the kernel's own file systems do in between; those are stricter or as strict.

mod node;
mod operations;
mod serve;
mod tree;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fuser::{BackgroundSession, Config, MountOption};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tempfile::TempDir;

use node::Content;
use operations::Serve;
use tree::{ROOT, Tree};

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
    /// fsyncs that failed.
    failed: u32,
}

/// A mounted disk; unmounted when dropped.
pub struct VolatileDisk {
    state: Arc<Mutex<State>>,
    folder: TempDir,
    session: Option<BackgroundSession>,
}

impl VolatileDisk {
    /// `None` where this machine cannot do that; on CI with `/dev/fuse`, where it must, that is a failure.
    pub fn mount() -> Option<Self> {
        let mut disk = Self {
            state: Arc::default(),
            folder: tempfile::tempdir().expect("a temporary folder"),
            session: None,
        };
        if let Err(error) = disk.attach() {
            let must = std::env::var_os("CI").is_some() && Path::new("/dev/fuse").exists();
            assert!(!must, "CI may not mount /dev/fuse: {error}");
            eprintln!("NOT TESTED: power cuts need /dev/fuse and permission to mount: {error}");
            return None;
        }
        Some(disk)
    }

    fn attach(&mut self) -> std::io::Result<()> {
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("volatile".to_owned())];
        let serve = Serve::new(Arc::clone(&self.state));
        self.session = Some(fuser::spawn_mount(serve, self.folder.path(), &config)?);
        Ok(())
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
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
        self.state().is_full = is_full;
    }

    /// Makes a folder that every cut leaves.
    pub fn make_folder(&self, name: &str) {
        let tree = &mut self.state().tree;
        let made = tree.make(ROOT, name.as_ref(), 0o755, Content::folder());
        made.expect("a name that is not in use");
        tree.sync(ROOT);
    }

    /// Turns one bit in one of the files below a folder, not in those of these names; its name, if there is any.
    pub fn rot(&self, folder: &str, except: &BTreeSet<String>, seed: u64) -> Option<String> {
        let (mut state, mut dice) = (self.state(), StdRng::seed_from_u64(seed));
        let tree = &mut state.tree;
        let mut files: Vec<(String, u64)> = tree
            .nodes
            .keys()
            .map(|number| (tree.path(*number), *number))
            .filter(|(path, _)| path.starts_with(folder) && !except.contains(&path[folder.len()..]))
            .collect();
        files.retain(|(_, number)| {
            matches!(&tree.nodes[number].content, Content::File { durable, .. } if !durable.is_empty())
        });
        files.sort();
        let (path, number) = files.get(dice.random_range(0..files.len().max(1)))?;
        let Content::File { seen, durable, .. } = &mut tree.nodes.get_mut(number)?.content else {
            return None;
        };
        let bit = dice.random_range(0..durable.len() * 8);
        durable[bit / 8] ^= 1 << (bit % 8);
        seen.clone_from(durable);
        Some(path[folder.len()..].to_owned())
    }
}

impl Drop for VolatileDisk {
    fn drop(&mut self) {
        self.detach();
    }
}
