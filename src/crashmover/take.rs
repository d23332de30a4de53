//! Taking a report: until its client may be told yes, within the time a client waits.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Permit;
use tokio::time::{Instant, timeout_at};

use crate::crash::CrashReport;
use crate::settings::Acknowledge;
use crate::spool::Spool;

use super::pending::{Attempt, BufferedReport, ClientAnswer, PendingReport};
use super::{Crashmover, NotKept, Receipt, Reservation};

impl Crashmover {
    /// Keeps a report: returns when its client may be told so, within the acknowledgement's time.
    ///
    /// # Errors
    /// See [`NotKept`].
    pub async fn take(
        self: &Arc<Self>,
        report: CrashReport,
        reservation: Reservation,
    ) -> Result<Receipt, NotKept> {
        let _taking = self.taking.token();
        let deadline = Instant::now() + self.settings.ack_timeout;
        let pending = PendingReport::new(BufferedReport::new(report, reservation));
        match (self.settings.acknowledge, &self.spool) {
            (Acknowledge::Queued, spool) => {
                self.take_queued(&pending, spool.as_ref(), deadline).await
            }
            (_, None) => self.take_saved(&pending, deadline).await,
            (Acknowledge::Saved, Some(spool)) if !self.storage_health.is_suspect() => {
                self.take_saved_or_spooled(&pending, spool, deadline).await
            }
            (_, Some(spool)) => {
                self.take_spooled(&pending, spool, ClientAnswer::Open, deadline)
                    .await
            }
        }
    }

    /// In the queue is enough.
    async fn take_queued(
        self: &Arc<Self>,
        pending: &Arc<PendingReport>,
        spool: Option<&Spool>,
        deadline: Instant,
    ) -> Result<Receipt, NotKept> {
        use ClientAnswer::Queued;
        match (self.free_place(), spool) {
            (Some(place), _) => {
                pending.settle(Queued);
                place.send(pending.attempt());
                Ok(Receipt)
            }
            (None, Some(spool)) => self.take_spooled(pending, spool, Queued, deadline).await,
            (None, None) => self.await_place(pending.attempt(), Queued, deadline).await,
        }
    }

    /// Saved, or not kept.
    async fn take_saved(
        self: &Arc<Self>,
        pending: &Arc<PendingReport>,
        deadline: Instant,
    ) -> Result<Receipt, NotKept> {
        // Many may have been let in while the line was short. Better told now than saved when the client is gone.
        if self.is_late_after(self.settings.ack_timeout / 4 * 3) {
            return Err(NotKept::QueueFull);
        }
        self.await_place(pending.attempt(), ClientAnswer::Open, deadline)
            .await
    }

    /// Saved if storage is quick enough, else in the spool; whichever is first.
    async fn take_saved_or_spooled(
        self: &Arc<Self>,
        pending: &Arc<PendingReport>,
        spool: &Spool,
        deadline: Instant,
    ) -> Result<Receipt, NotKept> {
        let Some(place) = self.free_place() else {
            self.start_put(spool, pending);
            return self.answered(pending, deadline).await;
        };
        place.send(pending.attempt());
        let patience = deadline - self.time_for_second_way();
        if timeout_at(patience, pending.settled()).await.is_err() {
            // Storage hangs: those who come next need not find out for themselves.
            self.storage_failed();
            self.start_put(spool, pending);
        }
        self.answered(pending, deadline).await
    }

    /// In the spool first, and where that fails or takes long, in the queue; `queued` is the answer that goes with it.
    ///
    /// A mover gets it from memory if one will soon be free, else from the spool: what is safe on disk need not take
    /// memory from what is not.
    async fn take_spooled(
        self: &Arc<Self>,
        pending: &Arc<PendingReport>,
        spool: &Spool,
        queued: ClientAnswer,
        deadline: Instant,
    ) -> Result<Receipt, NotKept> {
        self.tell_long_outage();
        let attempt = pending.attempt();
        let put = self.start_put(spool, pending);
        // However it ends, the answer says so.
        let _ = timeout_at(deadline - self.time_for_second_way(), put).await;
        match pending.answer() {
            ClientAnswer::Open => self.await_place(attempt, queued, deadline).await,
            _ => self.answered(pending, deadline).await,
        }
    }

    /// Into the queue as soon as there is a place, unless the report is kept before; `queued` is its answer then.
    async fn await_place(
        &self,
        attempt: Attempt,
        queued: ClientAnswer,
        deadline: Instant,
    ) -> Result<Receipt, NotKept> {
        let pending = attempt.pending().clone();
        let queue = async {
            match timeout_at(deadline, self.sender.reserve()).await {
                Ok(Ok(place)) if !self.stop.is_cancelled() => {
                    pending.settle(queued);
                    place.send(attempt);
                }
                _ => drop(attempt.fail(NotKept::QueueFull)),
            }
        };
        tokio::select! {
            biased;
            () = queue => {}
            _ = pending.settled() => {}
        }
        self.answered(&pending, deadline).await
    }

    /// What the client is told, as soon as that is known and no later than the deadline.
    async fn answered(
        &self,
        pending: &PendingReport,
        deadline: Instant,
    ) -> Result<Receipt, NotKept> {
        let in_time = timeout_at(deadline, pending.settled()).await;
        let answer = in_time.unwrap_or_else(|_late| {
            let id = &pending.id;
            tracing::error!(crash_id = %id, "{id} not saved in time: its client is told that it is not kept");
            pending.settle(ClientAnswer::Refused(NotKept::TooSlow))
        });
        match answer {
            ClientAnswer::Refused(_) if self.spool.is_some() => Err(NotKept::SpoolFull),
            ClientAnswer::Refused(why) => Err(why),
            _ => Ok(Receipt),
        }
    }

    /// A place in the queue. None is given away once the process stops: nobody may see to the report then.
    pub(super) fn free_place(&self) -> Option<Permit<'_, Attempt>> {
        let place = self.sender.try_reserve().ok();
        place.filter(|_| !self.stop.is_cancelled())
    }

    /// A place in the queue if storage works and a mover is free, or will be as soon as it is done. Where the queue is
    /// enough to be acknowledged, its places are for those that have no better one.
    pub(super) fn free_mover(&self) -> Option<Permit<'_, Attempt>> {
        let is_free = self.settings.acknowledge != Acknowledge::Queued
            && !self.storage_health.is_failing()
            && self.waiting() < self.settings.concurrent_crashmovers;
        is_free.then(|| self.free_place()).flatten()
    }

    /// The end of the acknowledgement's time, in which the second way to keep a report is tried beside the first.
    fn time_for_second_way(&self) -> Duration {
        self.settings.ack_timeout / 4
    }
}
