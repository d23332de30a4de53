//! Large files straight to the disk, past the memory in which the kernel keeps what was written.
//!
//! Nobody reads a dump soon, and each page of it would cost the kernel a page of memory that was somebody else's: to find
//! one, to fill it, to write it later. On a virtual machine whose memory is handed out as it is touched, that took longer
//! than everything else about a report together. And who waits for fsync waits for the disk anyway.
//!
//! `O_DIRECT` asks for whole blocks in aligned memory, so the frames are copied together into a buffer that is used again
//! and again. What is left at the end, and what cannot be done at all (on a file system that does not know it), is written
//! the ordinary way by the caller: nothing here is needed for a file to become whole.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{OFlags, fcntl_setfl};

/// Memory and file begin at multiples of this. A disk that asks for more is written to the ordinary way.
const BLOCK_BYTES: usize = 4096;
/// Written in one call.
const PIECE_BYTES: usize = 512 * 1024;
/// Below this the ordinary way is cheaper.
const LEAST_BYTES: usize = 64 * 1024;
/// Writes at a time where everybody waits for the disk; each has a buffer of a piece's size.
const MOST_WAITING: usize = 16;
/// Writes at a time where nobody has to: few, so that a burst finds crashmovers whose files go into memory.
const MOST_UNHURRIED: usize = 4;

/// Buffers, and who may use them.
#[derive(Debug)]
pub struct DirectIo {
    most: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    in_use: usize,
    idle: Vec<Vec<u8>>,
}

impl DirectIo {
    /// `waits` where each report is put on disk before it is acknowledged.
    pub fn new(waits: bool) -> Self {
        let most = if waits { MOST_WAITING } else { MOST_UNHURRIED };
        let state = Mutex::default();
        Self { most, state }
    }

    /// Writes as much as it can of a new file's frames, from the start; how many bytes that was, often none. Blocks.
    ///
    /// # Errors
    /// As the disk says: it is full, or broken. What it merely does not do this way is no error.
    pub fn write<F: Deref<Target = [u8]>>(
        &self,
        file: &mut File,
        frames: &[F],
    ) -> io::Result<usize> {
        let length_bytes: usize = frames.iter().map(|frame| frame.len()).sum();
        if length_bytes < LEAST_BYTES {
            return Ok(0);
        }
        let Some(mut buffer) = self.take() else {
            return Ok(0);
        };
        write(file, frames, aligned(&mut buffer.bytes))
    }

    fn take(&self) -> Option<Buffer<'_>> {
        let mut state = self.lock();
        if state.in_use == self.most {
            return None;
        }
        state.in_use += 1;
        let idle = state.idle.pop();
        drop(state);
        let bytes = idle.unwrap_or_else(|| vec![0; PIECE_BYTES + BLOCK_BYTES]);
        Some(Buffer { owner: self, bytes })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that is in use; given back when dropped, also by a write that panics.
struct Buffer<'a> {
    owner: &'a DirectIo,
    bytes: Vec<u8>,
}

impl Drop for Buffer<'_> {
    fn drop(&mut self) {
        let mut state = self.owner.lock();
        state.in_use -= 1;
        state.idle.push(std::mem::take(&mut self.bytes));
    }
}

/// A piece's worth of the buffer that begins at a block.
fn aligned(buffer: &mut [u8]) -> &mut [u8] {
    let skipped = buffer.as_ptr().addr().wrapping_neg() % BLOCK_BYTES;
    &mut buffer[skipped..skipped + PIECE_BYTES]
}

fn write<F: Deref<Target = [u8]>>(
    file: &mut File,
    frames: &[F],
    buffer: &mut [u8],
) -> io::Result<usize> {
    if fcntl_setfl(&*file, OFlags::DIRECT).is_err() {
        return Ok(0);
    }
    let written = write_pieces(file, frames, buffer);
    fcntl_setfl(&*file, OFlags::empty())?;
    written
}

fn write_pieces<F: Deref<Target = [u8]>>(
    file: &mut impl Write,
    frames: &[F],
    buffer: &mut [u8],
) -> io::Result<usize> {
    let (mut written, mut filled) = (0, 0);
    for mut frame in frames.iter().map(|frame| &frame[..]) {
        while !frame.is_empty() {
            let (taken, rest) = frame.split_at(frame.len().min(buffer.len() - filled));
            buffer[filled..filled + taken.len()].copy_from_slice(taken);
            filled += taken.len();
            frame = rest;
            if filled == buffer.len() {
                let in_this = write_blocks(file, buffer)?;
                written += in_this;
                if in_this < filled {
                    return Ok(written);
                }
                filled = 0;
            }
        }
    }
    let whole_blocks = filled / BLOCK_BYTES * BLOCK_BYTES;
    Ok(written + write_blocks(file, &buffer[..whole_blocks])?)
}

/// Fewer bytes than there are only where this way ends.
fn write_blocks(file: &mut impl Write, bytes: &[u8]) -> io::Result<usize> {
    let mut written = 0;
    while written < bytes.len() && written.is_multiple_of(BLOCK_BYTES) {
        match file.write(&bytes[written..]) {
            Ok(0) => break,
            Ok(more) => written += more,
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => {}
                ErrorKind::InvalidInput | ErrorKind::Unsupported => break,
                // Not for the ordinary way to try again: it would only write into memory and say yes.
                _ => return Err(error),
            },
        }
    }
    Ok(written)
}

#[cfg(test)]
mod tests;
