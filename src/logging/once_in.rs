//! What must not be said too often: once in some time, with how often it happened.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Says when it is time to say something again.
pub struct OnceIn {
    period: Duration,
    state: Mutex<(u64, Option<Instant>)>,
}

impl OnceIn {
    pub fn new(period: Duration) -> Self {
        Self {
            period,
            state: Mutex::default(),
        }
    }

    /// It happened once more. How often since it was said last, if it is time to say it.
    pub fn count(&self) -> Option<u64> {
        self.count_at(Instant::now())
    }

    fn count_at(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (times, said) = &mut *state;
        *times += 1;
        if said.is_some_and(|said| now.duration_since(said) < self.period) {
            return None;
        }
        *said = Some(now);
        Some(std::mem::take(times))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_a_minute_tells_how_often_it_happened() {
        let (start, once) = (Instant::now(), OnceIn::new(Duration::from_secs(60)));
        let at = |seconds| once.count_at(start + Duration::from_secs(seconds));
        assert_eq!(at(0), Some(1));
        assert_eq!(at(0), None);
        assert_eq!(at(59), None);
        assert_eq!(at(60), Some(3));
        assert_eq!(at(61), None);
        assert_eq!(at(1000), Some(2));
    }
}
