//! How long to wait before something is tried again: so that many who failed together do not come back together.

use std::time::Duration;

/// Until the next of a few attempts: between half and one and a half of the average.
pub fn pause(average: Duration) -> Duration {
    average.mul_f64(0.5 + rand::random::<f64>())
}

/// Pauses of something that never gives up: twice as long after every failure, up to a cap.
#[derive(Debug)]
pub struct Backoff {
    next: Duration,
    first: Duration,
    cap: Duration,
}

impl Backoff {
    pub fn new(first: Duration, cap: Duration) -> Self {
        Self {
            next: first,
            first,
            cap,
        }
    }

    /// How long to pause after one more failure, spread so that many do not come back at once.
    pub fn failed(&mut self) -> Duration {
        let pause = self.next.mul_f64(0.5 + rand::random::<f64>() / 2.0);
        self.next = (self.next * 2).min(self.cap);
        pause
    }

    pub fn worked(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_do_not_march_in_step() {
        let sleep = Duration::from_secs(2);
        let pauses: Vec<_> = (0..50).map(|_| pause(sleep)).collect();
        assert!(
            pauses
                .iter()
                .all(|pause| (sleep / 2..=sleep * 3 / 2).contains(pause))
        );
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    }

    #[test]
    fn pauses_grow_to_the_cap_and_start_anew() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(8));
        let last = (0..9).map(|_| backoff.failed()).last().unwrap();
        assert!((Duration::from_secs(4)..=Duration::from_secs(8)).contains(&last));
        backoff.worked();
        assert!(backoff.failed() <= Duration::from_secs(1));
    }
}
