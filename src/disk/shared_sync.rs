//! One fsync of a folder for all who need it at about the same time.
//!
//! Whoever comes while none runs does it, at once. Whoever comes while one runs waits for the next, together with all
//! others who came meanwhile, since the one that runs may have begun too early for their names. So every fsync began after
//! the names it vouches for, and nobody waits for company. The one who did it goes on with its own report; the next is
//! somebody else's.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The fsyncs of one folder, by number.
#[derive(Debug, Default)]
pub(super) struct SharedSync {
    turn: Mutex<Turn>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Turn {
    begun: u64,
    ended: u64,
    waiting: usize,
}

impl Turn {
    fn is_running(&self) -> bool {
        self.begun > self.ended
    }
}

impl SharedSync {
    /// Returns when an fsync has ended that began after this call. Blocks.
    ///
    /// # Errors
    /// The fsync failed, and this call did it. Those who waited for it are not told: whoever calls has to find out, for
    /// all whose names are older, whether any fsync failed meanwhile.
    pub(super) fn join<E>(&self, sync: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let mut turn = self.lock();
        let needed = turn.begun + 1;
        turn.waiting += 1;
        while turn.is_running() && turn.ended < needed {
            turn = self
                .ended
                .wait(turn)
                .unwrap_or_else(PoisonError::into_inner);
        }
        turn.waiting -= 1;
        if turn.ended >= needed {
            return Ok(());
        }
        turn.begun += 1;
        drop(turn);
        // Also when it panics: the others must not wait for ever.
        let _running = Running(self);
        sync()
    }

    fn lock(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An fsync that is under way; ends when dropped.
struct Running<'a>(&'a SharedSync);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut turn = self.0.lock();
        turn.ended = turn.begun;
        let waiting = turn.waiting;
        drop(turn);
        if waiting > 0 {
            self.0.ended.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;
    use std::thread::{scope, yield_now};

    #[test]
    fn one_alone_is_synced_at_once() {
        let shared = SharedSync::default();
        assert_eq!(shared.join(|| Ok::<(), ()>(())), Ok(()));
        assert_eq!(shared.join(|| Err(7)), Err(7));
        assert_eq!(shared.join(|| Ok::<(), ()>(())), Ok(()));
    }

    #[test]
    fn those_who_come_during_an_fsync_share_the_next() {
        let (shared, syncs) = (SharedSync::default(), AtomicUsize::new(0));
        let count = || {
            syncs.fetch_add(1, Ordering::SeqCst);
            Ok::<(), ()>(())
        };
        let ((first_runs, runs), (all_wait, may_end)) = (channel(), channel::<()>());
        scope(|threads| {
            let shared = &shared;
            threads.spawn(move || {
                shared.join(|| {
                    first_runs.send(()).unwrap();
                    may_end.recv().unwrap();
                    Ok::<(), ()>(())
                })
            });
            runs.recv().unwrap();
            let waiting: Vec<_> = (0..8)
                .map(|_| threads.spawn(|| shared.join(count)))
                .collect();
            while shared.lock().waiting < waiting.len() {
                yield_now();
            }
            // The fsync that runs vouches for none of them.
            all_wait.send(()).unwrap();
            for thread in waiting {
                assert_eq!(thread.join().unwrap(), Ok(()));
            }
        });
        assert_eq!(syncs.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_panic_holds_up_nobody() {
        let shared = SharedSync::default();
        let panics = || shared.join(|| -> Result<(), ()> { panic!("on purpose") });
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).is_err());
        assert_eq!(shared.join(|| Ok::<(), ()>(())), Ok(()));
    }

    #[test]
    fn every_fsync_begins_after_the_call_it_vouches_for() {
        let (shared, written) = (SharedSync::default(), AtomicUsize::new(0));
        let durable = AtomicUsize::new(0);
        scope(|threads| {
            for _ in 0..6 {
                threads.spawn(|| {
                    for _ in 0..500 {
                        let mine = written.fetch_add(1, Ordering::SeqCst) + 1;
                        let sync = || {
                            let seen = written.load(Ordering::SeqCst);
                            yield_now();
                            durable.fetch_max(seen, Ordering::SeqCst);
                            Ok::<(), ()>(())
                        };
                        shared.join(sync).unwrap();
                        assert!(durable.load(Ordering::SeqCst) >= mine);
                    }
                });
            }
        });
    }
}
