//! Whether storage is in trouble: then reports go to the spool at once instead of waiting for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// After this long without news one report tries storage again.
const REMEMBERED_FOR: Duration = Duration::from_secs(5);
const NONE: u64 = u64::MAX;

/// When storage failed last, unless it worked since.
pub struct Trouble {
    started: Instant,
    /// Milliseconds after `started`.
    since: AtomicU64,
    ended: Notify,
}

impl Default for Trouble {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            since: AtomicU64::new(NONE),
            ended: Notify::new(),
        }
    }
}

impl Trouble {
    pub fn failed(&self) {
        self.since.store(self.now(), Ordering::Relaxed);
    }

    pub fn worked(&self) {
        if self.since.swap(NONE, Ordering::SeqCst) != NONE {
            self.ended.notify_waiters();
        }
    }

    /// Storage failed last, however long ago.
    pub fn is_known(&self) -> bool {
        self.since.load(Ordering::SeqCst) != NONE
    }

    /// Returns once storage has worked again; at once if it did not fail last.
    pub async fn over(&self) {
        let ended = self.ended.notified();
        if self.is_known() {
            ended.await;
        }
    }

    pub fn is_on(&self) -> bool {
        let since = self.since.load(Ordering::Relaxed);
        since != NONE && self.now().saturating_sub(since) < REMEMBERED_FOR.as_millis() as u64
    }

    fn now(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_on_until_it_works() {
        let trouble = Trouble::default();
        assert!(!trouble.is_on());
        trouble.failed();
        assert!(trouble.is_on());
        trouble.worked();
        assert!(!trouble.is_on());
    }

    #[tokio::test]
    async fn who_waits_for_the_end_goes_on_when_it_works() {
        use futures_util::FutureExt;
        let trouble = Trouble::default();
        trouble.over().await;
        trouble.failed();
        let mut waiting = std::pin::pin!(trouble.over());
        assert!(waiting.as_mut().now_or_never().is_none());
        trouble.failed();
        assert!(waiting.as_mut().now_or_never().is_none());
        trouble.worked();
        waiting.await;
    }
}
