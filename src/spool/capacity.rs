//! How much the spool may still take: its own ceiling, and what must stay free on the disk.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::error::SpoolError;
use super::wait_queue::occupied_bytes;
use crate::disk::Disk;

/// How long a look at the disk's free space counts; what we write meanwhile is subtracted.
const FRESH: Duration = Duration::from_secs(1);
/// Reports that are saved and only wait to be published take a block each. They may go beyond the ceiling by this
/// fraction: refusing one would lose its place in the processor's queue, and hardly give any room.
const PUBLISH_RESERVE: u64 = 16;

/// The limits, and what is known about the disk.
pub(super) struct Capacity {
    dir: PathBuf,
    max_bytes: u64,
    min_free_bytes: u64,
    seen: Mutex<Option<Seen>>,
}

struct Seen {
    at: Instant,
    free_bytes: u64,
}

impl Capacity {
    pub fn new(dir: &Path, max_bytes: u64, min_free_bytes: u64) -> Self {
        Self {
            dir: dir.to_owned(),
            max_bytes,
            min_free_bytes,
            seen: Mutex::new(None),
        }
    }

    /// What reports to be saved may occupy, together with all others.
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// What all may occupy before an id to be published is refused.
    pub fn max_with_publish_bytes(&self) -> u64 {
        self.max_bytes
            .saturating_add(self.max_bytes / PUBLISH_RESERVE)
    }

    /// Subtracts a file from the free space, if enough stays free.
    pub fn take(&self, disk: &dyn Disk, length_bytes: u64) -> Result<(), SpoolError> {
        let needed = occupied_bytes(length_bytes);
        self.with_free(disk, |free_bytes| {
            let left = free_bytes.saturating_sub(needed);
            if left < self.min_free_bytes {
                return Err(self.too_little_free(needed, *free_bytes));
            }
            *free_bytes = left;
            Ok(())
        })?
    }

    /// What could still be put, with this much occupied.
    pub fn left_bytes(&self, disk: &dyn Disk, occupied: u64) -> Result<u64, SpoolError> {
        let free = self.with_free(disk, |free_bytes| {
            free_bytes.saturating_sub(self.min_free_bytes)
        })?;
        Ok(free.min(self.max_bytes.saturating_sub(occupied)))
    }

    fn with_free<T>(
        &self,
        disk: &dyn Disk,
        look: impl FnOnce(&mut u64) -> T,
    ) -> Result<T, SpoolError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = seen.take().filter(|seen| seen.at.elapsed() < FRESH);
        let fresh = match fresh {
            Some(fresh) => fresh,
            None => self.see(disk)?,
        };
        Ok(look(&mut seen.insert(fresh).free_bytes))
    }

    fn see(&self, disk: &dyn Disk) -> Result<Seen, SpoolError> {
        let free = disk.free_bytes(&self.dir);
        let free = free.map_err(|e| SpoolError::io("look at the free space of", &self.dir, e))?;
        Ok(Seen {
            at: Instant::now(),
            free_bytes: free,
        })
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
    pub fn disk_full(&self, error: &std::io::Error) -> SpoolError {
        self.full(format!("{error} (make room on the volume)"))
    }

    fn full(&self, why: String) -> SpoolError {
        SpoolError::Full {
            dir: self.dir.clone(),
            why,
        }
    }
}
