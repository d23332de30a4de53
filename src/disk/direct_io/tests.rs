//! Large files straight to the disk: whole blocks, all the ways it can end, buffers given back.

use super::*;
use bytes::Bytes;
use rustix::fs::fcntl_getfl;
use std::cell::Cell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A file that takes so much in each call, and the rest in the last.
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

/// How much was written of 40,000 bytes, in pieces of 16 KiB.
fn written(each: Vec<io::Result<usize>>) -> io::Result<usize> {
    written_of(&frames(40_000, 900), each)
}

fn written_of(frames: &[Bytes], each: Vec<io::Result<usize>>) -> io::Result<usize> {
    let bytes = Vec::new();
    let (mut file, mut buffer) = (Takes { each, bytes }, vec![0; 4 * BLOCK_BYTES]);
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
        let frames = frames(length_bytes, frame_bytes);
        let written = written_of(&frames, Vec::new()).unwrap();
        assert_eq!(written, length_bytes / BLOCK_BYTES * BLOCK_BYTES);
    }
}

#[test]
fn what_the_disk_does_not_take_this_way_is_left() {
    let whole = || Ok(usize::MAX);
    for (each, left_off_at) in [
        (vec![Err(ErrorKind::InvalidInput.into())], 0),
        (vec![whole(), Err(ErrorKind::Unsupported.into())], 16_384),
        (vec![whole(), Ok(0)], 16_384),
        // An odd number of bytes cannot be gone on with; it is no error either.
        (vec![Ok(4096), Ok(10)], 4106),
        (vec![whole(), Ok(10)], 16_394),
        (vec![Err(ErrorKind::Interrupted.into())], 36_864),
    ] {
        assert_eq!(written(each).unwrap(), left_off_at);
    }
}

#[test]
fn a_full_or_broken_disk_is_an_error() {
    for kind in [ErrorKind::StorageFull, ErrorKind::Other] {
        let error = written(vec![Ok(4096), Err(kind.into())]).unwrap_err();
        assert_eq!(error.kind(), kind);
    }
}

#[test]
fn a_buffer_begins_at_a_block() {
    let mut buffer = vec![0; PIECE_BYTES + BLOCK_BYTES];
    let buffer = aligned(&mut buffer);
    assert_eq!(buffer.as_ptr().addr() % BLOCK_BYTES, 0);
    assert_eq!(buffer.len(), PIECE_BYTES);
}

#[test]
fn a_buffer_is_used_again_and_the_file_is_an_ordinary_one_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let direct = DirectIo::new(true);
    for length_bytes in [1_300_001, 70_000, 65_536, 65_535, 600_000] {
        let path = folder.path().join(length_bytes.to_string());
        let mut file = File::create_new(&path).unwrap();
        let can = fcntl_setfl(&file, OFlags::DIRECT).is_ok();
        fcntl_setfl(&file, OFlags::empty()).unwrap();
        let frames = frames(length_bytes, 7000);
        let written = direct.write(&mut file, &frames).unwrap();
        let whole_blocks = length_bytes / BLOCK_BYTES * BLOCK_BYTES;
        let expected = if can && length_bytes >= LEAST_BYTES {
            whole_blocks
        } else {
            0
        };
        assert_eq!(written, expected, "{length_bytes}");
        assert!(!fcntl_getfl(&file).unwrap().contains(OFlags::DIRECT));
        assert!(fs::read(&path).unwrap() == frames.concat()[..written]);
    }
    let state = direct.lock();
    assert_eq!((state.in_use, state.idle.len()), (0, 1));
}

#[test]
fn a_failed_write_gives_its_buffer_back() {
    let direct = DirectIo::new(false);
    // Open for reading only.
    let mut file = File::open("/proc/self/exe").unwrap();
    assert!(direct.write(&mut file, &frames(70_000, 7000)).is_err());
    assert_eq!(direct.lock().in_use, 0);
}

/// Large, and read a second time it panics.
#[derive(Default)]
struct ReadOnce(Cell<bool>);

impl Deref for ReadOnce {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        assert!(!self.0.replace(true), "as the test wants it");
        &[0; LEAST_BYTES]
    }
}

#[test]
fn a_write_that_panics_gives_its_buffer_back() {
    let (direct, mut file) = (DirectIo::new(true), tempfile::tempfile().unwrap());
    let write = AssertUnwindSafe(|| direct.write(&mut file, &[ReadOnce::default()]));
    assert!(catch_unwind(write).is_err());
    assert_eq!(direct.lock().in_use, 0);
}

#[test]
fn only_so_many_write_at_a_time() {
    let direct = DirectIo::new(false);
    let mut buffers: Vec<_> = (0..MOST_UNHURRIED)
        .map(|_| direct.take().unwrap())
        .collect();
    assert!(direct.take().is_none());
    drop(buffers.remove(0));
    assert!(direct.take().is_some());
}
