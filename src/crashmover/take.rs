//! Taking a report: until its client may be told yes, within the time a client waits.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::crash::CrashReport;
use crate::fail_point;
use crate::metrics::Count;
use crate::spool::Spool;

use super::job::{Job, Parcel, Promise, Told};
use super::{Acknowledge, Crashmover, NotKept, Receipt, Reservation};

/// What a mover says when it is done with a report.
type Saved = oneshot::Receiver<Result<(), NotKept>>;

impl Crashmover {
    /// Keeps a report: returns when its client may be told so, within the acknowledgement's time.
    ///
    /// # Errors
    /// See [`NotKept`].
    pub async fn take(
        &self,
        report: CrashReport,
        reservation: Reservation,
    ) -> Result<Receipt, NotKept> {
        let deadline = Instant::now() + self.ack_timeout;
        let parcel = Parcel::new(report, reservation);
        match (self.acknowledge, &self.spool) {
            (Acknowledge::Queued, spool) => {
                self.take_queued(parcel, spool.as_ref(), deadline).await
            }
            (Acknowledge::Saved, None) => self.take_saved(parcel, deadline).await,
            (Acknowledge::Saved, Some(spool)) if self.trouble.is_on() => {
                self.take_spooled(parcel, spool, deadline).await
            }
            (Acknowledge::Saved, Some(spool)) => {
                self.take_saved_or_spooled(parcel, spool, deadline).await
            }
            (Acknowledge::Spooled, spool) => match spool {
                Some(spool) => self.take_spooled(parcel, spool, deadline).await,
                None => self.take_saved(parcel, deadline).await,
            },
        }
    }

    /// In the queue is enough.
    async fn take_queued(
        &self,
        parcel: Parcel,
        spool: Option<&Spool>,
        deadline: Instant,
    ) -> Result<Receipt, NotKept> {
        if let Some(spool) = spool
            && self.sender.capacity() == 0
            && self.put(spool, &parcel.report).await
        {
            return Ok(Receipt);
        }
        let job = Job {
            promise: Promise::new(parcel, Told::Kept),
            done: None,
            entry: None,
        };
        self.send(job, deadline).await.map(|()| Receipt)
    }

    /// Saved, or not kept.
    async fn take_saved(&self, parcel: Parcel, deadline: Instant) -> Result<Receipt, NotKept> {
        // Many may have been let in while the line was short. Better told now than saved when the client is gone.
        if self.is_late_after(self.ack_timeout / 4 * 3) {
            return Err(NotKept::QueueFull);
        }
        let (promise, saved, job) = waiting(parcel);
        self.send(job, deadline).await?;
        self.await_saved(&promise, saved, deadline).await
    }

    async fn await_saved(
        &self,
        promise: &Promise,
        mut saved: Saved,
        deadline: Instant,
    ) -> Result<Receipt, NotKept> {
        if let Ok(result) = timeout_at(deadline, &mut saved).await {
            return result.unwrap_or(Err(NotKept::SaveFailed)).map(|()| Receipt);
        }
        let id = &promise.id;
        if promise.settle(Told::NotKept) == Told::Kept {
            // Saved this very moment; the mover is making sure that it will be published.
            return saved
                .await
                .unwrap_or(Err(NotKept::SaveFailed))
                .map(|()| Receipt);
        }
        tracing::error!(crash_id = %id, "{id} not saved in time: its client is told that it is not kept");
        Err(NotKept::TooSlow)
    }

    /// Saved if storage is quick enough, else in the spool.
    async fn take_saved_or_spooled(
        &self,
        parcel: Parcel,
        spool: &Spool,
        deadline: Instant,
    ) -> Result<Receipt, NotKept> {
        let report = parcel.report.clone();
        let (promise, mut saved, job) = waiting(parcel);
        let result = match self.sender.try_send(job) {
            Ok(()) => timeout_at(deadline - self.time_to_spool(), &mut saved)
                .await
                .ok(),
            Err(_full) => Some(Ok(Err(NotKept::QueueFull))),
        };
        match result {
            Some(Ok(Ok(()))) => return Ok(Receipt),
            // Storage hangs: those who come next need not find out for themselves.
            None => self.trouble.failed(),
            Some(_) => {}
        }
        match spool.put(&report).await {
            Ok(entry) => {
                if promise.settle(Told::Spooled) == Told::Kept {
                    // Saved meanwhile. The entry goes only when the mover has seen to the publishing as well; else, or
                    // should the removal fail, the report is saved and published once more.
                    if let Ok(Ok(())) = saved.await {
                        let _ = spool.remove(entry).await;
                    }
                    return Ok(Receipt);
                }
                tracing::info!(crash_id = %promise.id, "{} spooled", promise.id);
                Ok(Receipt)
            }
            Err(error) => {
                tracing::error!(crash_id = %promise.id, %error, "{} cannot be spooled", promise.id);
                match result {
                    // Storage is slow, but may make it yet.
                    None => self.await_without_spool(&promise, saved, deadline).await,
                    Some(_) => Err(self.lost(&promise)),
                }
            }
        }
    }

    /// Saved after all, where the spool took nothing.
    async fn await_without_spool(
        &self,
        promise: &Promise,
        saved: Saved,
        deadline: Instant,
    ) -> Result<Receipt, NotKept> {
        match self.await_saved(promise, saved, deadline).await {
            Ok(receipt) => Ok(receipt),
            Err(NotKept::SaveFailed) => Err(self.lost(promise)),
            // A mover still has it, and counts it as late or dropped.
            Err(_) => Err(NotKept::SpoolFull),
        }
    }

    /// In the spool first. A mover gets it from memory if one will soon be free, else from the spool: what is safe on
    /// disk need not take memory from what is not.
    async fn take_spooled(
        &self,
        parcel: Parcel,
        spool: &Spool,
        deadline: Instant,
    ) -> Result<Receipt, NotKept> {
        match spool.put(&parcel.report).await {
            Ok(entry) => {
                fail_point::reach("take.spooled");
                if !self.trouble.is_on() && self.waiting() < self.movers {
                    let job = Job {
                        promise: Promise::new(parcel, Told::Kept),
                        done: None,
                        entry: Some(entry),
                    };
                    // What does not fit goes back to the spool's line, like what is not sent.
                    let _ = self.sender.try_send(job);
                }
                Ok(Receipt)
            }
            Err(error) => {
                let id = &parcel.report.id;
                tracing::warn!(crash_id = %id, %error, "{id} cannot be spooled, storage is tried");
                let (promise, saved, job) = waiting(parcel);
                if self.send(job, deadline).await.is_err() {
                    return Err(self.lost(&promise));
                }
                self.await_without_spool(&promise, saved, deadline).await
            }
        }
    }

    /// True if the report is in the spool now, for whoever moves on what waits there.
    pub(super) async fn put(&self, spool: &Spool, report: &CrashReport) -> bool {
        let put = spool.put(report).await;
        if let Err(error) = &put {
            tracing::warn!(crash_id = %report.id, %error, "{} cannot be spooled", report.id);
        }
        put.is_ok()
    }

    async fn send(&self, job: Job, deadline: Instant) -> Result<(), NotKept> {
        match timeout_at(deadline, self.sender.send(job)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(mpsc::error::SendError(_))) | Err(_) => Err(NotKept::QueueFull),
        }
    }

    fn lost(&self, promise: &Promise) -> NotKept {
        let id = &promise.id;
        promise.settle(Told::NotKept);
        self.metrics.count(Count::SaveCrashDropped);
        tracing::error!(crash_id = %id, "{id} dropped: neither storage nor spool took it; its client is told so");
        NotKept::SpoolFull
    }

    /// The end of the acknowledgement's time that is left for the spool.
    fn time_to_spool(&self) -> Duration {
        self.ack_timeout / 4
    }
}

fn waiting(parcel: Parcel) -> (Arc<Promise>, Saved, Job) {
    let (done, saved) = oneshot::channel();
    let promise = Promise::new(parcel, Told::Nothing);
    let job = Job {
        promise: promise.clone(),
        done: Some(done),
        entry: None,
    };
    (promise, saved, job)
}
