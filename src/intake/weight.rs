//! The memory rule: what everything that is kept of a request weighs, in bytes.
//!
//! Whatever of a request outlives the frame it came in is weighed before it is taken, by the most it can become while it
//! is read, and is given back once it turned out to be less or is not needed any more. Names, types, notes, values, the
//! tree of a JSON document, dumps with what they cost behind the door: all of them, and nothing twice. The form
//! (`super::form`) asks for memory by these functions; nothing else in intake does.
//!
//! A weight is what the allocator gives, not what was sent: structs, map nodes and spare capacity count.

use crate::crash::DumpHasher;

use super::json::Scale;

/// Of every body: the head of a part, the delimiter, the events of one step.
pub const FORM: u64 = 32 * 1024;
/// A part's head is read with at most so many copies of it at a time.
const HEAD_COPIES: u64 = 14;
const HEAD: u64 = 512;
/// An annotation's share of a map's nodes, which may be less than half full.
const ENTRY: u64 = 256;
/// A note's place in a list that doubles when it grows.
const NOTE: u64 = 96;
/// A frame's place in such a list.
const SLOT: u64 = 96;
/// A dump: its structs here, and its keys, hash and requests while it is saved.
pub const DUMP: u64 = 2 * 1024;

/// What the allocator gives for a block. Sizes are rounded up to classes that are an eighth apart.
pub fn block(bytes: usize) -> u64 {
    match bytes as u64 {
        0 => 0,
        bytes => bytes + bytes / 8 + 16,
    }
}

/// The head of a part of this length, while it is read and with all notes about it.
pub fn head(bytes: usize) -> u64 {
    HEAD + HEAD_COPIES * block(bytes)
}

pub fn note(text: &str) -> u64 {
    NOTE + block(text.len())
}

/// An annotation, by the capacities of its name and value.
pub fn entry(name_bytes: usize, value_bytes: usize) -> u64 {
    ENTRY + block(name_bytes) + block(value_bytes)
}

/// A value of this length while its text is made of it. UTF-8 stays where it is. Other charsets become three times as long
/// at the most, and are copied once more if that was too much.
pub fn decoding(bytes: usize, is_utf8: bool) -> u64 {
    if is_utf8 {
        block(bytes)
    } else {
        5 * block(bytes)
    }
}

/// The tree of a JSON document (`serde_json::Value`).
///
/// An object's first member allocates a node for eleven, a list's first one room for four. Lists double when they grow;
/// nodes may be half empty. Numbers are kept as text, which grows like a list. A string with escapes is put together in a
/// buffer that does, too.
pub fn tree(scale: &Scale) -> u64 {
    if scale.is_wide {
        // Each character that says something has two bytes at least, and all of it becomes UTF-8 before it is read.
        let bytes = usize::try_from(scale.bytes()).unwrap_or(usize::MAX);
        return any_tree(bytes / 2) + decoding(bytes, false);
    }
    let escaped_bytes = if scale.escapes > 0 {
        3 * scale.quoted_bytes
    } else {
        0
    };
    640 * scale.objects
        + 128 * scale.lists
        + 160 * scale.members
        + 96 * scale.commas
        + 40 * (scale.values() + scale.members)
        + scale.quoted_bytes * 9 / 8
        + escaped_bytes
        + 4 * scale.other_bytes
}

/// The tree of a document of this length that nobody has seen yet: as if it were nothing but empty objects.
pub fn any_tree(bytes: usize) -> u64 {
    300 * bytes as u64 + 1024
}

/// Data of this length while it is decoded from a transfer encoding: what comes out grows by doubling, and is copied into
/// the memory that it needs.
pub fn recoded(bytes: usize) -> u64 {
    3 * block(bytes)
}

/// A dump on its way, besides frames that were not copied.
pub fn dump(hasher: &DumpHasher) -> u64 {
    DUMP + SLOT * hasher.frames() as u64 + block(hasher.own_bytes())
}

/// The same after a further piece was taken.
pub fn dump_with(hasher: &DumpHasher, piece_bytes: usize) -> u64 {
    DUMP + SLOT * (hasher.frames() as u64 + 2) + block(hasher.own_bytes_with(piece_bytes))
}
