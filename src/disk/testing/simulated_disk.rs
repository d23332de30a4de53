//! A disk in memory that shows what a power failure may do to files.
//!
//! A process sees every change at once. Durable is only what was fsynced: of all other changes of names each may be there
//! after a power failure or not, on its own, a rename always in one piece; of content that was not fsynced, any beginning
//! may be there, followed by rubbish. A failed fsync loses some changes for good while the process goes on seeing them,
//! as Linux does. Stricter than any journaling file system: those keep changes in order.

use std::any::Any;
use std::collections::BTreeMap;
use std::io::{self, IoSlice, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::disk::{Disk, DiskFile, FileSeen};

/// A failing fsync takes its time, so that others change names meanwhile and are lost with it.
const FAILING_TAKES_TURNS: u32 = 100;

/// A disk in memory. Folders need not be made; there are no locks.
#[derive(Clone, Default)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    files: Vec<Content>,
    seen: BTreeMap<PathBuf, usize>,
    durable: BTreeMap<PathBuf, usize>,
    pending: Vec<Change>,
    failing_syncs: Vec<StdRng>,
}

#[derive(Default)]
struct Content {
    seen: Vec<u8>,
    durable: Vec<u8>,
}

/// A change of names that is not durable yet.
struct Change {
    from: Option<PathBuf>,
    to: Option<PathBuf>,
    file: usize,
}

impl Change {
    /// True if an fsync of `dir` vouches for it: for a rename, that of the folder it went to.
    fn belongs_to(&self, dir: &Path) -> bool {
        let path = self.to.as_ref().or(self.from.as_ref());
        path.and_then(|path| path.parent()) == Some(dir)
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        if let Some(from) = &self.from
            && names.get(from) == Some(&self.file)
        {
            names.remove(from);
        }
        if let Some(to) = &self.to {
            names.insert(to.clone(), self.file);
        }
    }
}

impl SimulatedDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The power goes and comes back; `seed` decides what of the unfinished is there.
    pub fn cut_power(&self, seed: u64) {
        let mut dice = StdRng::seed_from_u64(seed);
        let mut state = self.state();
        for change in std::mem::take(&mut state.pending) {
            if dice.random() {
                change.apply(&mut state.durable);
            }
        }
        state.seen = state.durable.clone();
        for file in &mut state.files {
            file.lose_unsynced(&mut dice);
        }
    }

    /// Lets the next fsync of a folder fail; `seed` decides what it lost.
    pub fn fail_next_folder_sync(&self, seed: u64) {
        self.state().failing_syncs.push(StdRng::seed_from_u64(seed));
    }

    /// Forgets the faults that did not come about yet.
    pub fn heal(&self) {
        self.state().failing_syncs.clear();
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
    fn find(&self, path: &Path) -> io::Result<usize> {
        let found = self.seen.get(path).copied();
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.seen);
        self.pending.push(change);
    }

    fn sync_folder(&mut self, dir: &Path, mut survives: impl FnMut() -> bool) {
        for change in std::mem::take(&mut self.pending) {
            if !change.belongs_to(dir) {
                self.pending.push(change);
            } else if survives() {
                change.apply(&mut self.durable);
            }
        }
    }
}

impl Disk for SimulatedDisk {
    fn make_folder(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, _path: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        Ok(Box::new(()))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state();
        let file = state.files.len();
        state.files.push(Content::default());
        let to = Some(path.to_owned());
        state.change(Change {
            from: None,
            to,
            file,
        });
        let disk = self.clone();
        Ok(Box::new(SimulatedFile { disk, file }))
    }

    fn open(&self, path: &Path) -> io::Result<(Box<dyn Read>, u64)> {
        let state = self.state();
        let bytes = state.files[state.find(path)?].seen.clone();
        let length_bytes = bytes.len() as u64;
        Ok((Box::new(io::Cursor::new(bytes)), length_bytes))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        let file = state.find(from)?;
        let (from, to) = (Some(from.to_owned()), Some(to.to_owned()));
        state.change(Change { from, to, file });
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        let file = state.find(path)?;
        let from = Some(path.to_owned());
        state.change(Change {
            from,
            to: None,
            file,
        });
        Ok(())
    }

    fn sync_folder(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.state();
        let Some(mut dice) = state.failing_syncs.pop() else {
            state.sync_folder(dir, || true);
            return Ok(());
        };
        drop(state);
        for _ in 0..FAILING_TAKES_TURNS {
            self.state().sync_folder(dir, || dice.random());
            std::thread::yield_now();
        }
        Err(io::Error::other("the disk could not write"))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<FileSeen>> {
        let state = self.state();
        let here = state
            .seen
            .iter()
            .filter(|(path, _)| path.parent() == Some(dir));
        Ok(here
            .map(|(path, &file)| FileSeen {
                name: path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                length_bytes: state.files[file].seen.len() as u64,
            })
            .collect())
    }

    fn free_bytes(&self, _dir: &Path) -> io::Result<u64> {
        Ok(u64::MAX)
    }
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
}
