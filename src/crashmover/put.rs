//! Into the spool: for whoever acknowledges on the strength of it, for a mover that storage refused, at the stop.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tracing::Instrument;

use crate::fail_point;
use crate::metrics::Count;
use crate::spool::{Entry, Spool};

use super::pending::{Attempt, BufferedReport, ClientAnswer, EntryIs, PendingReport};
use super::{Crashmover, NotKept};

impl Crashmover {
    /// Puts a report into the spool, if that helps its client and nobody else does so.
    ///
    /// In a task of its own: what is begun goes on, and holds its memory, even if nobody waits for it any more.
    pub(super) fn start_put(
        self: &Arc<Self>,
        spool: &Spool,
        pending: &Arc<PendingReport>,
    ) -> JoinHandle<()> {
        // Claimed at once, so that it counts as being tried from here on.
        let claimed = pending
            .begin_put()
            .map(|report| (report, pending.attempt()));
        let (crashmover, spool) = (self.clone(), spool.clone());
        let put = async move {
            if let Some((report, attempt)) = claimed {
                crashmover.put(&spool, report, attempt).await;
            }
        };
        tokio::spawn(put.in_current_span())
    }

    async fn put(&self, spool: &Spool, report: BufferedReport, attempt: Attempt) {
        let put = spool.put(&report).await;
        drop(report);
        let pending = attempt.pending().clone();
        let id = &pending.id;
        match put {
            Ok(entry) => self.spooled(spool, &pending, entry).await,
            Err(error) => {
                tracing::warn!(crash_id = %id, %error, "{id} cannot be spooled");
                pending.not_put();
                if attempt.fail(NotKept::SpoolFull) {
                    self.dropped(&pending, &error.to_string());
                }
            }
        }
    }

    async fn spooled(&self, spool: &Spool, pending: &Arc<PendingReport>, entry: Entry) {
        fail_point::reach("take.spooled");
        let id = &pending.id;
        let place = self.free_mover();
        let (answer, entry) = pending.put(entry, place.is_some());
        match (answer, entry, place) {
            (ClientAnswer::Saved, EntryIs::Free(entry), _) => {
                return self.discard(spool, entry).await;
            }
            (_, EntryIs::Waiting, Some(place)) => place.send(pending.attempt()),
            // Dropping a free entry lines it up with the others.
            _ => {}
        }
        if let ClientAnswer::Refused(_) = answer {
            self.metrics.count(Count::Resumed);
            tracing::warn!(crash_id = %id, "{id} spooled late: its client was told that it was not kept");
        } else {
            tracing::info!(crash_id = %id, "{id} spooled");
        }
    }

    /// Removes the entry of a report that is saved, and known to be. If that fails it is saved once more.
    pub(super) async fn discard(&self, spool: &Spool, entry: Entry) {
        if spool.remove(entry).await.is_err() {
            self.metrics.count(Count::Resumed);
        }
    }
}
