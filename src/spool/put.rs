//! Bringing a report into the spool: write, fsync, rename, fsync of the folder, and only then yes.

use std::io;
use std::time::Instant;

use super::entry::{Encoded, encode_publish, encode_report};
use super::error::SpoolError;
use super::folders::State;
use super::name::{EntryName, PackedId};
use super::wait_queues::Entry;
use super::{Inner, Spool};
use crate::crash::{CrashId, CrashReport};

type Kept = Result<Entry, SpoolError>;

impl Spool {
    /// Keeps a report to be saved. After `Ok` it survives whatever happens to this process or machine.
    ///
    /// The caller owns the entry: dropping it lets others save the report, `remove` says it is done. A caller who no longer
    /// waits does not stop the put; the report then waits in the queue although nobody was told yes.
    ///
    /// # Errors
    /// `Full`: a limit is reached, or the disk has no room. `Io`: the report was not kept.
    pub async fn put(&self, report: &CrashReport) -> Result<Entry, SpoolError> {
        let report = report.clone();
        let id = report.id.clone();
        self.keep(State::Save, id, move || encode_report(&report))
            .await
    }

    /// Keeps the id of a report that is saved and could not be published. As durable as `put`.
    ///
    /// # Errors
    /// As `put`; but the limits are looser, because such an entry takes one block and refusing it gains nothing.
    pub async fn put_publish(&self, id: &CrashId) -> Result<Entry, SpoolError> {
        let id = id.clone();
        self.keep(State::Publish, id.clone(), move || encode_publish(&id))
            .await
    }

    async fn keep(
        &self,
        state: State,
        id: CrashId,
        encode: impl FnOnce() -> Encoded + Send + 'static,
    ) -> Kept {
        // If nobody waits any more the entry is dropped, which lets it wait in the queue.
        let kept = self
            .run(move |inner| inner.keep(state, &id, encode()))
            .await;
        let was_refused = matches!(kept, Err(SpoolError::Io { .. }));
        *self.inner.refused() = was_refused.then(Instant::now);
        kept
    }
}

impl Inner {
    fn keep(&self, state: State, id: &CrashId, encoded: Encoded) -> Kept {
        let entry = self.reserve(state, id, encoded.length_bytes)?;
        if let Err(error) = self.write(entry.claim.name, &encoded) {
            self.folders.drop_incoming(entry.claim.name);
            entry.forget();
            return Err(self.full_if_no_room(error));
        }
        // Not to be held in memory while the disk is waited for.
        drop(encoded);
        match self.name(&entry) {
            Ok(()) => Ok(entry),
            Err(error) => {
                self.withdraw(entry);
                Err(self.full_if_no_room(error))
            }
        }
    }

    fn write(&self, name: EntryName, encoded: &Encoded) -> Result<(), SpoolError> {
        match self.folders.write_incoming(name, encoded) {
            Err(error) if error.is_not_found() && self.folder.restore(&self.folders)? => {
                self.folders.write_incoming(name, encoded)
            }
            written => written,
        }
    }

    /// Gives a written entry its name, durably.
    fn name(&self, entry: &Entry) -> Result<(), SpoolError> {
        let before = self.folders.ticket();
        self.folders.accept(entry.claim.name, entry.state)?;
        self.folders.sync(entry.state, before)
    }

    fn reserve(&self, state: State, id: &CrashId, length_bytes: u64) -> Kept {
        let packed = PackedId::pack(id).ok_or_else(|| not_to_be_kept(id))?;
        let limit_bytes = self.capacity.limit_bytes(state);
        let entry = self
            .queues
            .reserve(state, packed, length_bytes, limit_bytes)
            .map_err(|occupied| self.capacity.too_much_waiting(length_bytes, occupied))?;
        if state == State::Save
            && let Err(error) = self.capacity.take(self.folders.disk(), length_bytes)
        {
            entry.forget();
            return Err(error);
        }
        Ok(entry)
    }

    /// Undoes a put. If its file cannot be removed the entry waits like others: kept twice is better than unaccounted.
    fn withdraw(&self, entry: Entry) {
        let (name, is_gone) = (
            entry.claim.name,
            self.folders.withdraw(entry.claim.name, entry.state),
        );
        if is_gone {
            entry.forget();
        }
        self.folders.drop_incoming(name);
    }

    fn full_if_no_room(&self, error: SpoolError) -> SpoolError {
        match error {
            SpoolError::Io { source, .. }
                if matches!(
                    source.kind(),
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
                ) =>
            {
                self.capacity.disk_full(&source)
            }
            other => other,
        }
    }
}

fn not_to_be_kept(id: &CrashId) -> SpoolError {
    SpoolError::Io {
        doing: format!("put {id} into the spool"),
        source: io::Error::new(
            io::ErrorKind::InvalidInput,
            "the id is that of a crash that is not kept",
        ),
    }
}
