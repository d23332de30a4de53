//! What a file of the test disk holds: the bytes that are seen, and those that are durable.

use std::collections::BTreeSet;

use rand::Rng;
use rand::rngs::StdRng;

/// What a disk writes in one piece.
const BLOCK_BYTES: usize = 4096;

#[derive(Default)]
pub struct FileBytes {
    seen: Vec<u8>,
    durable: Vec<u8>,
    /// Blocks written since the last fsync, even if that failed: the next one writes no others.
    dirty: BTreeSet<usize>,
    has_new_length: bool,
    /// Blocks that an fsync may have failed to write; the power takes what is seen of them.
    lost: BTreeSet<usize>,
}

impl FileBytes {
    pub fn seen(&self) -> &[u8] {
        &self.seen
    }

    pub fn write(&mut self, offset: usize, data: &[u8]) {
        let end = offset + data.len();
        if self.seen.len() < end {
            self.resize(end);
        }
        self.seen[offset..end].copy_from_slice(data);
        self.dirty
            .extend(offset / BLOCK_BYTES..end.div_ceil(BLOCK_BYTES));
    }

    pub fn resize(&mut self, length: usize) {
        let before = self.seen.len();
        set_length(&mut self.seen, length);
        self.has_new_length = true;
        self.dirty
            .extend(length / BLOCK_BYTES..before.div_ceil(BLOCK_BYTES));
    }

    pub fn sync(&mut self) {
        if self.has_new_length {
            set_length(&mut self.durable, self.seen.len());
        }
        for at in std::mem::take(&mut self.dirty) {
            copy_block(&self.seen, &mut self.durable, at);
            self.lost.remove(&at);
        }
        self.has_new_length = false;
    }

    /// Some of what the next fsync would write becomes durable, the rest never does, although it is seen: any blocks, and
    /// any length between.
    pub fn sync_in_vain(&mut self, dice: &mut StdRng) {
        if self.has_new_length {
            let (one, other) = (self.seen.len(), self.durable.len());
            let length = dice.random_range(one.min(other)..=one.max(other));
            set_length(&mut self.durable, length);
        }
        for at in std::mem::take(&mut self.dirty) {
            if dice.random() {
                copy_block(&self.seen, &mut self.durable, at);
            }
            self.lost.insert(at);
        }
        self.has_new_length = false;
    }

    /// What is durable is all that is seen.
    pub fn forget_unsynced(&mut self) {
        set_length(&mut self.seen, self.durable.len());
        let mut differing = std::mem::take(&mut self.dirty);
        differing.append(&mut self.lost);
        for at in differing {
            copy_block(&self.durable, &mut self.seen, at);
        }
        self.has_new_length = false;
    }
}

/// Memory that nobody writes to costs nothing where all of it is new.
fn set_length(bytes: &mut Vec<u8>, length: usize) {
    if bytes.is_empty() {
        *bytes = vec![0; length];
    } else {
        bytes.resize(length, 0);
    }
}

/// As much of a block as both have.
fn copy_block(from: &[u8], to: &mut [u8], at: usize) {
    let start = at * BLOCK_BYTES;
    let end = (start + BLOCK_BYTES).min(from.len()).min(to.len());
    if start < end {
        to[start..end].copy_from_slice(&from[start..end]);
    }
}
