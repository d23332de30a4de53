//! The ids that wait to be published: order, and what is known of each, also of those in the hands of a publisher.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::crash::CrashId;
use crate::spool::Entry;

/// Ids from the spool that wait in memory, where there is room for so many.
const MOST_FROM_SPOOL: usize = 1000;
/// Whatever a queue says, so that what one call puts at stake is bounded.
const LARGEST_BATCH: usize = 1000;

/// A saved report that the processor does not know of yet.
#[derive(Debug)]
pub struct Unpublished {
    pub id: CrashId,
    /// When the report was accepted.
    accepted: SystemTime,
    /// Where the spool remembers that this is still to be done.
    pub entry: Option<Entry>,
    /// How often the queue refused it for good and took others before it was asked again.
    refusals: u32,
    /// What the queue had taken when it was asked last.
    taken_before: u64,
}

impl Unpublished {
    pub fn new(id: CrashId, accepted: SystemTime, entry: Option<Entry>) -> Self {
        Self {
            id,
            accepted,
            entry,
            refusals: 0,
            taken_before: 0,
        }
    }

    /// One that waits in the spool. It is as old as its entry.
    pub fn from_spool(entry: Entry) -> Self {
        Self::new(entry.crash_id(), entry.since(), Some(entry))
    }

    /// How long ago the report was accepted.
    pub fn age(&self) -> Duration {
        self.accepted.elapsed().unwrap_or_default()
    }

    /// The queue has refused it, and has taken so many others so far. How often that can only be the id's own fault.
    pub fn is_refused_again(&mut self, taken: u64) -> u32 {
        self.refusals += u32::from(taken > self.taken_before);
        self.taken_before = taken;
        self.refusals
    }
}

/// Who waits.
pub struct Line {
    backlog: usize,
    largest_batch: usize,
    state: Mutex<State>,
    added: Notify,
    finished: CancellationToken,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Unpublished>,
    /// Of all that wait or are in the hands of a publisher: when the report was accepted, and whether the spool remembers
    /// the id.
    known: BTreeMap<CrashId, (SystemTime, bool)>,
    taken: u64,
}

impl State {
    fn line_up(&mut self, unpublished: Unpublished) {
        let known = (unpublished.accepted, unpublished.entry.is_some());
        self.known.insert(unpublished.id.clone(), known);
        self.waiting.push_back(unpublished);
    }
}

impl Line {
    pub fn new(backlog: usize, largest_batch: usize) -> Self {
        Self {
            backlog: backlog.max(1),
            largest_batch: largest_batch.clamp(1, LARGEST_BATCH),
            state: Mutex::default(),
            added: Notify::new(),
            finished: CancellationToken::new(),
        }
    }

    /// Lines an id up at the end; gives it back if too many wait.
    pub fn add(&self, mut unpublished: Unpublished) -> Result<(), Unpublished> {
        let mut state = self.lock();
        if state.known.len() >= self.backlog {
            return Err(unpublished);
        }
        unpublished.taken_before = state.taken;
        state.line_up(unpublished);
        drop(state);
        self.added.notify_one();
        Ok(())
    }

    /// Lines one up again that was not taken. Wakes nobody: whoever tried it pauses first.
    pub fn again(&self, unpublished: Unpublished) {
        self.lock().line_up(unpublished);
    }

    /// Those who wait longest, as many as fit into one call; `None` once the line is finished and empty.
    pub async fn next_batch(&self) -> Option<Vec<Unpublished>> {
        loop {
            let added = self.added.notified();
            let batch = self.take_batch();
            if !batch.is_empty() {
                return Some(batch);
            }
            if self.finished.is_cancelled() {
                return None;
            }
            tokio::select! {
                () = added => {}
                () = self.finished.cancelled() => {}
            }
        }
    }

    fn take_batch(&self) -> Vec<Unpublished> {
        let mut state = self.lock();
        let size = self.largest_batch.min(state.waiting.len());
        let batch = state.waiting.drain(..size).collect();
        if !state.waiting.is_empty() {
            // Several may have left one notice: whoever takes it passes it on.
            self.added.notify_one();
        }
        batch
    }

    pub fn published(&self, id: &CrashId) {
        let mut state = self.lock();
        state.known.remove(id);
        state.taken += 1;
    }

    /// It will not be published.
    pub fn forget(&self, id: &CrashId) {
        self.lock().known.remove(id);
    }

    /// How many ids the queue has taken so far.
    pub fn taken(&self) -> u64 {
        self.lock().taken
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.lock().known.len()
    }

    /// Room for one from the spool, with enough left for those that only memory has.
    pub fn has_room_for_spool(&self) -> bool {
        self.len() < MOST_FROM_SPOOL.min(self.backlog.div_ceil(2))
    }

    /// How long ago the report was accepted whose id waits longest.
    pub fn oldest(&self) -> Option<Duration> {
        let state = self.lock();
        let oldest = state.known.values().map(|(accepted, _)| accepted).min();
        oldest.map(|accepted| accepted.elapsed().unwrap_or_default())
    }

    /// No more ids will come: the publishers end when none is left.
    pub fn finish(&self) {
        self.finished.cancel();
    }

    /// Ids that the publishers left behind and the spool does not remember; to be asked when they have ended.
    pub fn left(&self) -> Vec<CrashId> {
        let known = std::mem::take(&mut self.lock().known);
        let left = known
            .into_iter()
            .filter(|(_, (_, is_remembered))| !is_remembered);
        left.map(|(id, _)| id).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
