//! fsyncs of folders, each for all who need it at about the same time, and what a failed one means for the others.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Disk;
use super::shared_sync::SharedSync;

/// The fsyncs of one tree's folders.
#[derive(Debug, Default)]
pub struct FolderSyncs {
    failed: AtomicU64,
    /// Of the folders for which an fsync is under way. Clients choose the names of dumps, and with them folders: all that
    /// ever were would fill the memory.
    under_way: Mutex<HashMap<PathBuf, Arc<SharedSync>>>,
}

/// Proof of how things stood before names were changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

impl FolderSyncs {
    /// To be taken before the first change of names that [`FolderSyncs::sync`] is to vouch for.
    pub fn ticket(&self) -> Ticket {
        Ticket(self.failed.load(Ordering::SeqCst))
    }

    /// Makes the names in `dir` durable by an fsync that begins after this call. Blocks.
    ///
    /// # Errors
    /// As the disk says. `Interrupted` if any fsync of the tree failed since `before`: the kernel may have marked names
    /// clean that it never wrote, and the next fsync would say yes. Whoever changed names since has to do it again.
    pub fn sync(&self, disk: &dyn Disk, dir: &Path, before: Ticket) -> io::Result<()> {
        let shared = Arc::clone(self.under_way().entry(dir.to_owned()).or_default());
        let synced = shared.join(|| {
            // Counted before those who wait for this fsync are let go; also when it panics.
            let failing = Failing(&self.failed);
            disk.sync_folder(dir)
                .inspect(|()| std::mem::forget(failing))
        });
        self.let_go(dir, shared);
        synced?;
        if self.ticket() == before {
            return Ok(());
        }
        let failed = "an fsync of a folder failed meanwhile";
        Err(io::Error::new(io::ErrorKind::Interrupted, failed))
    }

    fn let_go(&self, dir: &Path, shared: Arc<SharedSync>) {
        let mut under_way = self.under_way();
        drop(shared);
        if under_way
            .get(dir)
            .is_some_and(|shared| Arc::strong_count(shared) == 1)
        {
            under_way.remove(dir);
        }
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<PathBuf, Arc<SharedSync>>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a failure when dropped.
struct Failing<'a>(&'a AtomicU64);

impl Drop for Failing<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests;
