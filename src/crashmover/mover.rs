//! One report from the queue to crash storage, and its id on to the publishers.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt;

use crate::crash::CrashReport;
use crate::crash_storage::{StorageError, StorageErrorKind};
use crate::fail_point;
use crate::metrics::{Count, Fate, Timing};
use crate::spool::Entry;

use super::job::{Job, Promise, Told};
use super::publish::Unpublished;
use super::{Crashmover, NotKept};

impl Crashmover {
    /// Takes reports from the queue until it is told to finish and none is left.
    pub(super) async fn work(self: Arc<Self>) {
        while let Some(job) = self.next_job().await {
            let promise = job.promise.clone();
            self.at_work.begin(&promise);
            if AssertUnwindSafe(self.handle(job))
                .catch_unwind()
                .await
                .is_err()
            {
                self.dropped(&promise, "the collector itself failed");
            }
            self.at_work.end(&promise);
        }
    }

    async fn next_job(&self) -> Option<Job> {
        let mut receiver = self.receiver.lock().await;
        tokio::select! {
            biased;
            job = receiver.recv() => job,
            () = self.stop.cancelled() => None,
        }
    }

    async fn handle(&self, job: Job) {
        // Nothing to do for a report that went into the spool while it waited here.
        let Some(report) = job.promise.report() else {
            return;
        };
        let started = Instant::now();
        let mut saved = self.save(&job.promise, &report, self.spool.is_none()).await;
        if let (Err(error), Some(spool), true) = (&saved, &self.spool, job.is_in_memory_only()) {
            self.trouble.failed();
            if self.put(spool, &report).await {
                let id = &report.id;
                tracing::warn!(crash_id = %id, %error, "{id} not saved, spooled");
                return;
            }
            // The spool is full: trying again is all that is left.
            saved = self.save(&job.promise, &report, true).await;
        }
        match saved {
            Ok(()) => {
                let took = started.elapsed();
                self.trouble.worked();
                self.pace.saved(took);
                self.metrics.time(Timing::CrashSave, took);
                self.saved(job).await;
            }
            Err(error) => {
                self.trouble.failed();
                self.not_saved(job, &error);
            }
        }
    }

    /// Without `again` it is tried once: where there is a spool, that is the better place to wait.
    async fn save(
        &self,
        promise: &Promise,
        report: &CrashReport,
        again: bool,
    ) -> Result<(), StorageError> {
        let id = &report.id;
        let is_transient = |error: &StorageError| error.kind == StorageErrorKind::Transient;
        fail_point::reach("save.before");
        let saved = self.retry.run(
            || self.storage.save(report),
            |error| again && is_transient(error) && promise.told() != Told::Spooled,
            |error, attempts| {
                self.trouble.failed();
                self.metrics.count(Count::SaveCrashException);
                self.metrics.count(Count::Retry("save_crash_exception.count"));
                tracing::warn!(crash_id = %id, %error, attempts, "{id} not saved yet, will be tried again");
            },
        );
        let saved = saved.await;
        fail_point::reach("save.after");
        saved
    }

    async fn saved(&self, job: Job) {
        let Job {
            promise,
            done,
            entry,
        } = job;
        let id = promise.id.clone();
        tracing::info!(crash_id = %id, "{id} saved");
        let told = promise.settle(Told::Kept);
        if told == Told::Spooled {
            // Its entry in the spool will be saved again, over this one, and published.
            return;
        }
        let entry = self.remember_to_publish(&promise, entry).await;
        fail_point::reach("saved.remembered");
        if told == Told::NotKept {
            self.metrics.count(Count::SavedLate);
            tracing::warn!(crash_id = %id, "{id} saved late: its client was told that it was not kept");
        } else {
            self.metrics.count(Count::Fate(Fate::Saved));
        }
        let accepted = promise.accepted;
        self.publish.add(Unpublished {
            id,
            accepted,
            entry,
        });
        answer(done, Ok(()));
    }

    /// Sees to it that the id is published even if the process dies now, where there is a spool.
    async fn remember_to_publish(&self, promise: &Promise, entry: Option<Entry>) -> Option<Entry> {
        let spool = self.spool.as_ref()?;
        let remembered = match entry {
            Some(entry) => spool.advance(entry).await,
            None if self.publish.is_silent() => return None,
            None => spool.put_publish(&promise.id).await,
        };
        let id = &promise.id;
        remembered
            .inspect_err(|error| {
                tracing::warn!(crash_id = %id, %error, "{id} saved; the spool cannot remember to publish it");
            })
            .ok()
    }

    fn not_saved(&self, job: Job, error: &StorageError) {
        self.metrics.count(Count::SaveCrashException);
        let id = &job.promise.id;
        if let Some(entry) = job.entry {
            tracing::warn!(crash_id = %id, %error, "{id} not saved yet, stays in the spool");
            entry.defer();
        } else if self.is_awaited(&job) {
            tracing::warn!(crash_id = %id, %error, "{id} not saved, the spool is tried");
        } else {
            self.dropped(&job.promise, &error.to_string());
        }
        answer(job.done, Err(NotKept::SaveFailed));
    }

    /// Whoever waits for the report has the spool to put it into, or has done so. Not if its client was told no already.
    fn is_awaited(&self, job: &Job) -> bool {
        self.spool.is_some() && job.done.is_some() && job.promise.told() != Told::NotKept
    }

    /// The report is lost; whoever waits for it is told so.
    pub(super) fn dropped(&self, promise: &Promise, error: &str) {
        let id = &promise.id;
        self.metrics.count(Count::SaveCrashDropped);
        if promise.settle(Told::NotKept) == Told::Kept {
            self.metrics.count(Count::Fate(Fate::Failed));
        }
        tracing::error!(crash_id = %id, error, "{id} dropped: it could not be saved");
    }
}

fn answer(
    done: Option<tokio::sync::oneshot::Sender<Result<(), NotKept>>>,
    result: Result<(), NotKept>,
) {
    if let Some(done) = done {
        // Whoever waited may have given up; the promise says what the client was told.
        let _ = done.send(result);
    }
}
