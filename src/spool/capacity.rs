//! How much the spool may still take: its own ceiling, and what must stay free on the disk.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::SpoolError;
use super::folders::State;
use super::wait_queue::occupied_bytes;
use crate::disk::Disk;

/// How long a look at the disk's free space counts; what we write meanwhile is subtracted.
const FRESH: Duration = Duration::from_secs(1);
/// A disk that has not answered for so long is taken for one without room.
const UNANSWERED: Duration = Duration::from_secs(10);
/// Reports that are saved and only wait to be published take a block each. They may go beyond the ceiling by this
/// fraction: refusing one would lose its place in the processor's queue, and hardly give any room.
const PUBLISH_RESERVE: u64 = 16;

/// The limits, and what is known about the disk.
pub(super) struct Capacity {
    dir: PathBuf,
    max_bytes: u64,
    min_free_bytes: u64,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// When the last look began.
    asked: Option<Instant>,
    is_looking: bool,
    free_bytes: Option<u64>,
}

impl Capacity {
    pub fn new(dir: &Path, max_bytes: u64, min_free_bytes: u64) -> Self {
        Self {
            dir: dir.to_owned(),
            max_bytes,
            min_free_bytes,
            seen: Mutex::default(),
        }
    }

    /// What all entries may occupy before one of this state is refused.
    pub fn limit_bytes(&self, state: State) -> u64 {
        match state {
            State::Save => self.max_bytes,
            State::Publish => self
                .max_bytes
                .saturating_add(self.max_bytes / PUBLISH_RESERVE),
        }
    }

    /// Subtracts a file from the free space, if enough stays free. Blocks.
    pub fn take(&self, disk: &dyn Disk, length_bytes: u64) -> Result<(), SpoolError> {
        self.look_now(disk);
        let needed = occupied_bytes(length_bytes);
        // A disk that does not even say that will say why when it is written to.
        if let Some(free_bytes) = &mut self.seen().free_bytes {
            let left = free_bytes.saturating_sub(needed);
            if left < self.min_free_bytes {
                return Err(self.too_little_free(needed, *free_bytes));
            }
            *free_bytes = left;
        }
        Ok(())
    }

    /// What could still be put, with this much occupied, as far as is known.
    pub fn left_bytes(&self, occupied: u64) -> u64 {
        let seen = self.seen();
        let waits = seen.asked.filter(|_| seen.is_looking);
        if waits.is_some_and(|since| since.elapsed() > UNANSWERED) {
            return 0;
        }
        let free_bytes = seen.free_bytes.unwrap_or_default();
        let left = free_bytes.saturating_sub(self.min_free_bytes);
        left.min(self.max_bytes.saturating_sub(occupied))
    }

    /// Asks the disk if that is due. Blocks.
    pub fn look_now(&self, disk: &dyn Disk) {
        if self.begin_look() {
            self.look(disk);
        }
    }

    /// True if it is time to ask the disk again and nobody does; whoever is told so has to [`look`](Self::look).
    pub fn begin_look(&self) -> bool {
        let mut seen = self.seen();
        let is_fresh = seen.asked.is_some_and(|at| at.elapsed() < FRESH);
        if is_fresh || seen.is_looking {
            return false;
        }
        seen.asked = Some(Instant::now());
        seen.is_looking = true;
        true
    }

    /// Asks the disk, after `begin_look`. Blocks.
    pub fn look(&self, disk: &dyn Disk) {
        let free_bytes = disk.free_bytes(&self.dir).ok();
        let mut seen = self.seen();
        seen.free_bytes = free_bytes;
        seen.is_looking = false;
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reports that wait take too much.
    pub fn too_much_waiting(&self, length_bytes: u64, occupied: u64) -> SpoolError {
        self.full(format!(
            "{} bytes more do not fit: waiting reports take {occupied} of {} bytes \
             (find out why they are not moved on, or raise CRASHMOVER_SPOOL_MAX_BYTES)",
            occupied_bytes(length_bytes),
            self.max_bytes
        ))
    }

    fn too_little_free(&self, needed: u64, free_bytes: u64) -> SpoolError {
        self.full(format!(
            "{needed} bytes more do not fit: {free_bytes} bytes are free on its disk, {} must stay free \
             (make room on the volume, or lower CRASHMOVER_SPOOL_MIN_FREE_BYTES)",
            self.min_free_bytes
        ))
    }

    /// The disk itself had no room: it filled up faster than we looked, or there is a quota.
    pub fn disk_full(&self, error: &io::Error) -> SpoolError {
        self.full(format!("{error} (make room on the volume)"))
    }

    fn full(&self, why: String) -> SpoolError {
        SpoolError::Full {
            dir: self.dir.clone(),
            why,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::testing::SimulatedDisk;

    #[test]
    fn nobody_waits_for_a_disk_that_hangs() {
        let (disk, capacity) = (
            SimulatedDisk::default(),
            Capacity::new(Path::new("/"), 100, 0),
        );
        capacity.look_now(&disk);
        assert_eq!(capacity.left_bytes(0), 100);
        capacity.seen().asked = Some(Instant::now() - FRESH);
        assert!(capacity.begin_look());
        assert!(!capacity.begin_look(), "one at a time");
        capacity.take(&disk, 1).unwrap();
        assert_eq!(capacity.left_bytes(0), 100);
        capacity.seen().asked = Some(Instant::now() - UNANSWERED);
        assert_eq!(
            capacity.left_bytes(0),
            0,
            "a disk that does not answer has no room"
        );
        capacity.look(&disk);
        assert_eq!(capacity.left_bytes(0), 100);
    }
}
