//! Keeps crash reports on a disk until they are saved and published, through crashes of ours and of the machine.
//!
//! One file per report; the folder it lies in says what is still to be done:
//! `incoming/` (being written) → `save/` → `publish/` → gone, or `failed/` when it cannot be trusted. Format, recovery and
//! what an operator does stand in `docs/spool.md`. Not a queue between machines, and no retries: whoever takes an entry
//! decides when to try again.
//!
//! # Invariants
//!
//! 1. `put` returns `Ok` only after content (fdatasync) and name (fsync of the folder, begun after the rename) are durable.
//! 2. A report that was put is in `save/` until it is saved, then in `publish/` until it is published: every move is one
//!    rename on one file system, so there is no moment without it.
//! 3. Whatever is in `save/` or `publish/` was durable before it got there; it is checked against its hashes all the same
//!    before it is handed out. A damaged entry goes to `failed/`: never deleted, never fatal.
//! 4. After a failed fsync nothing it might have covered is acknowledged: the file is removed. If even that is uncertain,
//!    the report may come up later although its sender was told no.
//! 5. Removing is not made durable, so after a power failure a report may be done again: at least once, never less.
//! 6. Each entry has one owner at a time (`Entry`); an owner who drops it puts it back.
//! 7. Nothing in `incoming/` was acknowledged; it is cleared at start.

mod capacity;
mod entry;
mod error;
mod folders;
mod moves;
mod name;
mod offline;
mod ownership;
mod put;
mod recovery;
mod wait_queue;
mod wait_queues;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;

pub use entry::Content;
pub use error::SpoolError;
pub use folders::{Folder, State};
pub use offline::{Listed, SpoolOverview, export, find, list, load, look, retry};
pub use recovery::Found;
pub use wait_queue::Tally;
pub use wait_queues::Entry;

use crate::crash::CrashReport;
use crate::disk::Disk;
use crate::settings::SpoolSettings;
use capacity::Capacity;
use folders::Folders;
use ownership::Ownership;
use wait_queues::WaitQueues;

/// Blocking file operations at a time. More do not make a disk faster, and a disk that hangs must not take all the
/// threads that the runtime has for blocking work.
const DISK_JOBS: usize = 64;

/// How long a put that the disk refused is held against it.
const FAILURE_REMEMBERED_FOR: Duration = Duration::from_secs(60);

/// Figures for gauges; cheap to make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpoolStats {
    pub save: Tally,
    pub publish: Tally,
    /// As seen at start, at the last `rescan`, plus what went there since.
    pub failed: Tally,
    /// How much could still be put, as seen lately; 0 also if the disk does not answer.
    pub room_bytes: u64,
}

/// The spool of this process. Clones are handles to the same one.
#[derive(Clone)]
pub struct Spool {
    inner: Arc<Inner>,
    jobs: Arc<Semaphore>,
}

struct Inner {
    folders: Folders,
    queues: Arc<WaitQueues>,
    failed: Mutex<Tally>,
    capacity: Capacity,
    /// When the disk refused a put, unless one worked since.
    refused: Mutex<Option<Instant>>,
    /// When this process took the spool: what is older was left by another.
    taken: SystemTime,
    /// What waits has been found. Until then nothing is taken.
    looked_through: watch::Sender<bool>,
    folder: Ownership,
}

impl Spool {
    /// Takes the spool for this process and clears `incoming/`; new reports can be put. What waits is found by
    /// `look_through`, which has to follow; until it has ended nobody is given an entry. So a long queue does not delay a
    /// start. Blocks.
    ///
    /// # Errors
    /// `Io`: the folder cannot be made, locked (another process has it), cleared or fsynced.
    pub fn take(config: SpoolSettings, disk: Arc<dyn Disk>) -> Result<Self, SpoolError> {
        let folders = Folders::new(&config.dir, Arc::clone(&disk));
        folders.make()?;
        let inner = Inner {
            folder: Ownership::take(disk.as_ref(), &config.dir)?,
            folders,
            queues: Arc::default(),
            failed: Mutex::default(),
            capacity: Capacity::new(&config.dir, config.max_bytes, config.min_free_bytes),
            refused: Mutex::default(),
            taken: SystemTime::now(),
            looked_through: watch::Sender::new(false),
        };
        inner.folders.clear_incoming()?;
        inner.capacity.look_now(inner.folders.disk());
        Ok(Self {
            inner: Arc::new(inner),
            jobs: Arc::new(Semaphore::new(DISK_JOBS)),
        })
    }

    /// Finds what waits, if that is still to be done, and opens nothing; how many reports were found that have to be saved.
    ///
    /// # Errors
    /// `Io`: a folder cannot be listed. What was not found is found by a later `rescan`.
    pub async fn look_through(&self) -> (usize, Result<(), SpoolError>) {
        let inner = Arc::clone(&self.inner);
        let done = spawn_blocking(move || inner.look_through()).await;
        done.unwrap_or_else(|gone| (0, Err(stopped(gone))))
    }

    /// False while `look_through` has not ended: `stats` shows a part only.
    pub fn is_looked_through(&self) -> bool {
        *self.inner.looked_through.borrow()
    }

    /// The oldest entry that nobody has, as soon as there is one. May be cancelled.
    pub async fn next(&self, state: State) -> Entry {
        // Fails when the sender is gone, which is a part of `self`.
        let _ = self
            .inner
            .looked_through
            .subscribe()
            .wait_for(|is| *is)
            .await;
        self.inner.queues.next(state).await
    }

    /// Reads a report and checks every length and hash.
    ///
    /// # Errors
    /// `Corrupt`: the entry is in `failed/` now, and nobody will be given it again. `Io`: try again later; also for an
    /// entry in `publish/` that holds the id only, and for one whose file somebody took away (it is forgotten).
    pub async fn load(&self, entry: &Entry) -> Result<CrashReport, SpoolError> {
        let (claim, state) = (entry.claim, entry.state);
        self.run(move |inner| inner.load(claim, state)).await
    }

    /// A saved report, still to be published: from `save/` to `publish/`.
    ///
    /// # Errors
    /// The entry is back in `save/`, at the end of the queue.
    pub async fn advance(&self, entry: Entry) -> Result<Entry, SpoolError> {
        self.run(move |inner| inner.advance(entry)).await
    }

    /// Done with: saved and published.
    ///
    /// # Errors
    /// The entry is back at the end of its queue; it will be done twice.
    pub async fn remove(&self, entry: Entry) -> Result<(), SpoolError> {
        self.run(move |inner| inner.remove(entry)).await
    }

    /// Looks for entries that others put into the folders while we run, as `retry` does; how many there were.
    pub async fn rescan(&self) -> Result<Found, SpoolError> {
        self.run(Inner::look_again).await
    }

    /// Entries and bytes per state, the age of the oldest, and the room that is left. Never waits for the disk.
    pub fn stats(&self) -> SpoolStats {
        let inner = &self.inner;
        self.look_at_free_space();
        let (save, publish) = (
            inner.queues.tally(State::Save),
            inner.queues.tally(State::Publish),
        );
        let occupied = save.bytes + publish.bytes;
        SpoolStats {
            save,
            publish,
            failed: *inner.failed(),
            room_bytes: inner.capacity.left_bytes(occupied),
        }
    }

    /// The disk refused the last put: it may be read-only, or gone, and have room all the same.
    ///
    /// False again after a while, since whoever asks may keep the next put away.
    pub fn is_failing(&self) -> bool {
        let refused = *self.inner.refused();
        refused.is_some_and(|when| when.elapsed() < FAILURE_REMEMBERED_FOR)
    }

    /// On a thread that may block; the answer is for those who ask later.
    fn look_at_free_space(&self) {
        if let Ok(runtime) = Handle::try_current()
            && self.inner.capacity.begin_look()
        {
            let inner = Arc::clone(&self.inner);
            runtime.spawn_blocking(move || inner.capacity.look(inner.folders.disk()));
        }
    }

    /// Hands a job to a thread that may block; it is done even if nobody waits for it any more.
    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Inner) -> Result<T, SpoolError> + Send + 'static,
    ) -> Result<T, SpoolError> {
        let permit = Arc::clone(&self.jobs).acquire_owned().await;
        let inner = Arc::clone(&self.inner);
        let done = spawn_blocking(move || {
            let _permit = permit;
            job(&inner)
        });
        done.await.unwrap_or_else(|gone| Err(stopped(gone)))
    }
}

fn stopped(gone: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SpoolError {
    SpoolError::Io {
        doing: "work on the spool".to_owned(),
        source: io::Error::other(gone),
    }
}

impl Inner {
    fn refused(&self) -> MutexGuard<'_, Option<Instant>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self) -> MutexGuard<'_, Tally> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
