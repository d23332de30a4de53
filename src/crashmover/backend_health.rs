//! How storage, or the queue, has answered lately: whether it is failing, since when, and whether that has been told.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// After a failure this long is doubted: what flaps several times a minute makes clients wait once.
const SUSPECT_FOR: Duration = Duration::from_secs(60);
/// Shorter outages pass by themselves; of a longer one somebody should know.
const LONG_OUTAGE: Duration = Duration::from_secs(60);

/// What is known of something outside.
#[derive(Default)]
pub struct BackendHealth {
    state: Mutex<State>,
    ended: Notify,
}

#[derive(Default)]
struct State {
    last_failure: Option<Instant>,
    /// Since when it has done nothing but fail.
    failing_since: Option<Instant>,
    was_told: bool,
}

impl BackendHealth {
    pub fn failed(&self) {
        let mut state = self.lock();
        let now = Instant::now();
        state.last_failure = Some(now);
        state.failing_since.get_or_insert(now);
    }

    pub fn worked(&self) {
        let mut state = self.lock();
        if state.failing_since.take().is_some() {
            state.was_told = false;
            self.ended.notify_waiters();
        }
    }

    /// It failed last, however long ago.
    pub fn is_failing(&self) -> bool {
        self.lock().failing_since.is_some()
    }

    /// It failed last, and not long ago.
    pub fn is_failing_within(&self, time: Duration) -> bool {
        let state = self.lock();
        state.failing_since.is_some() && state.has_failed_within(time)
    }

    /// It is failing, or has only just begun to work again.
    pub fn is_suspect(&self) -> bool {
        let state = self.lock();
        state.failing_since.is_some() || state.has_failed_within(SUSPECT_FOR)
    }

    /// Returns once it has worked again; at once if it did not fail last.
    pub async fn over(&self) {
        let ended = self.ended.notified();
        if self.is_failing() {
            ended.await;
        }
    }

    /// How long an outage lasts that somebody should know of; once for each.
    pub fn long_outage(&self) -> Option<Duration> {
        let mut state = self.lock();
        let lasts = state.failing_since?.elapsed();
        if lasts < LONG_OUTAGE || state.was_told {
            return None;
        }
        state.was_told = true;
        Some(lasts)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves everything that is known into the past.
    #[cfg(test)]
    pub fn age(&self, by: Duration) {
        let mut state = self.lock();
        let older = |when: Option<Instant>| when.and_then(|when| when.checked_sub(by));
        state.last_failure = older(state.last_failure);
        state.failing_since = older(state.failing_since);
    }
}

impl State {
    fn has_failed_within(&self, time: Duration) -> bool {
        self.last_failure.is_some_and(|when| when.elapsed() < time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_doubted_for_a_while_after_it_works_again() {
        let health = BackendHealth::default();
        assert!(!health.is_failing() && !health.is_suspect());
        health.failed();
        health.age(SUSPECT_FOR * 2);
        assert!(health.is_failing() && health.is_suspect());
        assert!(!health.is_failing_within(SUSPECT_FOR));
        health.failed();
        assert!(health.is_failing_within(SUSPECT_FOR));
        health.worked();
        assert!(!health.is_failing() && health.is_suspect());
        health.age(SUSPECT_FOR);
        assert!(!health.is_suspect());
    }

    #[test]
    fn a_long_outage_is_told_once() {
        let health = BackendHealth::default();
        for _ in 0..2 {
            health.failed();
            assert_eq!(health.long_outage(), None);
            health.age(LONG_OUTAGE);
            health.failed();
            assert!(
                health
                    .long_outage()
                    .is_some_and(|lasts| lasts >= LONG_OUTAGE)
            );
            assert_eq!(health.long_outage(), None);
            health.worked();
        }
    }

    #[tokio::test]
    async fn who_waits_for_the_end_goes_on_when_it_works() {
        use futures_util::FutureExt;
        let health = BackendHealth::default();
        health.over().await;
        health.failed();
        let mut waiting = std::pin::pin!(health.over());
        assert!(waiting.as_mut().now_or_never().is_none());
        health.failed();
        assert!(waiting.as_mut().now_or_never().is_none());
        health.worked();
        waiting.await;
    }
}
