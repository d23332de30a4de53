//! A file or folder of the test disk: what is seen of it, and what is durable.

use std::collections::BTreeMap;
use std::ffi::OsString;

use rand::Rng;
use rand::rngs::StdRng;

/// What a disk writes in one piece.
const BLOCK_BYTES: usize = 4096;

/// Names in a folder, with the numbers of what they stand for.
pub type Names = BTreeMap<OsString, u64>;

/// A file or folder.
pub struct Node {
    pub mode: u16,
    pub content: Content,
    /// Its folder and its name there, as seen now.
    pub place: (u64, OsString),
}

pub enum Content {
    File {
        seen: Vec<u8>,
        durable: Vec<u8>,
        /// Nothing was written since the last fsync, even if that failed: the next one writes nothing.
        is_clean: bool,
    },
    Folder {
        seen: Names,
        durable: Names,
    },
}

impl Content {
    pub fn file() -> Self {
        Self::File {
            seen: Vec::new(),
            durable: Vec::new(),
            is_clean: true,
        }
    }

    pub fn folder() -> Self {
        Self::Folder {
            seen: Names::new(),
            durable: Names::new(),
        }
    }

    pub fn is_folder(&self) -> bool {
        matches!(self, Self::Folder { .. })
    }
}

/// Some blocks of what was written, some of what was there before, and any length between.
pub fn torn(seen: &[u8], durable: &[u8], dice: &mut StdRng) -> Vec<u8> {
    let (least, most) = (seen.len().min(durable.len()), seen.len().max(durable.len()));
    let mut left = vec![0; dice.random_range(least..=most)];
    for (at, block) in left.chunks_mut(BLOCK_BYTES).enumerate() {
        let source = if dice.random() { seen } else { durable };
        let bytes = source.get(at * BLOCK_BYTES..).unwrap_or_default();
        let length = bytes.len().min(block.len());
        block[..length].copy_from_slice(&bytes[..length]);
    }
    left
}
