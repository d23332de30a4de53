//! Finding what lies in the folders: at start, and when somebody put something there.
//!
//! Lists names and sizes and opens nothing: 100,000 waiting reports are found in a third of a second, in one from a cold
//! disk.

use super::Inner;
use super::error::SpoolError;
use super::folders::{Folder, State, is_reason};
use super::line::Tally;
use super::name::EntryName;

/// What lies in `save/` or `publish/`.
#[derive(Default)]
struct Found {
    /// With their lengths in bytes.
    entries: Vec<(EntryName, u64)>,
    strangers: Vec<String>,
}

impl Inner {
    /// Lets nobody put or take before it is done; how many reports there are to be saved.
    pub(super) fn look_through(&self) -> Result<usize, SpoolError> {
        let recovered = if *self.looked_through.borrow() {
            Ok(())
        } else {
            self.recover()
        };
        let to_be_saved = self.lines.tally(State::Save).entries;
        // Also after an error: what was found is found, and new reports must be kept.
        self.looked_through.send_replace(true);
        recovered.map(|()| to_be_saved)
    }

    pub(super) async fn is_looked_through(&self) {
        // Fails when the sender is gone, which is a part of `self`.
        let _ = self.looked_through.subscribe().wait_for(|is| *is).await;
    }

    /// Before anybody else uses the spool.
    fn recover(&self) -> Result<(), SpoolError> {
        self.folders.clear_incoming()?;
        for state in [State::Publish, State::Save] {
            let found = self.found_in(state)?;
            for (name, length_bytes) in found.entries {
                if !self.lines.found(state, name, length_bytes) {
                    // In both: a power failure undid half of an advance. It is saved, so publishing it is all there is
                    // left to do. If this fails the next start does it.
                    let _ = self.folders.remove(name, State::Save);
                }
            }
            for name in found.strangers {
                // May be an entry that somebody renamed, so people should see it. If this fails it does no harm there.
                let reason = "its name is not that of an entry";
                let _ = self.folders.set_aside(state, &name, reason);
            }
        }
        self.count_failed()
    }

    /// While others use the spool; how many entries were new.
    pub(super) fn look_again(&self) -> Result<usize, SpoolError> {
        let mut new = 0;
        for state in [State::Publish, State::Save] {
            for (name, length_bytes) in self.found_in(state)?.entries {
                // Known ones are being worked on. An unknown one may have been finished since it was listed.
                if !self.lines.knows(name) && self.is_there(state, name) {
                    new += usize::from(self.lines.found(state, name, length_bytes));
                }
            }
        }
        self.count_failed()?;
        Ok(new)
    }

    fn is_there(&self, state: State, name: EntryName) -> bool {
        let path = self.folders.path(state, name);
        self.folders.disk().open(&path).is_ok()
    }

    fn found_in(&self, state: State) -> Result<Found, SpoolError> {
        let mut found = Found::default();
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
