//! What happens to an entry after it was put: read, moved on, removed, set aside.

use std::io;
use std::path::{Path, PathBuf};

use super::entry::{Content, encode_publish};
use super::error::SpoolError;
use super::folders::State;
use super::wait_queue::{Claim, occupied_bytes};
use super::wait_queues::Entry;
use super::{Inner, Spool};
use crate::crash::CrashReport;

impl Spool {
    /// One that is to be published and may have to wait for long: what is left of it is its id. Failing does no harm, the
    /// larger file says the same.
    ///
    /// # Errors
    /// The process ends. The entry is in the queue.
    pub async fn give_up_dumps(&self, entry: Entry) -> Result<Entry, SpoolError> {
        self.run(move |inner| Ok(inner.give_up_dumps(entry))).await
    }

    /// Takes one out of the queue for good, to `failed/`: an operator has to decide.
    ///
    /// # Errors
    /// The entry is back at the end of its queue.
    pub async fn set_aside(&self, entry: Entry, reason: String) -> Result<(), SpoolError> {
        self.run(move |inner| inner.set_aside(entry, &reason)).await
    }
}

impl Inner {
    pub(super) fn load(&self, claim: Claim, state: State) -> Result<CrashReport, SpoolError> {
        let path = self.folders.path(state, claim.name);
        let read = self.folders.read(&path, claim.name);
        match read.and_then(|content| report_in(content, state, &path)) {
            Err(SpoolError::Corrupt { reason, .. }) => {
                let path = self.move_aside(claim, state, &reason)?;
                Err(SpoolError::Corrupt { path, reason })
            }
            Err(error) if self.folders.lost_file(state, &error) => {
                self.queues.forget(state, claim);
                Err(error)
            }
            other => other,
        }
    }

    pub(super) fn advance(&self, entry: Entry) -> Result<Entry, SpoolError> {
        if entry.state == State::Publish {
            return Ok(entry);
        }
        let advanced = self.folders.advance(entry.claim.name);
        let entry = self.given_back_if_failed(entry, advanced)?;
        Ok(self.queues.advanced(entry))
    }

    /// Replaces a published-to-be entry by one without the report, in one rename.
    ///
    /// A queue that is away for hours would otherwise fill the disk with reports that are saved. Failing does no harm:
    /// the larger file says the same.
    fn give_up_dumps(&self, mut entry: Entry) -> Entry {
        let (name, smaller) = (entry.claim.name, encode_publish(&entry.crash_id()));
        if occupied_bytes(smaller.length_bytes) < occupied_bytes(entry.claim.length_bytes) {
            let written = self.folders.write_incoming(name, &smaller);
            match written.and_then(|()| self.folders.accept(name, State::Publish)) {
                Ok(()) => self.queues.resized(&mut entry, smaller.length_bytes),
                Err(_) => self.folders.drop_incoming(name),
            }
        }
        entry
    }

    fn set_aside(&self, entry: Entry, reason: &str) -> Result<(), SpoolError> {
        let moved = self.move_aside(entry.claim, entry.state, reason);
        self.given_back_if_failed(entry, moved.map(drop))?;
        Ok(())
    }

    fn move_aside(&self, claim: Claim, state: State, reason: &str) -> Result<PathBuf, SpoolError> {
        let Claim {
            name, length_bytes, ..
        } = claim;
        let path = self.folders.set_aside(state, &name.to_string(), reason)?;
        self.queues.forget(state, claim);
        self.failed().add(name, length_bytes);
        Ok(path)
    }

    pub(super) fn remove(&self, entry: Entry) -> Result<(), SpoolError> {
        let removed = self.folders.remove(entry.claim.name, entry.state);
        self.given_back_if_failed(entry, removed)?.forget();
        Ok(())
    }

    /// At the end of its queue, unless its file is gone.
    fn given_back_if_failed(
        &self,
        entry: Entry,
        done: Result<(), SpoolError>,
    ) -> Result<Entry, SpoolError> {
        match done {
            Ok(()) => Ok(entry),
            Err(error) if self.folders.lost_file(entry.state, &error) => {
                entry.forget();
                Err(error)
            }
            Err(error) => {
                entry.defer();
                Err(error)
            }
        }
    }
}

fn report_in(content: Content, state: State, path: &Path) -> Result<CrashReport, SpoolError> {
    match (content, state) {
        (Content::Report(report), _) => Ok(report),
        (Content::Publish(_), State::Save) => Err(SpoolError::Corrupt {
            path: path.to_owned(),
            reason: "it holds a crash id only, no report to be saved".to_owned(),
        }),
        (Content::Publish(_), State::Publish) => Err(SpoolError::io(
            "load the report of",
            path,
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is saved; only its id is kept here",
            ),
        )),
    }
}
