//! One save of a report at a time, within this process.
//!
//! The same report may be saved a second time while the first attempt, given up by its caller, still goes on. Were both
//! at work, one that fails could take back files that the other counts on.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The reports that are being saved, by the key of their raw crash.
#[derive(Debug, Default)]
pub(super) struct Turns {
    taken: Mutex<Taken>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Taken {
    keys: HashSet<String>,
    /// Waking nobody costs a system call too.
    waiting: usize,
}

/// Ends when dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    key: &'a str,
}

impl Turns {
    /// Blocks until no other save of this report is under way.
    pub(super) fn take<'a>(&'a self, key: &'a str) -> Turn<'a> {
        let mut taken = self.lock();
        while taken.keys.contains(key) {
            taken.waiting += 1;
            taken = self
                .ended
                .wait(taken)
                .unwrap_or_else(PoisonError::into_inner);
            taken.waiting -= 1;
        }
        taken.keys.insert(key.to_owned());
        Turn { turns: self, key }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut taken = self.turns.lock();
        taken.keys.remove(self.key);
        if taken.waiting > 0 {
            self.turns.ended.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn one_report_is_saved_once_at_a_time() {
        let (turns, inside) = (Turns::default(), AtomicUsize::new(0));
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| {
                    for _ in 0..200 {
                        let _turn = turns.take("same");
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        std::thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(turns.lock().keys.is_empty());
    }

    #[test]
    fn others_do_not_wait() {
        let turns = Turns::default();
        let _one = turns.take("one");
        let _other = turns.take("other");
    }
}
