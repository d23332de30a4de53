//! Bringing a report into the spool: write, fsync, rename, fsync of the folder, and only then yes.

use std::io;
use std::time::Instant;

use tokio::sync::oneshot;

use super::entry::{Encoded, encode_publish, encode_report};
use super::error::{SpoolError, again};
use super::folders::{Folder, State};
use super::group_sync::{GroupSync, Ticket};
use super::name::PackedId;
use super::wait_queues::Entry;
use super::{Inner, Spool, stopped};
use crate::crash::{CrashId, CrashReport};

type Kept = Result<Entry, SpoolError>;

/// A report that lies in its folder under a name that is not durable yet.
pub(super) struct Put {
    entry: Entry,
    done: oneshot::Sender<Kept>,
}

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
        let (done, kept) = oneshot::channel();
        // Not awaited: the thread may go on with the folder fsyncs of others when this report is long kept.
        self.start(move |inner| inner.keep(state, &id, encode(), done))
            .await;
        let kept = kept.await.unwrap_or_else(|gone| Err(stopped(gone)));
        let was_refused = matches!(kept, Err(SpoolError::Io { .. }));
        *self.inner.refused() = was_refused.then(Instant::now);
        kept
    }
}

impl Inner {
    fn keep(&self, state: State, id: &CrashId, encoded: Encoded, done: oneshot::Sender<Kept>) {
        let written = self.write(state, id, &encoded);
        // Not to be held in memory while this thread does the fsyncs of others.
        drop(encoded);
        match written {
            Ok((entry, ticket)) => self.sync_of(state).join(
                ticket,
                Put { entry, done },
                || self.folders.sync(state),
                |group, synced| self.settle(group, &synced),
            ),
            Err(error) => {
                let _ = done.send(Err(error));
            }
        }
    }

    fn sync_of(&self, state: State) -> &GroupSync<Put> {
        match state {
            State::Save => &self.save_sync,
            State::Publish => &self.publish_sync,
        }
    }

    fn write(
        &self,
        state: State,
        id: &CrashId,
        encoded: &Encoded,
    ) -> Result<(Entry, Ticket), SpoolError> {
        let entry = self.reserve(state, id, encoded.length_bytes)?;
        let ticket = self.sync_of(state).ticket();
        if let Err(error) = self.folders.write_incoming(entry.name, encoded) {
            self.folders.drop_incoming(entry.name);
            entry.forget();
            return Err(self.full_if_no_room(error));
        }
        if let Err(error) = self.folders.accept(entry.name, state) {
            self.folders.drop_incoming(entry.name);
            self.withdraw(entry);
            return Err(self.full_if_no_room(error));
        }
        Ok((entry, ticket))
    }

    fn reserve(&self, state: State, id: &CrashId, length_bytes: u64) -> Kept {
        let packed = PackedId::pack(id).ok_or_else(|| not_to_be_kept(id))?;
        let limit_bytes = match state {
            State::Save => self.capacity.max_bytes(),
            State::Publish => self.capacity.max_with_publish_bytes(),
        };
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

    /// Tells everyone in a group how the fsync of their folder went.
    fn settle(&self, group: Vec<Put>, synced: &io::Result<()>) {
        for Put { entry, done } in group {
            let kept = match synced {
                Ok(()) => Ok(entry),
                Err(error) => {
                    let dir = self.folders.dir(Folder::from(entry.state));
                    self.withdraw(entry);
                    Err(SpoolError::io("fsync the folder", &dir, again(error)))
                }
            };
            // If nobody waits any more the entry is dropped here, which lets it wait in the queue.
            let _ = done.send(kept);
        }
    }

    /// Undoes a put. If its file cannot be removed the entry waits like others: kept twice is better than unaccounted.
    fn withdraw(&self, entry: Entry) {
        if self.folders.withdraw(entry.name, entry.state) {
            entry.forget();
        }
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
