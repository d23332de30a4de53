//! Who waits, and who has been taken: the spool's memory of what lies in `save/` and `publish/`.
//!
//! Knows neither disk nor content. Everything here is short and done under one lock.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::Notify;

use super::folders::State;
use super::name::{EntryName, PackedId, micros_of};
use super::wait_queue::{Claim, Tally, WaitQueue, occupied_bytes};
use crate::crash::CrashId;

/// A report in the spool, in the hands of one owner: nobody else is given it meanwhile.
///
/// Dropping it puts it back where it was in the queue. `Spool::advance` and `Spool::remove` use it up.
pub struct Entry {
    pub(super) claim: Claim,
    pub(super) state: State,
    queues: Arc<WaitQueues>,
}

impl Entry {
    pub fn crash_id(&self) -> CrashId {
        self.claim.name.id.crash_id()
    }

    /// When the report came into the spool.
    pub fn since(&self) -> SystemTime {
        self.claim.name.since()
    }

    /// Length of its file; loading it takes about as much memory.
    pub fn length_bytes(&self) -> u64 {
        self.claim.length_bytes
    }

    /// Puts it back at the end of the queue, so that one that cannot be moved on does not hold up the others.
    pub fn defer(mut self) {
        self.claim.turn = micros_of(SystemTime::now()).max(self.claim.name.micros);
    }

    /// Takes it out of memory: its file is gone, or somebody else's concern.
    pub(super) fn forget(self) {
        self.queues.forget(self.state, self.claim);
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({:?}, {})", self.state, self.claim.name)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // Whoever used the entry up took it out of the queue before.
        if self.queues.lock().queue(self.state).put_back(self.claim) {
            self.queues.arrivals(self.state).notify_one();
        }
    }
}

/// Both queues, shared by all who put and take.
#[derive(Default)]
pub(super) struct WaitQueues {
    both: Mutex<Both>,
    save_arrivals: Notify,
    publish_arrivals: Notify,
}

#[derive(Default)]
struct Both {
    save: WaitQueue,
    publish: WaitQueue,
}

impl Both {
    fn queue(&mut self, state: State) -> &mut WaitQueue {
        match state {
            State::Save => &mut self.save,
            State::Publish => &mut self.publish,
        }
    }

    fn knows(&self, name: EntryName) -> bool {
        self.save.knows(name) || self.publish.knows(name)
    }
}

impl WaitQueues {
    fn lock(&self) -> MutexGuard<'_, Both> {
        self.both.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn arrivals(&self, state: State) -> &Notify {
        match state {
            State::Save => &self.save_arrivals,
            State::Publish => &self.publish_arrivals,
        }
    }

    fn entry(self: &Arc<Self>, state: State, claim: Claim) -> Entry {
        let queues = Arc::clone(self);
        Entry {
            claim,
            state,
            queues,
        }
    }

    /// A name and a place for a new entry, taken from the start; all entries together may occupy `limit_bytes`.
    ///
    /// # Errors
    /// What all entries occupy now, when that leaves too little.
    pub fn reserve(
        self: &Arc<Self>,
        state: State,
        id: PackedId,
        length_bytes: u64,
        limit_bytes: u64,
    ) -> Result<Entry, u64> {
        let micros = micros_of(SystemTime::now());
        let mut name = EntryName { micros, id };
        let mut both = self.lock();
        let occupied = both.save.bytes() + both.publish.bytes();
        if occupied.saturating_add(occupied_bytes(length_bytes)) > limit_bytes {
            return Err(occupied);
        }
        while both.knows(name) {
            name.micros += 1;
        }
        let claim = both.queue(state).add_claimed(name, length_bytes);
        Ok(self.entry(state, claim))
    }

    /// Lets an entry wait that was found on the disk. False if it is known already.
    pub fn found(&self, state: State, name: EntryName, length_bytes: u64) -> bool {
        let mut both = self.lock();
        if both.knows(name) {
            return false;
        }
        both.queue(state).add_waiting(name, length_bytes);
        drop(both);
        self.arrivals(state).notify_one();
        true
    }

    pub fn knows(&self, name: EntryName) -> bool {
        self.lock().knows(name)
    }

    pub fn has(&self, state: State, name: EntryName) -> bool {
        self.lock().queue(state).knows(name)
    }

    /// The first in queue, if anybody waits.
    pub fn claim(self: &Arc<Self>, state: State) -> Option<Entry> {
        let claim = self.lock().queue(state).take_first()?;
        Some(self.entry(state, claim))
    }

    /// The first in queue, as soon as there is one.
    pub async fn next(self: &Arc<Self>, state: State) -> Entry {
        loop {
            let arrival = self.arrivals(state).notified();
            if let Some(entry) = self.claim(state) {
                // Several arrivals may have left one notice: whoever takes one passes it on.
                if self.lock().queue(state).has_waiting() {
                    self.arrivals(state).notify_one();
                }
                return entry;
            }
            arrival.await;
        }
    }

    pub fn forget(&self, state: State, claim: Claim) {
        self.lock().queue(state).forget(claim);
    }

    /// The entry's file lies in `publish/` now.
    pub fn advanced(self: &Arc<Self>, entry: Entry) -> Entry {
        let claim = entry.claim;
        let mut both = self.lock();
        both.save.forget(claim);
        let claim = both.publish.add_claimed(claim.name, claim.length_bytes);
        self.entry(State::Publish, claim)
    }

    /// The entry's file was replaced by one of another length.
    pub fn resized(&self, entry: &mut Entry, length_bytes: u64) {
        let old_bytes = std::mem::replace(&mut entry.claim.length_bytes, length_bytes);
        let mut both = self.lock();
        both.queue(entry.state).resize(old_bytes, length_bytes);
    }

    pub fn tally(&self, state: State) -> Tally {
        self.lock().queue(state).tally()
    }
}

#[cfg(test)]
mod tests;
