//! Who waits, and who has been taken: the spool's memory of what lies in `save/` and `publish/`.
//!
//! Knows neither disk nor content. Everything here is short and done under one lock.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::Notify;

use super::folders::State;
use super::name::{EntryName, PackedId, micros_of};
use super::wait_queue::{ClaimedEntry, Tally, WaitQueue, occupied_bytes};
use crate::crash::CrashId;

/// A report in the spool, in the hands of one owner: nobody else is given it meanwhile.
///
/// Dropping it puts it back where it was in the queue. `Spool::advance` and `Spool::remove` use it up.
pub struct Entry {
    pub(super) name: EntryName,
    pub(super) state: State,
    pub(super) length_bytes: u64,
    turn: u64,
    queues: Arc<WaitQueues>,
}

impl Entry {
    pub fn crash_id(&self) -> CrashId {
        self.name.id.crash_id()
    }

    /// What is still to be done for it.
    pub fn state(&self) -> State {
        self.state
    }

    /// When the report came into the spool.
    pub fn since(&self) -> SystemTime {
        self.name.since()
    }

    /// Length of its file; loading it takes about as much memory.
    pub fn length_bytes(&self) -> u64 {
        self.length_bytes
    }

    /// Puts it back at the end of the queue, so that one that cannot be moved on does not hold up the others.
    pub fn defer(mut self) {
        self.turn = micros_of(SystemTime::now()).max(self.name.micros);
    }

    /// Takes it out of memory: its file is gone, or somebody else's concern.
    pub(super) fn forget(self) {
        self.queues.forget(self.state, self.name, self.length_bytes);
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({:?}, {})", self.state, self.name)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let Self {
            name,
            state,
            length_bytes,
            turn,
            ..
        } = *self;
        let taken = ClaimedEntry {
            name,
            length_bytes,
            turn,
        };
        // Whoever used the entry up took it out of the queue before.
        if self.queues.lock().queue(state).put_back(taken) {
            self.queues.arrivals(state).notify_one();
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

    fn entry(self: &Arc<Self>, state: State, taken: ClaimedEntry) -> Entry {
        Entry {
            name: taken.name,
            state,
            length_bytes: taken.length_bytes,
            turn: taken.turn,
            queues: Arc::clone(self),
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
        let claimed = both.queue(state).add_claimed(name, length_bytes);
        Ok(self.entry(state, claimed))
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
        let taken = self.lock().queue(state).take_first()?;
        Some(self.entry(state, taken))
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

    pub fn forget(&self, state: State, name: EntryName, length_bytes: u64) {
        self.lock().queue(state).forget(name, length_bytes);
    }

    /// The entry's file lies in `publish/` now.
    pub fn advanced(self: &Arc<Self>, entry: Entry) -> Entry {
        let (name, length_bytes) = (entry.name, entry.length_bytes);
        let mut both = self.lock();
        both.save.forget(name, length_bytes);
        let claimed = both.publish.add_claimed(name, length_bytes);
        self.entry(State::Publish, claimed)
    }

    /// The entry's file was replaced by one of another length.
    pub fn resized(&self, entry: &mut Entry, length_bytes: u64) {
        let mut both = self.lock();
        let queue = both.queue(entry.state);
        queue.resize(entry.length_bytes, length_bytes);
        entry.length_bytes = length_bytes;
    }

    pub fn tally(&self, state: State) -> Tally {
        self.lock().queue(state).tally()
    }
}

#[cfg(test)]
mod tests;
