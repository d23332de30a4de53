//! One queue of waiting reports: order, claims, sums. Plain data; about 50 bytes per waiting report.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use super::name::{EntryName, time_of};

/// What file systems give to a file at least, and in multiples of which they count.
const BLOCK_BYTES: u64 = 4096;

/// Capacity a file takes on the disk.
pub(super) fn occupied_bytes(length_bytes: u64) -> u64 {
    length_bytes.next_multiple_of(BLOCK_BYTES)
}

/// How much lies in one folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub entries: usize,
    /// On the disk, in whole blocks of 4 KiB.
    pub bytes: u64,
    /// When the oldest of them came, taken or not.
    pub oldest: Option<SystemTime>,
}

impl Tally {
    pub(super) fn add(&mut self, name: EntryName, length_bytes: u64) {
        self.entries += 1;
        self.bytes += occupied_bytes(length_bytes);
        let since = name.since();
        self.oldest = Some(self.oldest.map_or(since, |oldest| oldest.min(since)));
    }
}

/// All entries of one state, those that somebody has taken included.
#[derive(Default)]
pub(super) struct WaitQueue {
    /// When each came, and its length in bytes; by the name, with the place in the queue for the time.
    waiting: BTreeMap<EntryName, (u64, u64)>,
    /// Claimed, or deferred: those whose name does not tell their place in the queue.
    aside: BTreeSet<EntryName>,
    entries: usize,
    bytes: u64,
}

/// An entry taken out of the queue.
#[derive(Clone, Copy)]
pub(super) struct Claim {
    pub name: EntryName,
    pub length_bytes: u64,
    /// Its place, in microseconds: when it came, or when it was deferred last.
    pub turn: u64,
}

impl WaitQueue {
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn knows(&self, name: EntryName) -> bool {
        self.aside.contains(&name) || self.waiting.contains_key(&name)
    }

    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// A new entry, taken from the start.
    pub fn add_claimed(&mut self, name: EntryName, length_bytes: u64) -> Claim {
        self.count(length_bytes);
        self.claimed(name, length_bytes, name.micros)
    }

    fn claimed(&mut self, name: EntryName, length_bytes: u64, turn: u64) -> Claim {
        self.aside.insert(name);
        Claim {
            name,
            length_bytes,
            turn,
        }
    }

    /// A new entry that waits; its name must not be known.
    pub fn add_waiting(&mut self, name: EntryName, length_bytes: u64) {
        self.count(length_bytes);
        self.waiting.insert(name, (name.micros, length_bytes));
    }

    pub fn take_first(&mut self) -> Option<Claim> {
        let (place, (micros, length_bytes)) = self.waiting.pop_first()?;
        let name = EntryName { micros, ..place };
        Some(self.claimed(name, length_bytes, place.micros))
    }

    /// False if it is not in this queue any more.
    pub fn put_back(&mut self, claim: Claim) -> bool {
        let name = claim.name;
        if !self.aside.contains(&name) {
            return false;
        }
        let mut place = name;
        place.micros = claim.turn;
        while self.waiting.contains_key(&place) {
            place.micros += 1;
        }
        if place == name {
            self.aside.remove(&name);
        }
        self.waiting
            .insert(place, (name.micros, claim.length_bytes));
        true
    }

    /// A taken entry leaves the queue, unless it did before.
    pub fn forget(&mut self, claim: Claim) {
        if self.aside.remove(&claim.name) {
            self.uncount(claim.length_bytes);
        }
    }

    /// A taken entry's file has another length now.
    pub fn resize(&mut self, old_bytes: u64, new_bytes: u64) {
        self.uncount(old_bytes);
        self.count(new_bytes);
    }

    fn count(&mut self, length_bytes: u64) {
        self.entries += 1;
        self.bytes += occupied_bytes(length_bytes);
    }

    fn uncount(&mut self, length_bytes: u64) {
        self.entries -= 1;
        self.bytes -= occupied_bytes(length_bytes);
    }

    pub fn tally(&self) -> Tally {
        Tally {
            entries: self.entries,
            bytes: self.bytes,
            oldest: self.oldest(),
        }
    }

    /// The first in queue is older than all that were never deferred; the others are aside.
    fn oldest(&self) -> Option<SystemTime> {
        let first = self.waiting.first_key_value();
        let first = first.map(|(_, (micros, _))| *micros);
        let aside = self.aside.first();
        let aside = aside.map(|name| name.micros);
        let micros = first.into_iter().chain(aside).min();
        micros.map(time_of)
    }
}

/// What docs/spool.md promises about memory.
const _: () = assert!(size_of::<EntryName>() + size_of::<(u64, u64)>() <= 40);
