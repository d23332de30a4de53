//! One budget of bytes for every report in memory: bodies being read, reports waiting, reports being saved.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Permits are counted in pages, because a semaphore takes 32-bit numbers at a time.
const PAGE_BYTES: u64 = 4 * 1024;
/// A reservation grows by as much as it has already, but by no more than this at a time.
const STEP_BYTES: u64 = 256 * 1024;
/// Nearly all reports are smaller. What is larger leaves a quarter of the budget to them.
const SMALL_BYTES: u64 = 1024 * 1024;

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

    /// Begins a report that will have so many bytes, as far as is known; 0 where nothing is known.
    ///
    /// Next to nothing is set aside before bytes come: who announces much and sends nothing keeps nobody out.
    ///
    /// # Errors
    /// There is no room for it now.
    pub fn reserve(&self, expected_bytes: u64) -> Result<Reservation, OutOfMemory> {
        if pages(expected_bytes) > self.pages.available_permits() {
            return Err(OutOfMemory);
        }
        let permit = self.acquire(1).ok_or(OutOfMemory)?;
        Ok(Reservation {
            budget: self.clone(),
            permit,
        })
    }

    /// Sets bytes aside for something else than a report, until what is returned is dropped; `None` where there is no room.
    pub fn hold(&self, bytes: u64) -> Option<HeldBytes> {
        self.acquire(pages(bytes)).map(HeldBytes)
    }

    pub fn total_bytes(&self) -> u64 {
        self.total_pages as u64 * PAGE_BYTES
    }

    /// What one report may have at the most.
    pub fn most_bytes(&self) -> u64 {
        (self.total_pages - self.total_pages / 4) as u64 * PAGE_BYTES
    }

    /// Bytes that are set aside now.
    pub fn in_flight_bytes(&self) -> u64 {
        (self.total_pages - self.pages.available_permits()) as u64 * PAGE_BYTES
    }

    /// More than half of it is in use: from here on memory has to be earned.
    pub fn is_short(&self) -> bool {
        self.pages.available_permits() < self.total_pages / 2
    }

    fn acquire(&self, pages: usize) -> Option<OwnedSemaphorePermit> {
        let pages = u32::try_from(pages).ok()?;
        self.pages.clone().try_acquire_many_owned(pages).ok()
    }
}

fn pages(bytes: u64) -> usize {
    usize::try_from(bytes.div_ceil(PAGE_BYTES)).unwrap_or(usize::MAX)
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
}

impl Reservation {
    /// Sees to it that so many bytes are set aside in all. What is no longer needed is given back.
    ///
    /// # Errors
    /// There is no room for more. Nothing waits: whoever waits holding memory stops those that hold the rest.
    pub fn hold(&mut self, bytes: u64) -> Result<(), OutOfMemory> {
        let (has, wanted) = (self.permit.num_permits(), pages(bytes));
        if wanted > has {
            return self.grow(wanted - has).ok_or(OutOfMemory);
        }
        // Not page by page: it may grow again.
        if has - wanted > wanted.min(pages(STEP_BYTES)) {
            self.shrink_to(bytes);
        }
        Ok(())
    }

    /// Gives back everything beyond so many bytes: it will not grow again.
    pub fn shrink_to(&mut self, bytes: u64) {
        let spare = self.permit.num_permits().saturating_sub(pages(bytes));
        drop(self.permit.split(spare));
    }

    fn grow(&mut self, missing: usize) -> Option<()> {
        let ahead = self.permit.num_permits().min(pages(STEP_BYTES));
        let more = self
            .acquire(missing.max(ahead))
            .or_else(|| self.acquire(missing))?;
        self.permit.merge(more);
        Some(())
    }

    fn acquire(&self, more: usize) -> Option<OwnedSemaphorePermit> {
        let is_small = self.permit.num_permits() + more <= pages(SMALL_BYTES);
        let left = if is_small {
            0
        } else {
            self.budget.total_pages / 4
        };
        if self.budget.pages.available_permits() < more + left {
            return None;
        }
        self.budget.acquire(more)
    }

    /// See [`Budget::is_short`].
    pub fn is_short(&self) -> bool {
        self.budget.is_short()
    }

    /// Others alone use more than half of the budget.
    pub fn is_crowded(&self) -> bool {
        let without_this = self.budget.pages.available_permits() + self.permit.num_permits();
        without_this < self.budget.total_pages / 2
    }

    /// Bytes that are set aside for it.
    pub fn held_bytes(&self) -> u64 {
        self.permit.num_permits() as u64 * PAGE_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reserved_is_given_back() {
        let budget = Budget::new(1 << 20);
        let mut reservation = budget.reserve(400_000).unwrap();
        assert_eq!(budget.in_flight_bytes(), PAGE_BYTES);
        reservation.hold(400_000).unwrap();
        assert_eq!(budget.in_flight_bytes(), 401_408);
        reservation.hold(1).unwrap();
        assert_eq!(budget.in_flight_bytes(), PAGE_BYTES);
        drop(reservation);
        assert_eq!(budget.in_flight_bytes(), 0);
    }

    #[test]
    fn nothing_beyond_the_budget_is_reserved() {
        let budget = Budget::new(1 << 20);
        let mut first = budget.reserve(0).unwrap();
        first.hold(1 << 20).unwrap();
        assert_eq!(first.hold((1 << 20) + 1), Err(OutOfMemory));
        assert_eq!(budget.reserve(1).unwrap_err(), OutOfMemory);
    }

    #[test]
    fn clients_that_only_announce_take_little() {
        let budget = Budget::new(64 << 20);
        let silent: Vec<_> = (0..900).map(|_| budget.reserve(25 << 20)).collect();
        assert!(silent.iter().all(Result::is_ok));
        assert!(budget.in_flight_bytes() <= 900 * PAGE_BYTES);
    }

    #[test]
    fn large_reports_leave_room_for_small_ones() {
        let budget = Budget::new(64 << 20);
        let mut large = budget.reserve(0).unwrap();
        while large.hold(large.held_bytes() + 1).is_ok() {}
        assert_eq!(large.held_bytes(), budget.most_bytes());
        let mut small: Vec<_> = (0..16).map(|_| budget.reserve(1 << 20).unwrap()).collect();
        for reservation in &mut small {
            assert_eq!(reservation.hold(1 << 20), Ok(()));
        }
    }
}
