//! One budget of bytes for every report in memory: bodies being read, reports waiting, reports being saved.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Permits are counted in pages, because a semaphore takes 32-bit numbers at a time.
const PAGE_BYTES: u64 = 4 * 1024;
/// Until a client has sent this much, no more is set aside for it, whatever length it announced: a thousand clients that
/// announce 25 MiB and send nothing must not keep the rest out.
const FIRST_BYTES: u64 = 64 * 1024;
/// Where no length was announced, a reservation grows by at least this much at a time.
const STEP_BYTES: u64 = 256 * 1024;

/// The budget is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

/// The bytes that all reports in memory may take together.
#[derive(Clone, Debug)]
pub struct Budget {
    pages: Arc<Semaphore>,
    total_pages: usize,
}

impl Budget {
    pub fn new(total_bytes: u64) -> Self {
        let total_pages = usize::try_from(total_bytes.div_ceil(PAGE_BYTES)).unwrap_or(usize::MAX);
        let total_pages = total_pages.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            pages: Arc::new(Semaphore::new(total_pages)),
            total_pages,
        }
    }

    /// Sets bytes aside for one report before its body is read.
    ///
    /// `announced_bytes` is what the client says it will send, 0 where it says nothing.
    ///
    /// # Errors
    /// There is no room for the first bytes.
    pub fn reserve(&self, announced_bytes: u64) -> Result<Reservation, OutOfMemory> {
        let first = if announced_bytes == 0 {
            FIRST_BYTES
        } else {
            announced_bytes.min(FIRST_BYTES)
        };
        let permit = self.acquire(pages(first)).ok_or(OutOfMemory)?;
        Ok(Reservation {
            budget: self.clone(),
            permit,
            used_bytes: 0,
            announced_bytes,
        })
    }

    /// Sets bytes aside for something else than a report, until what is returned is dropped; `None` where there is no room.
    pub fn hold(&self, bytes: u64) -> Option<HeldBytes> {
        self.acquire(pages(bytes)).map(HeldBytes)
    }

    /// True while at least half of it is not set aside.
    pub fn is_half_free(&self) -> bool {
        2 * self.pages.available_permits() >= self.total_pages
    }

    /// Bytes that are set aside now.
    pub fn in_flight_bytes(&self) -> u64 {
        (self.total_pages - self.pages.available_permits()) as u64 * PAGE_BYTES
    }

    fn acquire(&self, pages: u32) -> Option<OwnedSemaphorePermit> {
        self.pages.clone().try_acquire_many_owned(pages).ok()
    }
}

fn pages(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(PAGE_BYTES)).unwrap_or(u32::MAX)
}

/// Bytes that are set aside while this exists.
#[derive(Debug)]
pub struct HeldBytes(
    #[expect(dead_code, reason = "its drop gives them back")] OwnedSemaphorePermit,
);

/// What is set aside for one report. It goes with the report and is given back when the report leaves memory.
#[derive(Debug)]
pub struct Reservation {
    budget: Budget,
    permit: OwnedSemaphorePermit,
    used_bytes: u64,
    announced_bytes: u64,
}

impl Reservation {
    /// Sees to it that `more_bytes` more are set aside.
    ///
    /// # Errors
    /// There is no room for them. Nothing waits: whoever waits holding memory stops those that hold the rest.
    pub fn keep(&mut self, more_bytes: u64) -> Result<(), OutOfMemory> {
        self.used_bytes += more_bytes;
        let has_pages = u64::try_from(self.permit.num_permits()).unwrap_or(u64::MAX);
        let has_bytes = has_pages * PAGE_BYTES;
        if self.used_bytes <= has_bytes {
            return Ok(());
        }
        let missing = self.used_bytes - has_bytes;
        let announced = self.announced_bytes.saturating_sub(has_bytes);
        let wanted = pages(missing.max(announced).max(STEP_BYTES));
        let more = self
            .budget
            .acquire(wanted)
            .or_else(|| self.budget.acquire(pages(missing)));
        self.permit.merge(more.ok_or(OutOfMemory)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reserved_is_given_back() {
        let budget = Budget::new(1 << 20);
        let mut reservation = budget.reserve(400_000).unwrap();
        assert_eq!(budget.in_flight_bytes(), FIRST_BYTES);
        reservation.keep(FIRST_BYTES + 1).unwrap();
        assert_eq!(budget.in_flight_bytes(), 401_408);
        drop(reservation);
        assert_eq!(budget.in_flight_bytes(), 0);
    }

    #[test]
    fn nothing_beyond_the_budget_is_reserved() {
        let budget = Budget::new(1 << 20);
        let mut first = budget.reserve(0).unwrap();
        first.keep(1 << 20).unwrap();
        assert_eq!(first.keep(1), Err(OutOfMemory));
        assert_eq!(budget.reserve(1).unwrap_err(), OutOfMemory);
    }

    #[test]
    fn clients_that_only_announce_take_little() {
        let budget = Budget::new(64 << 20);
        let silent: Vec<_> = (0..900).map(|_| budget.reserve(25 << 20)).collect();
        assert!(silent.iter().all(Result::is_ok));
        let mut fast = budget.reserve(1 << 20).unwrap();
        assert_eq!(fast.keep(1 << 20), Ok(()));
    }
}
