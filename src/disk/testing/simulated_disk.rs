//! A disk in memory that shows what a power failure may do to files and folders.
//!
//! A process sees every change at once. Durable is only what was fsynced: of all other changes of names each may be there
//! after a power failure or not, on its own, a rename always in one piece; what is in a folder that is not there is gone
//! with it. Of content that was not fsynced, any beginning may be there, followed by rubbish. A failed fsync loses some
//! changes for good while the process goes on seeing them, as Linux does. Stricter than any journaling file system: those
//! keep changes in order.

mod names;

use std::any::Any;
use std::collections::HashMap;
use std::io::{self, ErrorKind, IoSlice, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::disk::{Disk, DiskFile, Identity, Listed};
use names::{Names, Node};

/// A failing fsync takes its time, so that others change names meanwhile and are lost with it.
const FAILING_TAKES_TURNS: u32 = 100;

/// A disk in memory, with an empty folder `/` at first.
#[derive(Clone, Default)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    files: Vec<Content>,
    names: Names,
    failing_syncs: Vec<StdRng>,
    locks: HashMap<PathBuf, Weak<()>>,
}

#[derive(Default)]
struct Content {
    seen: Vec<u8>,
    durable: Vec<u8>,
}

impl SimulatedDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The power goes and comes back; `seed` decides what of the unfinished is there.
    pub fn cut_power(&self, seed: u64) {
        let mut dice = StdRng::seed_from_u64(seed);
        let mut state = self.state();
        state.names.lose_pending(|| dice.random());
        for file in &mut state.files {
            file.lose_unsynced(&mut dice);
        }
    }

    /// Lets the next fsync of a folder fail; `seed` decides what it lost.
    pub fn fail_next_folder_sync(&self, seed: u64) {
        self.state().failing_syncs.push(StdRng::seed_from_u64(seed));
    }

    /// The process ends, and with it its locks and the faults that did not come about yet.
    pub fn end_process(&self) {
        let mut state = self.state();
        state.failing_syncs.clear();
        state.locks.clear();
    }

    fn file(&self, file: usize) -> Box<dyn DiskFile> {
        let disk = self.clone();
        Box::new(SimulatedFile { disk, file })
    }
}

impl Content {
    fn lose_unsynced(&mut self, dice: &mut StdRng) {
        if self.seen == self.durable {
            return;
        }
        let mut left = self.seen[..dice.random_range(0..=self.seen.len())].to_vec();
        left.extend((0..dice.random_range(0..4)).map(|_| dice.random::<u8>()));
        self.seen = left.clone();
        self.durable = left;
    }
}

impl State {
    fn new_file(&mut self, path: &Path) -> io::Result<usize> {
        let file = self.files.len();
        self.names.make(path, Node::File(file))?;
        self.files.push(Content::default());
        Ok(file)
    }
}

impl Disk for SimulatedDisk {
    fn make_folder(&self, dir: &Path) -> io::Result<bool> {
        let mut state = self.state();
        match state.names.find(dir) {
            Ok(Node::Folder(_)) => Ok(false),
            Ok(Node::File(_)) => Err(ErrorKind::AlreadyExists.into()),
            Err(_) => state.names.make_folder(dir).map(|()| true),
        }
    }

    fn remove_folder(&self, dir: &Path) -> io::Result<()> {
        self.state().names.remove_folder(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        let mut state = self.state();
        if state.names.find(path).is_err() {
            state.new_file(path)?;
        }
        let held = state.locks.entry(path.to_owned()).or_default();
        if held.upgrade().is_some() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let guard = Arc::new(());
        *held = Arc::downgrade(&guard);
        Ok(Box::new(guard))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = self.state().new_file(path)?;
        Ok(self.file(file))
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state();
        if state.names.find(path).is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let file = state.new_file(path)?;
        Ok(self.file(file))
    }

    fn open(&self, path: &Path) -> io::Result<(Box<dyn Read>, u64)> {
        let state = self.state();
        let bytes = state.files[state.names.find_file(path)?].seen.clone();
        let length_bytes = bytes.len() as u64;
        Ok((Box::new(io::Cursor::new(bytes)), length_bytes))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.state().names.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.state().names.remove(path)
    }

    fn sync_folder(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.names.find(dir)?;
        let Some(mut dice) = state.failing_syncs.pop() else {
            state.names.sync(dir, || true);
            return Ok(());
        };
        drop(state);
        for _ in 0..FAILING_TAKES_TURNS {
            self.state().names.sync(dir, || dice.random());
            std::thread::yield_now();
        }
        Err(io::Error::other("the disk could not write"))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Listed>> {
        let state = self.state();
        state.names.find(dir)?;
        let listed = state.names.in_folder(dir).map(|(name, node)| Listed {
            name,
            is_folder: matches!(node, Node::Folder(_)),
            length_bytes: match node {
                Node::File(file) => state.files[file].seen.len() as u64,
                Node::Folder(_) => 0,
            },
        });
        Ok(listed.collect())
    }

    fn identity(&self, path: &Path) -> io::Result<Identity> {
        Ok(identity(self.state().names.find(path)?))
    }

    fn may_write(&self, dir: &Path) -> io::Result<()> {
        self.state().names.find(dir).map(drop)
    }

    fn free_bytes(&self, _dir: &Path) -> io::Result<u64> {
        Ok(u64::MAX)
    }
}

fn identity(node: Node) -> Identity {
    let (device, number) = match node {
        Node::File(number) => (1, 2 * number),
        Node::Folder(number) => (1, 2 * number + 1),
    };
    let inode = number as u64;
    Identity { device, inode }
}

struct SimulatedFile {
    disk: SimulatedDisk,
    file: usize,
}

impl DiskFile for SimulatedFile {
    fn write_all(&mut self, slices: &mut [IoSlice<'_>]) -> io::Result<()> {
        let mut state = self.disk.state();
        let content = &mut state.files[self.file];
        slices
            .iter()
            .for_each(|slice| content.seen.extend_from_slice(slice));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.state();
        let content = &mut state.files[self.file];
        content.durable = content.seen.clone();
        Ok(())
    }

    fn identity(&self) -> io::Result<Identity> {
        Ok(identity(Node::File(self.file)))
    }
}
