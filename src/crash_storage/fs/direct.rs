//! Large files straight to the disk, past the memory in which the kernel keeps what was written.
//!
//! Nobody reads a dump soon, and each page of it would cost the kernel a page of memory that was somebody else's: to find
//! one, to fill it, to write it later. On a virtual machine whose memory is handed out as it is touched, that took longer
//! than everything else about a report together. And who waits for fsync waits for the disk anyway.
//!
//! `O_DIRECT` asks for whole blocks in aligned memory, so the frames are copied together into a buffer that is used again
//! and again. What is left at the end, and what cannot be done at all (a file system that does not know it, `EINVAL`), is
//! written the ordinary way by the caller: nothing here is needed for a file to become whole.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustix::fs::{OFlags, fcntl_setfl};

/// Of memory and of file: no disk asks for more, and one that does is written to the ordinary way.
const BLOCK_BYTES: usize = 4096;
/// Written in one call.
const PIECE_BYTES: usize = 512 * 1024;
/// Below this the ordinary way is cheaper.
const LEAST_BYTES: usize = 64 * 1024;
/// Writes at a time where everybody waits for the disk; each has a buffer of a piece's size.
const MOST_PATIENT: usize = 16;
/// Writes at a time where nobody has to: fewer than crashmovers, so that a burst finds some that write into memory.
const MOST_IMPATIENT: usize = 4;
/// A disk that takes longer for one file has enough to do ...
const SLOW: Duration = Duration::from_millis(20);
/// ... and is left alone for so long, where nobody has to wait for it.
const REST: Duration = Duration::from_secs(1);

/// Buffers, and who may use them.
#[derive(Debug)]
pub(super) struct Direct {
    most: usize,
    /// Everybody waits for the disk in any case.
    patient: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    in_use: usize,
    idle: Vec<Vec<u8>>,
    rests_until: Option<Instant>,
}

impl Direct {
    /// `patient` where each report is put on disk before it is acknowledged: a slow disk is then no reason to stop.
    pub(super) fn new(patient: bool) -> Self {
        Self {
            most: if patient {
                MOST_PATIENT
            } else {
                MOST_IMPATIENT
            },
            patient,
            state: Mutex::default(),
        }
    }

    /// Writes as much as it can of a new file's frames, from the start; how many bytes that was, often none.
    pub(super) fn write(&self, file: &mut File, frames: &[Bytes]) -> io::Result<usize> {
        let length_bytes: usize = frames.iter().map(Bytes::len).sum();
        if length_bytes < LEAST_BYTES {
            return Ok(0);
        }
        let Some(mut buffer) = self.take() else {
            return Ok(0);
        };
        let started = Instant::now();
        let written = write(file, frames, aligned(&mut buffer));
        self.give_back(buffer, started.elapsed());
        written
    }

    fn take(&self) -> Option<Vec<u8>> {
        let mut state = self.lock();
        let rests = state.rests_until.is_some_and(|end| Instant::now() < end);
        if rests || state.in_use == self.most {
            return None;
        }
        state.in_use += 1;
        let idle = state.idle.pop();
        drop(state);
        Some(idle.unwrap_or_else(|| vec![0; PIECE_BYTES + BLOCK_BYTES]))
    }

    fn give_back(&self, buffer: Vec<u8>, took: Duration) {
        let mut state = self.lock();
        state.in_use -= 1;
        state.idle.push(buffer);
        if !self.patient && took > SLOW {
            state.rests_until = Some(Instant::now() + REST);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A piece's worth of the buffer that begins at a block.
fn aligned(buffer: &mut [u8]) -> &mut [u8] {
    let skipped = buffer.as_ptr().addr().wrapping_neg() % BLOCK_BYTES;
    &mut buffer[skipped..skipped + PIECE_BYTES]
}

fn write(file: &mut File, frames: &[Bytes], buffer: &mut [u8]) -> io::Result<usize> {
    if fcntl_setfl(&*file, OFlags::DIRECT).is_err() {
        return Ok(0);
    }
    let written = write_pieces(file, frames, buffer);
    fcntl_setfl(&*file, OFlags::empty())?;
    written
}

fn write_pieces(file: &mut impl Write, frames: &[Bytes], buffer: &mut [u8]) -> io::Result<usize> {
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
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(more) => written += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::InvalidInput => break,
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that takes so much in each call.
    struct Takes {
        each: Vec<io::Result<usize>>,
        bytes: Vec<u8>,
    }

    impl Write for Takes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let most = if self.each.is_empty() {
                Ok(usize::MAX)
            } else {
                self.each.remove(0)
            };
            let taken = most?.min(bytes.len());
            self.bytes.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn frames(length_bytes: usize, frame_bytes: usize) -> Vec<Bytes> {
        let bytes: Vec<u8> = (0..length_bytes).map(|at| (at % 251) as u8).collect();
        bytes
            .chunks(frame_bytes)
            .map(Bytes::copy_from_slice)
            .collect()
    }

    /// What was written of the frames.
    fn prefix(frames: &[Bytes], each: Vec<io::Result<usize>>) -> io::Result<usize> {
        let (mut file, mut buffer) = (
            Takes {
                each,
                bytes: Vec::new(),
            },
            vec![0; 4 * BLOCK_BYTES],
        );
        let written = write_pieces(&mut file, frames, &mut buffer)?;
        assert_eq!(file.bytes, frames.concat()[..written]);
        Ok(written)
    }

    #[test]
    fn all_whole_blocks_are_written() {
        for (length_bytes, frame_bytes) in [
            (0, 1),
            (4095, 7),
            (4096, 1),
            (40_000, 3000),
            (65_536, 65_536),
            (16_384, 5000),
        ] {
            let written = prefix(&frames(length_bytes, frame_bytes), Vec::new()).unwrap();
            assert_eq!(written, length_bytes / BLOCK_BYTES * BLOCK_BYTES);
        }
    }

    #[test]
    fn what_the_disk_does_not_take_this_way_is_left() {
        let invalid = || Err(ErrorKind::InvalidInput.into());
        let whole = || Ok(usize::MAX);
        for (each, left_off_at) in [
            (vec![invalid()], 0),
            (vec![whole(), invalid()], 16_384),
            // An odd number of bytes cannot be gone on with; it is no error either.
            (vec![Ok(4096), Ok(10)], 4106),
            (vec![whole(), Ok(10)], 16_394),
        ] {
            assert_eq!(prefix(&frames(40_000, 900), each).unwrap(), left_off_at);
        }
        let interrupted = vec![Err(ErrorKind::Interrupted.into())];
        assert_eq!(prefix(&frames(40_000, 900), interrupted).unwrap(), 36_864);
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let full = vec![Ok(4096), Err(ErrorKind::StorageFull.into())];
        let error = prefix(&frames(40_000, 900), full).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        let error = prefix(&frames(40_000, 900), vec![Ok(0)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WriteZero);
    }

    #[test]
    fn a_buffer_begins_at_a_block() {
        let mut buffer = vec![0; PIECE_BYTES + BLOCK_BYTES];
        let buffer = aligned(&mut buffer);
        assert_eq!(
            (buffer.as_ptr().addr() % BLOCK_BYTES, buffer.len()),
            (0, PIECE_BYTES)
        );
    }

    #[test]
    fn only_so_many_write_at_a_time_and_a_slow_disk_is_left_alone() {
        let quick = Duration::from_millis(1);
        let direct = Direct::new(false);
        let buffers: Vec<_> = (0..MOST_IMPATIENT)
            .map(|_| direct.take().unwrap())
            .collect();
        assert!(direct.take().is_none());
        buffers
            .into_iter()
            .for_each(|buffer| direct.give_back(buffer, quick));
        let buffer = direct.take().unwrap();
        direct.give_back(buffer, SLOW * 2);
        assert!(direct.take().is_none());
        assert_eq!(direct.lock().in_use, 0);

        let patient = Direct::new(true);
        let buffer = patient.take().unwrap();
        patient.give_back(buffer, SLOW * 2);
        assert!(patient.take().is_some());
    }
}
