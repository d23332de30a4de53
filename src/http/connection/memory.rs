//! What a connection takes beside the report that it brings: its head, and the room that is read into.
//!
//! Little of both is free, so an ordinary head needs no reservation: 2,000 connections take 25 MB. What goes beyond
//! is taken from the memory of reports.
//!
//! hyper keeps the largest buffer that it ever had for as long as the connection lives. So a connection that has grown one
//! either holds the memory for it while it is idle, of which all connections together have an eighth of the budget, or
//! its request is the last one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::crashmover::{Budget, HeldBytes};

/// A head of 1 KB with 12 lines.
const FREE_HEAD_BYTES: u64 = 4 * 1024;
/// What goes beyond it is counted in such steps.
const HEAD_STEP_BYTES: u64 = 16 * 1024;
/// hyper's smallest buffer.
const FREE_READ_BYTES: usize = 8 * 1024;
/// Larger buffers make reading no cheaper.
pub const MOST_READ_BYTES: usize = 128 * 1024;
/// In two steps from the smallest to the largest.
const GROWTH: usize = 4;

/// The memory that all connections share.
#[derive(Clone)]
pub struct SharedMemory {
    budget: Budget,
    /// Large buffers that may be kept.
    kept: Arc<Semaphore>,
}

impl SharedMemory {
    pub fn of(budget: Budget) -> Self {
        let buffers = budget.total_bytes() / 8 / MOST_READ_BYTES as u64;
        let buffers = usize::try_from(buffers).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            budget,
            kept: Arc::new(Semaphore::new(buffers)),
        }
    }
}

/// One connection's memory.
pub struct Memory {
    shared: SharedMemory,
    head: Vec<HeldBytes>,
    head_bytes: u64,
    reading: Vec<HeldBytes>,
    most_read_bytes: usize,
    kept: Option<OwnedSemaphorePermit>,
    is_last_request: Arc<AtomicBool>,
}

impl Memory {
    pub fn of(shared: SharedMemory) -> Self {
        Self {
            shared,
            head: Vec::new(),
            head_bytes: FREE_HEAD_BYTES,
            reading: Vec::new(),
            most_read_bytes: FREE_READ_BYTES,
            kept: None,
            is_last_request: Arc::default(),
        }
    }

    /// Becomes true when the connection must not be idle any more.
    pub fn is_last_request(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_last_request)
    }

    /// False if a head that takes this much must be refused.
    pub fn has_room_for_head(&mut self, bytes: u64) -> bool {
        if bytes <= self.head_bytes {
            return true;
        }
        // A head may come byte by byte, and each step is a page at least.
        let bytes = bytes.next_multiple_of(HEAD_STEP_BYTES);
        let held = self.shared.budget.hold(bytes - self.head_bytes);
        let has_room = held.is_some();
        self.head.extend(held);
        self.head_bytes = bytes;
        has_room
    }

    /// How much may be read at once. It grows with what a client has sent, as hyper's buffer does.
    pub fn most_read_bytes(&self) -> usize {
        self.most_read_bytes
    }

    /// So much was read. A client that fills the room has more to say.
    pub fn read(&mut self, bytes: usize) {
        if bytes < self.most_read_bytes || self.most_read_bytes >= MOST_READ_BYTES {
            return;
        }
        let grown = GROWTH * self.most_read_bytes;
        // Reports need memory more than reading does speed.
        let budget = Some(&self.shared.budget).filter(|budget| !budget.is_short());
        let more = budget.and_then(|budget| budget.hold((grown - self.most_read_bytes) as u64));
        if let Some(more) = more {
            self.reading.push(more);
            self.most_read_bytes = grown;
            self.keep();
        }
    }

    fn keep(&mut self) {
        let kept = self.shared.kept.clone();
        self.kept = self.kept.take().or_else(|| kept.try_acquire_owned().ok());
        self.is_last_request
            .store(self.kept.is_none(), Ordering::Relaxed);
    }

    /// The next request is waited for.
    pub fn release(&mut self) {
        self.head = Vec::new();
        self.head_bytes = FREE_HEAD_BYTES;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_beyond_an_ordinary_head_and_buffer_is_counted() {
        let budget = Budget::new(1 << 20);
        let mut memory = Memory::of(SharedMemory::of(budget.clone()));
        assert!(memory.has_room_for_head(FREE_HEAD_BYTES));
        memory.read(8_000);
        assert_eq!(budget.in_flight_bytes(), 0);
        for more_bytes in 0..10_000 {
            assert!(memory.has_room_for_head(FREE_HEAD_BYTES + more_bytes));
        }
        assert_eq!(budget.in_flight_bytes(), 12 * 1024);
        for _ in 0..100 {
            memory.read(memory.most_read_bytes());
        }
        assert_eq!(memory.most_read_bytes(), MOST_READ_BYTES);
        assert_eq!(budget.in_flight_bytes(), (12 + 120) * 1024);
        memory.release();
        assert_eq!(budget.in_flight_bytes(), 120 * 1024);
        drop(memory);
        assert_eq!(budget.in_flight_bytes(), 0);
    }

    #[test]
    fn no_more_connections_stay_with_large_buffers_than_an_eighth_of_the_budget_is_enough_for() {
        let shared = SharedMemory::of(Budget::new(8 << 20));
        let read = |()| {
            let mut memory = Memory::of(shared.clone());
            memory.read(FREE_READ_BYTES);
            memory
        };
        let all: Vec<_> = [(); 10].map(read).into();
        let last = |memory: &Memory| memory.is_last_request().load(Ordering::Relaxed);
        assert_eq!(all.iter().filter(|memory| last(memory)).count(), 2);
        drop(all);
        assert!(!last(&read(())));
    }

    #[test]
    fn without_memory_large_heads_are_refused_and_reads_stay_small() {
        let budget = Budget::new(8192);
        let _all = budget.hold(8192);
        let mut memory = Memory::of(SharedMemory::of(budget));
        assert!(memory.has_room_for_head(1000));
        assert!(!memory.has_room_for_head(5000));
        memory.read(FREE_READ_BYTES);
        assert_eq!(memory.most_read_bytes(), FREE_READ_BYTES);
    }
}
