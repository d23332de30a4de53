//! How long a report would wait for a mover, judged by how long saves took lately.
//!
//! A report whose client is gone by the time a mover gets to it costs as much as one that is kept. Without this, a storage
//! that is asked for more than it can take would soon save nothing but reports that are too late.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How many saves it takes until an older one hardly counts any more.
const REMEMBERED_SAVES: u64 = 8;

pub struct WaitEstimate {
    movers: u64,
    /// Running mean of the time of one save; 0 until there was one.
    save_microseconds: AtomicU64,
}

impl WaitEstimate {
    pub fn new(movers: usize) -> Self {
        Self {
            movers: movers as u64,
            save_microseconds: AtomicU64::new(0),
        }
    }

    /// A save has worked, and took so long.
    pub fn saved(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
        // Two movers at once may count as one: it is an estimate.
        let mean = match self.save_microseconds.load(Ordering::Relaxed) {
            0 => took,
            mean => mean - mean / REMEMBERED_SAVES + took / REMEMBERED_SAVES,
        };
        self.save_microseconds.store(mean.max(1), Ordering::Relaxed);
    }

    /// Until a mover is free for a report that has `waiting` others before it.
    pub fn wait(&self, waiting: usize) -> Duration {
        let mean = self.save_microseconds.load(Ordering::Relaxed);
        Duration::from_micros(mean.saturating_mul(waiting as u64) / self.movers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_with_the_line_and_follows_storage() {
        let estimate = WaitEstimate::new(2);
        assert_eq!(estimate.wait(1000), Duration::ZERO);
        estimate.saved(Duration::from_millis(100));
        assert_eq!(estimate.wait(0), Duration::ZERO);
        assert_eq!(estimate.wait(40), Duration::from_secs(2));
        (0..100).for_each(|_| estimate.saved(Duration::from_millis(1)));
        assert!(estimate.wait(40) < Duration::from_millis(25));
    }
}
