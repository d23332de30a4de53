//! The buffer from which decoded bytes are handed on.

use bytes::Bytes;

/// Decoded bytes are handed on in pieces of this size.
pub const PIECE_BYTES: usize = 64 * 1024;

/// A piece that is being filled.
#[derive(Default)]
pub struct Piece {
    bytes: Vec<u8>,
}

impl Piece {
    /// The piece with room for more, not to be grown.
    pub fn with_room(&mut self) -> &mut Vec<u8> {
        if self.bytes.capacity() == 0 {
            self.bytes.reserve_exact(PIECE_BYTES);
        }
        &mut self.bytes
    }

    /// Lets `write` write into what is free; it says how many bytes it wrote.
    pub fn fill(&mut self, write: impl FnOnce(&mut [u8]) -> usize) -> usize {
        let had = self.with_room().len();
        self.bytes.resize(PIECE_BYTES, 0);
        let written = write(&mut self.bytes[had..]);
        self.bytes.truncate(had + written);
        written
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub fn is_full(&self) -> bool {
        self.bytes.len() >= PIECE_BYTES
    }

    /// What there is, in exactly the memory that it needs.
    pub fn take(&mut self) -> Bytes {
        std::mem::take(&mut self.bytes).into_boxed_slice().into()
    }
}
