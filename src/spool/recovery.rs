//! Finding what lies in the folders: at start, and when somebody put something there.
//!
//! Lists names and sizes and opens nothing: 100,000 waiting reports are found in a third of a second, in one from a cold
//! disk.

use super::Inner;
use super::error::SpoolError;
use super::folders::{Folder, State, is_reason};
use super::name::EntryName;
use super::wait_queue::Tally;

/// How many entries were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub save: usize,
    pub publish: usize,
}

/// What lies in `save/` or `publish/`.
#[derive(Default)]
struct Listed {
    /// With their lengths in bytes.
    entries: Vec<(EntryName, u64)>,
    strangers: Vec<String>,
}

/// Lets others take entries when it goes, whatever happened.
struct Looking<'a>(&'a Inner);

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        self.0.looked_through.send_replace(true);
    }
}

impl Inner {
    /// What the last process left, while others put and nobody takes. Finds as much as it can; how many reports that are
    /// to be saved, and the first thing that went wrong.
    pub(super) fn look_through(&self) -> (usize, Result<(), SpoolError>) {
        if *self.looked_through.borrow() {
            return (0, Ok(()));
        }
        let _looking = Looking(self);
        let published = self.recover(State::Publish);
        let saved = self.recover(State::Save);
        let counted = self.count_failed();
        let reports = *saved.as_ref().unwrap_or(&0);
        (reports, published.and(saved).and(counted))
    }

    fn recover(&self, state: State) -> Result<usize, SpoolError> {
        let found = self.found_in(state)?;
        for name in found.strangers {
            // May be an entry that somebody renamed, so people should see it. If this fails it does no harm there.
            let reason = "its name is not that of an entry";
            let _ = self.folders.set_aside(state, &name, reason);
        }
        let entries = found.entries.into_iter();
        let new = entries.map(|(name, length_bytes)| self.line_up(state, name, length_bytes));
        Ok(new.map(usize::from).sum())
    }

    /// True if it waits now and did not before.
    fn line_up(&self, state: State, name: EntryName, length_bytes: u64) -> bool {
        if state == State::Save && self.queues.has(State::Publish, name) {
            // In both: a power failure undid half of an advance. It is saved, so publishing it is all there is left to
            // do. If this fails the next start does it.
            let _ = self.folders.remove(name, State::Save);
            return false;
        }
        if name.since() < self.taken {
            // Nobody has touched it. Not known, unless the clock was set back.
            self.queues.found(state, name, length_bytes)
        } else {
            self.line_up_among_others(state, name, length_bytes)
        }
    }

    /// For what others may be working on.
    fn line_up_among_others(&self, state: State, name: EntryName, length_bytes: u64) -> bool {
        // Known ones are being worked on. An unknown one may have been finished since it was listed.
        !self.queues.knows(name)
            && self.is_there(state, name)
            && self.queues.found(state, name, length_bytes)
    }

    /// While others use the spool; how many entries were new.
    pub(super) fn look_again(&self) -> Result<Found, SpoolError> {
        let found = Found {
            publish: self.look_again_in(State::Publish)?,
            save: self.look_again_in(State::Save)?,
        };
        self.count_failed()?;
        Ok(found)
    }

    fn look_again_in(&self, state: State) -> Result<usize, SpoolError> {
        let entries = self.found_in(state)?.entries.into_iter();
        let new = entries.map(|(name, bytes)| self.line_up_among_others(state, name, bytes));
        Ok(new.map(usize::from).sum())
    }

    fn is_there(&self, state: State, name: EntryName) -> bool {
        let path = self.folders.path(state, name);
        self.folders.disk().open(&path).is_ok()
    }

    fn found_in(&self, state: State) -> Result<Listed, SpoolError> {
        let mut found = Listed::default();
        for seen in self.folders.list(state.into())? {
            match EntryName::parse(&seen.name) {
                Some(name) => found.entries.push((name, seen.length_bytes)),
                // Dot files are other programs' work in progress, such as rsync's.
                None if seen.name.starts_with('.') => {}
                None => found.strangers.push(seen.name),
            }
        }
        Ok(found)
    }

    fn count_failed(&self) -> Result<(), SpoolError> {
        let mut tally = Tally::default();
        for seen in self.folders.list(Folder::Failed)? {
            match EntryName::parse(&seen.name) {
                Some(name) => tally.add(name, seen.length_bytes),
                None if is_reason(&seen.name) => {}
                None => tally.entries += 1,
            }
        }
        *self.failed() = tally;
        Ok(())
    }
}
