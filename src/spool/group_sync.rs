//! One folder fsync for all who finish at about the same time.
//!
//! Whoever comes while no fsync runs does it, at once; whoever comes while one runs waits for the next, together with
//! all others who came meanwhile. So nobody waits for a group to fill, and every fsync began after the renames it vouches
//! for.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The group for one folder. `T` is whoever waits.
pub(super) struct GroupSync<T> {
    turn: Mutex<Turn<T>>,
}

struct Turn<T> {
    waiting: Vec<T>,
    running: bool,
    failures: u64,
}

/// Proof of how things stood before a rename.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    failures: u64,
}

impl<T> Default for GroupSync<T> {
    fn default() -> Self {
        Self {
            turn: Mutex::new(Turn {
                waiting: Vec::new(),
                running: false,
                failures: 0,
            }),
        }
    }
}

impl<T> GroupSync<T> {
    fn lock(&self) -> MutexGuard<'_, Turn<T>> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be taken before the rename.
    pub fn ticket(&self) -> Ticket {
        Ticket {
            failures: self.lock().failures,
        }
    }

    /// Has `who` settled after an fsync that began after this call. Blocks only the one who does the fsyncs.
    ///
    /// A failed fsync is the end for everyone whose rename came before the failure, not only for those it was done for:
    /// the kernel may have marked their changes clean without having written them, and the next fsync would say yes.
    pub fn join(
        &self,
        ticket: Ticket,
        who: T,
        sync: impl Fn() -> io::Result<()>,
        settle: impl Fn(Vec<T>, io::Result<()>),
    ) {
        let mut turn = self.lock();
        if turn.failures != ticket.failures {
            drop(turn);
            let failed = io::Error::other("an fsync of the folder failed meanwhile");
            return settle(vec![who], Err(failed));
        }
        turn.waiting.push(who);
        if turn.running {
            return;
        }
        turn.running = true;
        drop(turn);
        while let Some(group) = self.next_group() {
            let synced = sync();
            let group = self.with_all_it_failed(group, &synced);
            settle(group, synced);
        }
    }

    fn next_group(&self) -> Option<Vec<T>> {
        let mut turn = self.lock();
        turn.running = !turn.waiting.is_empty();
        turn.running.then(|| std::mem::take(&mut turn.waiting))
    }

    fn with_all_it_failed(&self, mut group: Vec<T>, synced: &io::Result<()>) -> Vec<T> {
        if synced.is_err() {
            let mut turn = self.lock();
            turn.failures += 1;
            group.append(&mut turn.waiting);
        }
        group
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};

    /// Runs one leader; `during` is called within each fsync and may let others join.
    fn run(
        group: &GroupSync<u8>,
        during: impl Fn(u32),
        fail: impl Fn(u32) -> bool,
    ) -> Vec<(Vec<u8>, bool)> {
        let settled = RefCell::new(Vec::new());
        let syncs = Cell::new(0);
        let sync = || {
            syncs.set(syncs.get() + 1);
            during(syncs.get());
            if fail(syncs.get()) {
                Err(io::ErrorKind::Other.into())
            } else {
                Ok(())
            }
        };
        let settle = |who, synced: io::Result<()>| settled.borrow_mut().push((who, synced.is_ok()));
        group.join(group.ticket(), 0, sync, settle);
        settled.into_inner()
    }

    fn follow(group: &GroupSync<u8>, ticket: Ticket, who: u8) {
        let nobody = |_, _| panic!("a follower settles nobody");
        group.join(ticket, who, || panic!("a follower never syncs"), nobody);
    }

    #[test]
    fn one_alone_is_synced_at_once() {
        let settled = run(&GroupSync::default(), |_| {}, |_| false);
        assert_eq!(settled, [(vec![0], true)]);
    }

    #[test]
    fn those_who_come_during_an_fsync_share_the_next() {
        let group = GroupSync::default();
        let during = |nth| {
            if nth == 1 {
                (1..5).for_each(|who| follow(&group, group.ticket(), who));
            }
        };
        let settled = run(&group, during, |_| false);
        assert_eq!(settled, [(vec![0], true), (vec![1, 2, 3, 4], true)]);
    }

    #[test]
    fn a_failure_is_the_end_for_all_who_renamed_before_it() {
        let group = GroupSync::default();
        let during = |_| follow(&group, group.ticket(), 1);
        let settled = run(&group, during, |nth| nth == 1);
        assert_eq!(settled, [(vec![0, 1], false)]);
    }

    #[test]
    fn a_rename_from_before_a_failure_is_not_vouched_for_by_a_later_fsync() {
        let group = GroupSync::default();
        let before = group.ticket();
        run(&group, |_| {}, |_| true);
        let settled = RefCell::new(Vec::new());
        let settle = |who, synced: io::Result<()>| settled.borrow_mut().push((who, synced.is_ok()));
        group.join(before, 7, || panic!("nothing to vouch for"), settle);
        assert_eq!(settled.take(), [(vec![7], false)]);
        assert_eq!(run(&group, |_| {}, |_| false), [(vec![0], true)]);
    }
}
