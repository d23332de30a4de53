//! What a connection takes beside the report that it brings: its head, and the room that is read into.
//!
//! Little of both is free, so an ordinary head needs no reservation: 2,000 connections take 25 MB. What goes beyond
//! is taken from the memory of reports until the next request is waited for.

use crate::crashmover::{Budget, HeldBytes};

/// A head of 1 KB with 12 lines.
const FREE_HEAD_BYTES: u64 = 4 * 1024;
/// What goes beyond it is counted in such steps.
const HEAD_STEP_BYTES: u64 = 16 * 1024;
/// hyper's smallest buffer.
const FREE_READ_BYTES: u64 = 8 * 1024;
/// Larger buffers make reading no cheaper.
pub const MOST_READ_BYTES: usize = 128 * 1024;

/// One connection's memory.
pub struct Memory {
    budget: Budget,
    head: Vec<HeldBytes>,
    head_bytes: u64,
    reading: Vec<HeldBytes>,
    most_read_bytes: u64,
    received_bytes: u64,
}

impl Memory {
    pub fn of(budget: Budget) -> Self {
        Self {
            budget,
            head: Vec::new(),
            head_bytes: FREE_HEAD_BYTES,
            reading: Vec::new(),
            most_read_bytes: FREE_READ_BYTES,
            received_bytes: 0,
        }
    }

    /// False if a head that takes this much must be refused.
    pub fn has_room_for_head(&mut self, bytes: u64) -> bool {
        if bytes <= self.head_bytes {
            return true;
        }
        // A head may come byte by byte, and each step is a page at least.
        let bytes = bytes.next_multiple_of(HEAD_STEP_BYTES);
        let held = self.budget.hold(bytes - self.head_bytes);
        let has_room = held.is_some();
        self.head.extend(held);
        self.head_bytes = bytes;
        has_room
    }

    /// How much may be read at once. It grows with what a client has sent, as hyper's buffer does.
    pub fn most_read_bytes(&self) -> usize {
        usize::try_from(self.most_read_bytes).unwrap_or(MOST_READ_BYTES)
    }

    /// So much was read.
    pub fn read(&mut self, bytes: usize) {
        self.received_bytes += bytes as u64;
        let may_grow = self.most_read_bytes < MOST_READ_BYTES as u64
            && self.received_bytes >= 2 * self.most_read_bytes;
        // Reports need memory more than reading does speed.
        if may_grow && !self.budget.is_short() {
            self.reading.extend(self.budget.hold(self.most_read_bytes));
            self.most_read_bytes *= 2;
        }
    }

    /// A body has come to its end.
    pub fn stop_reading(&mut self) {
        self.reading.clear();
        (self.most_read_bytes, self.received_bytes) = (FREE_READ_BYTES, 0);
    }

    /// The next request is waited for.
    pub fn release(&mut self) {
        *self = Self::of(self.budget.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_beyond_an_ordinary_head_and_buffer_is_counted_and_given_back() {
        let budget = Budget::new(1 << 20);
        let mut memory = Memory::of(budget.clone());
        assert!(memory.has_room_for_head(FREE_HEAD_BYTES));
        memory.read(16_000);
        assert_eq!(budget.in_flight_bytes(), 0);
        for more_bytes in 0..10_000 {
            assert!(memory.has_room_for_head(FREE_HEAD_BYTES + more_bytes));
        }
        assert_eq!(budget.in_flight_bytes(), 12 * 1024);
        for _ in 0..100 {
            memory.read(100_000);
        }
        assert_eq!(memory.most_read_bytes(), MOST_READ_BYTES);
        assert_eq!(budget.in_flight_bytes(), (12 + 120) * 1024);
        memory.stop_reading();
        assert_eq!(memory.most_read_bytes(), 8192);
        assert_eq!(budget.in_flight_bytes(), 12 * 1024);
        memory.release();
        assert_eq!(budget.in_flight_bytes(), 0);
    }

    #[test]
    fn without_memory_large_heads_are_refused_and_reads_stay_small() {
        let budget = Budget::new(8192);
        let _all = budget.hold(8192);
        let mut memory = Memory::of(budget);
        assert!(memory.has_room_for_head(1000));
        assert!(!memory.has_room_for_head(5000));
        memory.read(1_000_000);
        assert_eq!(memory.most_read_bytes(), 8192);
    }
}
