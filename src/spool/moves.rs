//! What happens to an entry after it was put: read, moved on, removed, set aside.

use std::io;
use std::path::{Path, PathBuf};

use super::entry::{Content, encode_publish};
use super::error::SpoolError;
use super::folders::State;
use super::name::EntryName;
use super::wait_queue::occupied_bytes;
use super::wait_queues::Entry;
use super::{Inner, Spool};
use crate::crash::CrashReport;

impl Spool {
    /// One that is to be published and may have to wait for long: what is left of it is its id. Failing does no harm, the
    /// larger file says the same.
    ///
    /// # Errors
    /// The process ends. The entry is in the queue.
    pub async fn give_up_dumps(&self, mut entry: Entry) -> Result<Entry, SpoolError> {
        self.run(move |inner| {
            inner.give_up_dumps(&mut entry);
            Ok(entry)
        })
        .await
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
    pub(super) fn load(
        &self,
        name: EntryName,
        state: State,
        length_bytes: u64,
    ) -> Result<CrashReport, SpoolError> {
        let path = self.folders.path(state, name);
        let read = self.folders.read(&path, name);
        match read.and_then(|content| report_in(content, state, &path)) {
            Err(SpoolError::Corrupt { reason, .. }) => {
                let path = self.move_aside(name, state, length_bytes, &reason)?;
                Err(SpoolError::Corrupt { path, reason })
            }
            Err(error) if self.folders.lost_file(state, &error) => {
                self.queues.forget(state, name, length_bytes);
                Err(error)
            }
            other => other,
        }
    }

    pub(super) fn advance(&self, entry: Entry) -> Result<Entry, SpoolError> {
        if entry.state == State::Publish {
            return Ok(entry);
        }
        match self.folders.advance(entry.name) {
            Ok(()) => Ok(self.queues.advanced(entry)),
            Err(error) => {
                self.give_back(entry, &error);
                Err(error)
            }
        }
    }

    /// Replaces a published-to-be entry by one without the report, in one rename.
    ///
    /// A queue that is away for hours would otherwise fill the disk with reports that are saved. Failing does no harm:
    /// the larger file says the same.
    pub(super) fn give_up_dumps(&self, entry: &mut Entry) {
        let smaller = encode_publish(&entry.crash_id());
        if occupied_bytes(smaller.length_bytes) >= occupied_bytes(entry.length_bytes) {
            return;
        }
        let written = self.folders.write_incoming(entry.name, &smaller);
        match written.and_then(|()| self.folders.accept(entry.name, State::Publish)) {
            Ok(()) => self.queues.resized(entry, smaller.length_bytes),
            Err(_) => self.folders.drop_incoming(entry.name),
        }
    }

    pub(super) fn set_aside(&self, entry: Entry, reason: &str) -> Result<(), SpoolError> {
        match self.move_aside(entry.name, entry.state, entry.length_bytes, reason) {
            Ok(_path) => Ok(()),
            Err(error) => {
                self.give_back(entry, &error);
                Err(error)
            }
        }
    }

    fn move_aside(
        &self,
        name: EntryName,
        state: State,
        length_bytes: u64,
        reason: &str,
    ) -> Result<PathBuf, SpoolError> {
        let path = self.folders.set_aside(state, &name.to_string(), reason)?;
        self.queues.forget(state, name, length_bytes);
        self.failed().add(name, length_bytes);
        Ok(path)
    }

    pub(super) fn remove(&self, entry: Entry) -> Result<(), SpoolError> {
        match self.folders.remove(entry.name, entry.state) {
            Ok(()) => {
                entry.forget();
                Ok(())
            }
            Err(error) => {
                entry.defer();
                Err(error)
            }
        }
    }

    fn give_back(&self, entry: Entry, error: &SpoolError) {
        if self.folders.lost_file(entry.state, error) {
            entry.forget();
        } else {
            entry.defer();
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
