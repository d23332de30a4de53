//! The one retry policy: transient failures only, a bounded number of times, with pauses that do not march in step.

use std::time::Duration;

/// How often and how patiently something is tried again.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// All attempts, the first included; at least one is made.
    pub max_attempts: u32,
    /// Pause between two attempts on average; each is between half and one and a half of it.
    pub sleep: Duration,
}

impl RetryPolicy {
    /// Tries until it works, fails for good, or the attempts are used up; then the last error.
    ///
    /// `is_transient` is asked about every error, `failed` hears of each that is followed by another attempt.
    pub async fn run<T, E, F: Future<Output = Result<T, E>>>(
        &self,
        mut attempt: impl FnMut() -> F,
        is_transient: impl Fn(&E) -> bool,
        mut failed: impl FnMut(&E, u32),
    ) -> Result<T, E> {
        let mut attempts = 1;
        loop {
            match attempt().await {
                Err(error) if attempts < self.max_attempts && is_transient(&error) => {
                    failed(&error, attempts);
                    tokio::time::sleep(self.pause()).await;
                    attempts += 1;
                }
                result => return result,
            }
        }
    }

    fn pause(&self) -> Duration {
        self.sleep.mul_f64(0.5 + rand::random::<f64>())
    }
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
    use std::cell::Cell;

    const POLICY: RetryPolicy = RetryPolicy {
        max_attempts: 3,
        sleep: Duration::ZERO,
    };

    async fn attempts_until(result: impl Fn(u32) -> Result<(), bool>) -> (u32, Result<(), bool>) {
        let attempts = Cell::new(0);
        let result = POLICY
            .run(
                || {
                    attempts.set(attempts.get() + 1);
                    std::future::ready(result(attempts.get()))
                },
                |is_transient| *is_transient,
                |_, _| {},
            )
            .await;
        (attempts.get(), result)
    }

    #[tokio::test]
    async fn only_transient_failures_are_tried_again() {
        assert_eq!(
            attempts_until(|n| if n < 2 { Err(true) } else { Ok(()) }).await,
            (2, Ok(()))
        );
        assert_eq!(attempts_until(|_| Err(true)).await, (3, Err(true)));
        assert_eq!(attempts_until(|_| Err(false)).await, (1, Err(false)));
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
