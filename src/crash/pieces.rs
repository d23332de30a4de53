//! Where a document is written whose length is not known: into pieces, so that nothing is copied when it grows.

use std::io::{self, Write};

use bytes::Bytes;

/// Most raw crashes fit into the first piece or two.
const FIRST_BYTES: usize = 8 * 1024;
const PIECE_BYTES: usize = 64 * 1024;

/// A writer that asks before it takes memory.
pub struct Pieces<R> {
    room: R,
    full: Vec<Bytes>,
    current: Vec<u8>,
    taken_bytes: u64,
}

impl<R: FnMut(u64) -> bool> Pieces<R> {
    /// `room` is told how many bytes there will be in all, and says whether they may be taken.
    pub fn new(room: R) -> Self {
        Self {
            room,
            full: Vec::new(),
            current: Vec::new(),
            taken_bytes: 0,
        }
    }

    /// What was written. The last piece is copied, so that it takes no more than it holds.
    ///
    /// # Errors
    /// There is no room for the copy.
    pub fn finish(mut self) -> io::Result<Vec<Bytes>> {
        self.ask_for(self.current.len())?;
        self.full.push(self.current.into_boxed_slice().into());
        Ok(self.full)
    }

    fn ask_for(&mut self, bytes: usize) -> io::Result<()> {
        self.taken_bytes += bytes as u64;
        if (self.room)(self.taken_bytes) {
            Ok(())
        } else {
            Err(io::ErrorKind::OutOfMemory.into())
        }
    }

    fn next_piece(&mut self) -> io::Result<()> {
        let bytes = if self.taken_bytes == 0 {
            FIRST_BYTES
        } else {
            PIECE_BYTES
        };
        self.ask_for(bytes)?;
        let full = std::mem::replace(&mut self.current, Vec::with_capacity(bytes));
        if !full.is_empty() {
            self.full.push(full.into());
        }
        Ok(())
    }
}

impl<R: FnMut(u64) -> bool> Write for Pieces<R> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.current.len() == self.current.capacity() {
            self.next_piece()?;
        }
        let taken = bytes
            .len()
            .min(self.current.capacity() - self.current.len());
        self.current.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
