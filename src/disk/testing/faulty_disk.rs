//! A disk around another one, whose operations can be made to fail.

mod plan;

use std::any::Any;
use std::io::{self, IoSlice, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk::{Disk, DiskFile, Identity, Listed};
use plan::{Fault, Plan, act};

/// The kinds of operations that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    MakeFolder,
    Lock,
    Create,
    Write,
    SyncFile,
    Open,
    LookAt,
    Rename,
    Remove,
    SyncFolder,
    List,
    FreeBytes,
}

impl Operation {
    /// Those that change the disk.
    pub const CHANGING: [Self; 7] = [
        Self::MakeFolder,
        Self::Create,
        Self::Write,
        Self::SyncFile,
        Self::Rename,
        Self::Remove,
        Self::SyncFolder,
    ];
}

/// Counts the operations on another disk and fails those it was told to.
pub struct FaultyDisk {
    inner: Arc<dyn Disk>,
    plan: Arc<Mutex<Plan>>,
}

impl FaultyDisk {
    pub fn new(inner: Arc<dyn Disk>) -> Self {
        Self {
            inner,
            plan: Arc::default(),
        }
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails the `nth` operation of its kind from now on (1: the next).
    pub fn fail(&self, operation: Operation, nth: u32, error: io::ErrorKind) {
        self.add(operation, nth, error, false, false);
    }

    /// The same, but the operation is carried out before it is reported as failed.
    pub fn fail_afterwards(&self, operation: Operation, nth: u32, error: io::ErrorKind) {
        self.add(operation, nth, error, false, true);
    }

    /// Fails all operations of this kind until `heal`.
    pub fn fail_all(&self, operation: Operation, error: io::ErrorKind) {
        self.add(operation, 1, error, true, false);
    }

    fn add(
        &self,
        operation: Operation,
        nth: u32,
        error: io::ErrorKind,
        lasting: bool,
        took_effect: bool,
    ) {
        let mut plan = self.plan();
        let nth = plan.done.get(&operation).copied().unwrap_or_default() + nth;
        plan.faults.push(Fault {
            operation,
            nth,
            lasting,
            took_effect,
            error,
        });
    }

    /// Nothing may be changed any more, as after the kernel has remounted a broken disk.
    pub fn make_read_only(&self) {
        for operation in Operation::CHANGING {
            self.fail_all(operation, io::ErrorKind::ReadOnlyFilesystem);
        }
    }

    /// After this many more changing operations everything fails.
    pub fn cut_power_after(&self, operations: u32) {
        self.plan().power_for = Some(operations);
    }

    /// Answers this instead of the real free space.
    pub fn set_free_bytes(&self, free_bytes: u64) {
        self.plan().free_bytes = Some(free_bytes);
    }

    /// Calls this before every operation, on the thread that does it; it may wait, as a slow disk does.
    pub fn watch(&self, hook: impl Fn(Operation) + Send + Sync + 'static) {
        self.plan().hook = Some(Arc::new(hook));
    }

    /// Calls this after every operation, as `watch` before.
    pub fn watch_after(&self, hook: impl Fn(Operation) + Send + Sync + 'static) {
        self.plan().later_hook = Some(Arc::new(hook));
    }

    /// Forgets all faults.
    pub fn heal(&self) {
        let mut plan = self.plan();
        plan.faults.clear();
        plan.power_for = None;
    }

    /// How many operations of this kind there were, failed ones included.
    pub fn count(&self, operation: Operation) -> u32 {
        self.plan()
            .done
            .get(&operation)
            .copied()
            .unwrap_or_default()
    }

    fn faulty(&self, inner: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        let plan = Arc::clone(&self.plan);
        Box::new(FaultyFile { inner, plan })
    }

    fn act<T>(
        &self,
        operation: Operation,
        action: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        act(&self.plan, operation, action)
    }
}

impl Disk for FaultyDisk {
    fn make_folder(&self, dir: &Path) -> io::Result<bool> {
        self.act(Operation::MakeFolder, || self.inner.make_folder(dir))
    }

    fn remove_folder(&self, dir: &Path) -> io::Result<()> {
        self.act(Operation::Remove, || self.inner.remove_folder(dir))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        self.act(Operation::Lock, || self.inner.lock(path))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = self.act(Operation::Create, || self.inner.create(path))?;
        Ok(self.faulty(file))
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = self.act(Operation::Create, || self.inner.create_new(path))?;
        Ok(self.faulty(file))
    }

    fn open(&self, path: &Path) -> io::Result<(Box<dyn Read>, u64)> {
        self.act(Operation::Open, || self.inner.open(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.act(Operation::Rename, || self.inner.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.act(Operation::Remove, || self.inner.remove(path))
    }

    fn sync_folder(&self, dir: &Path) -> io::Result<()> {
        self.act(Operation::SyncFolder, || self.inner.sync_folder(dir))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Listed>> {
        self.act(Operation::List, || self.inner.list(dir))
    }

    fn identity(&self, path: &Path) -> io::Result<Identity> {
        self.act(Operation::LookAt, || self.inner.identity(path))
    }

    fn may_write(&self, dir: &Path) -> io::Result<()> {
        self.act(Operation::LookAt, || self.inner.may_write(dir))
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        let real = self.act(Operation::FreeBytes, || self.inner.free_bytes(dir))?;
        Ok(self.plan().free_bytes.unwrap_or(real))
    }
}

struct FaultyFile {
    inner: Box<dyn DiskFile>,
    plan: Arc<Mutex<Plan>>,
}

impl DiskFile for FaultyFile {
    /// A failing write leaves the first half, as a full disk does.
    fn write_all(&mut self, slices: &mut [IoSlice<'_>]) -> io::Result<()> {
        let whole = slices.len();
        let written = act(&self.plan, Operation::Write, || Ok(()));
        let kept = if written.is_ok() { whole } else { whole / 2 };
        self.inner.write_all(&mut slices[..kept])?;
        written
    }

    fn sync(&mut self) -> io::Result<()> {
        act(&self.plan, Operation::SyncFile, || self.inner.sync())
    }

    fn identity(&self) -> io::Result<Identity> {
        self.inner.identity()
    }
}
