//! Work on something at most once at a time, within this process.
//!
//! The same report may be saved a second time while the first attempt, given up by its caller, still goes on. Were both
//! at work, one that fails could take back files that the other counts on.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What is being worked on, by its key.
#[derive(Debug, Default)]
pub(super) struct KeyLocks {
    held: Mutex<Held>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Held {
    keys: HashSet<String>,
    /// Waking nobody costs a system call too.
    waiting: usize,
}

/// Ends when dropped.
#[derive(Debug)]
pub(super) struct KeyLock<'a> {
    locks: &'a KeyLocks,
    keys: Vec<String>,
}

impl KeyLocks {
    /// Blocks until nobody holds any of the keys, then takes all of them at once.
    pub(super) fn take<'a>(&self, keys: impl IntoIterator<Item = &'a str>) -> KeyLock<'_> {
        let keys: Vec<_> = keys.into_iter().map(str::to_owned).collect();
        let mut held = self.lock();
        while keys.iter().any(|key| held.keys.contains(key)) {
            held.waiting += 1;
            let woken = self.ended.wait(held);
            held = woken.unwrap_or_else(PoisonError::into_inner);
            held.waiting -= 1;
        }
        held.keys.extend(keys.iter().cloned());
        KeyLock { locks: self, keys }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for KeyLock<'_> {
    fn drop(&mut self) {
        let mut held = self.locks.lock();
        for key in &self.keys {
            held.keys.remove(key);
        }
        if held.waiting > 0 {
            self.locks.ended.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn one_report_is_saved_once_at_a_time() {
        let (locks, inside) = (KeyLocks::default(), AtomicUsize::new(0));
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| {
                    for _ in 0..200 {
                        let _turn = locks.take(["same"]);
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        std::thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(locks.lock().keys.is_empty());
    }

    #[test]
    fn others_do_not_wait() {
        let locks = KeyLocks::default();
        let _one = locks.take(["one", "two"]);
        let _other = locks.take(["other"]);
    }
}
