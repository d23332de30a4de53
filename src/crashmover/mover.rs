//! One report from the queue to crash storage, and its id on to the publishers.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use crate::crash::CrashReport;
use crate::crash_storage::{StorageError, StorageErrorKind};
use crate::fail_point;
use crate::metrics::{Count, Fate, Timing};

use super::pending::{Attempt, ClientAnswer, PendingReport};
use super::publish::Unpublished;
use super::retry::{Backoff, pause};
use super::{Crashmover, NotKept};

/// Between attempts that never end. Storage that is back is noticed within the longer time.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(200);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(15);

impl Crashmover {
    /// Takes reports from the queue until it is told to finish and none is left.
    pub(super) async fn work(self: Arc<Self>) {
        while let Some(attempt) = self.next_report().await {
            let pending = self.at_work.begin(attempt);
            let failed = self.handle(&pending).await.err();
            let attempt = self.at_work.end(&pending);
            if let (Some(error), Some(attempt)) = (failed, attempt)
                && attempt.fail(NotKept::SaveFailed)
            {
                self.dropped(&pending, &error.to_string());
            }
        }
    }

    async fn next_report(&self) -> Option<Attempt> {
        let mut receiver = self.receiver.lock().await;
        tokio::select! {
            biased;
            () = self.stop.cancelled() => {
                receiver.close();
                receiver.recv().await
            }
            attempt = receiver.recv() => attempt,
        }
    }

    async fn handle(self: &Arc<Self>, pending: &Arc<PendingReport>) -> Result<(), StorageError> {
        // Nothing to do for a report that went into the spool while it waited here.
        let Some(report) = pending.begin_saving() else {
            return Ok(());
        };
        let started = Instant::now();
        if let Err(error) = self.save(pending, &report).await {
            if let Some(entry) = pending.not_saved() {
                let id = &pending.id;
                tracing::warn!(crash_id = %id, %error, "{id} not saved yet, stays in the spool");
                entry.defer();
            }
            return Err(error);
        }
        drop(report);
        let took = started.elapsed();
        self.wait_estimate.saved(took);
        self.metrics.time(Timing::CrashSave, took);
        self.saved(pending).await;
        Ok(())
    }

    /// Tries until it is saved, or is in the spool, or is not worth another attempt. What is acknowledged always is.
    async fn save(
        self: &Arc<Self>,
        pending: &Arc<PendingReport>,
        report: &CrashReport,
    ) -> Result<(), StorageError> {
        let mut endless = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        for attempts in 1.. {
            let Err(error) = self.save_once(report).await else {
                break;
            };
            self.try_spool(pending, &error).await;
            let is_transient = error.kind == StorageErrorKind::Transient;
            let pause = match pending.answer() {
                ClientAnswer::Spooled => return Err(error),
                ClientAnswer::Queued => endless.failed(),
                _ if is_transient && attempts < self.settings.max_attempts.get() => {
                    pause(self.settings.retry_sleep)
                }
                _ => return Err(error),
            };
            let id = &pending.id;
            self.metrics
                .count(Count::Retry("save_crash_exception.count"));
            tracing::warn!(crash_id = %id, %error, attempts, "{id} not saved yet, will be tried again");
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }

    /// One attempt; a panic in storage is a failure like any other.
    pub(super) async fn save_once(&self, report: &CrashReport) -> Result<(), StorageError> {
        fail_point::reach("save.before");
        let saving = AssertUnwindSafe(self.storage.save(report)).catch_unwind();
        let saved = saving.await.unwrap_or_else(|_panic| Err(panicked()));
        fail_point::reach("save.after");
        if saved.is_ok() {
            self.storage_health.worked();
        } else {
            self.metrics.count(Count::SaveCrashException);
            self.storage_failed();
        }
        saved
    }

    pub(super) fn storage_failed(&self) {
        self.storage_health.failed();
        self.tell_long_outage();
    }

    /// Once for each outage: reports that wait are nobody's loss yet, but somebody has to act.
    pub(super) fn tell_long_outage(&self) {
        if let Some(lasts) = self.storage_health.long_outage() {
            let seconds = lasts.as_secs();
            tracing::error!(
                seconds,
                "crash storage has done nothing but fail for a while: look at the errors before this"
            );
        }
    }

    /// Storage has refused: the spool is the better place to wait.
    async fn try_spool(self: &Arc<Self>, pending: &Arc<PendingReport>, error: &StorageError) {
        let is_only_here = matches!(pending.answer(), ClientAnswer::Open | ClientAnswer::Queued);
        if let (Some(spool), true) = (&self.spool, is_only_here) {
            let id = &pending.id;
            tracing::warn!(crash_id = %id, %error, "{id} not saved, the spool is tried");
            // However it ends, the answer says so.
            let _ = self.start_put(spool, pending).await;
        }
    }

    async fn saved(&self, pending: &PendingReport) {
        let id = pending.id.clone();
        tracing::info!(crash_id = %id, "{id} saved");
        let entry = pending.take_entry();
        let was_spooled = entry.is_some();
        // Before its client is told, so that it is published even if the process dies then.
        let Ok(entry) = self.publish.remember(&id, entry).await else {
            pending.saved();
            return;
        };
        fail_point::reach("saved.remembered");
        self.publish
            .add(Unpublished::new(id.clone(), pending.accepted, entry));
        let (answer, late_entry) = pending.saved();
        if let (ClientAnswer::Refused(_), false, None) = (answer, was_spooled, &late_entry) {
            self.metrics.count(Count::SavedLate);
            tracing::warn!(crash_id = %id, "{id} saved late: its client was told that it was not kept");
        } else {
            self.metrics.count(Count::Fate(Fate::Saved));
        }
        if let (Some(spool), Some(entry)) = (&self.spool, late_entry) {
            self.discard(spool, entry).await;
        }
    }

    /// The report is lost. Whoever waits for it is told so.
    pub(super) fn dropped(&self, pending: &PendingReport, error: &str) {
        let id = &pending.id;
        self.metrics.count(Count::SaveCrashDropped);
        if pending.answer() == ClientAnswer::Queued {
            self.metrics.count(Count::Fate(Fate::Failed));
        }
        tracing::error!(crash_id = %id, error, "{id} dropped: it could not be saved");
    }
}

fn panicked() -> StorageError {
    let why = "the collector itself failed";
    StorageError::new(StorageErrorKind::Transient, "saving a report", why)
}
