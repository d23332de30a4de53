//! Finishing what was taken when the process has to stop.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::crash::CrashId;
use crate::metrics::{Count, Fate};

use super::job::{Parcel, Promise, Told};
use super::{Crashmover, Sizes};

/// How often it is logged what is left to do.
const REPORT_EVERY: Duration = Duration::from_secs(2);
/// Time to put what is left into the spool, at the end of the time to stop.
const LAST_SECONDS: Duration = Duration::from_secs(5);

/// What could not be finished.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leftover {
    /// In the spool for the next process.
    pub spooled: Vec<CrashId>,
    /// Lost.
    pub unsaved: Vec<CrashId>,
    /// Saved, but nobody was told, and nobody will be.
    pub unpublished: Vec<CrashId>,
}

impl Crashmover {
    /// Saves what waits, then publishes what is saved. No report may be taken any more.
    ///
    /// Logs what is left as it shrinks. What is not finished in time goes to the spool, if there is one;
    /// `hurry` is the same as the end of the time.
    pub async fn drain(&self, time: Duration, hurry: &CancellationToken) -> Leftover {
        let deadline = Instant::now() + time - LAST_SECONDS.min(time / 4);
        let mut tasks = self.tasks.lock().await;
        self.stop.cancel();
        self.join(&mut tasks.movers, deadline, hurry).await;
        self.publish.finish();
        self.join(&mut tasks.publishers, deadline, hurry).await;
        let mut leftover = Leftover::default();
        for promise in self.unfinished().await {
            self.rescue(&promise, &mut leftover).await;
        }
        for (id, is_remembered) in self.publish.left() {
            if !is_remembered {
                self.remember(id, &mut leftover).await;
            }
        }
        leftover
    }

    async fn join(&self, tasks: &mut JoinSet<()>, deadline: Instant, hurry: &CancellationToken) {
        let mut report = tokio::time::interval(REPORT_EVERY);
        report.tick().await;
        loop {
            tokio::select! {
                joined = tasks.join_next() => if joined.is_none() { return },
                () = tokio::time::sleep_until(deadline) => return tasks.shutdown().await,
                () = hurry.cancelled() => return tasks.shutdown().await,
                _ = report.tick() => {
                    let Sizes { save_queue, work_queue, publish_queue, .. } = self.sizes();
                    tracing::info!(save_queue, work_queue, publish_queue, "stopping: waiting for what is left to do");
                }
            }
        }
    }

    /// Promises that nobody works on any more: of aborted movers, and of the queue.
    async fn unfinished(&self) -> Vec<Arc<Promise>> {
        let mut receiver = self.receiver.lock().await;
        let mut unfinished = self.at_work.take_all();
        while let Ok(job) = receiver.try_recv() {
            // A job with an entry is in the spool already; dropping the entry leaves it there.
            if job.entry.is_none() {
                unfinished.push(job.promise);
            }
        }
        unfinished
    }

    async fn rescue(&self, promise: &Promise, leftover: &mut Leftover) {
        let Some(Parcel { report, .. }) = promise.take() else {
            return;
        };
        let id = report.id.clone();
        if promise.told() == Told::NotKept {
            // Nothing was promised, but until now it could still be saved late.
            return self.dropped(promise, "not saved before the process had to stop");
        }
        let put = match &self.spool {
            Some(spool) => spool.put(&report).await.map_err(|error| error.to_string()),
            None => Err("there is no spool".to_owned()),
        };
        match put {
            Ok(_entry) => {
                self.metrics.count(Count::Fate(Fate::Spooled));
                tracing::info!(crash_id = %id, "{id} spooled: not saved before the process had to stop");
                leftover.spooled.push(id);
            }
            Err(error) => {
                self.dropped(
                    promise,
                    &format!("not saved before the process had to stop, and {error}"),
                );
                leftover.unsaved.push(id);
            }
        }
    }

    async fn remember(&self, id: CrashId, leftover: &mut Leftover) {
        let is_remembered = match &self.spool {
            Some(spool) => spool.put_publish(&id).await.is_ok(),
            None => false,
        };
        if !is_remembered {
            self.metrics.count(Count::PublishCrashDropped);
            tracing::error!(crash_id = %id, "{id} saved, but not published before the process had to stop: publish its id by hand");
            leftover.unpublished.push(id);
        }
    }
}
