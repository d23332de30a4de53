//! Finishing what was taken when the process has to stop.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::crash::CrashId;
use crate::metrics::{Count, Fate};

use super::pending::{Attempt, ClientAnswer};
use super::{Crashmover, NotKept, Sizes};

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
    /// Saves what waits, then publishes what is saved. What is taken from now on goes to the spool, or is refused.
    ///
    /// Logs what is left as it shrinks. What is not finished in time goes to the spool, if there is one;
    /// `hurry` is the same as the end of the time.
    pub async fn drain(self: &Arc<Self>, time: Duration, hurry: &CancellationToken) -> Leftover {
        let last_seconds = LAST_SECONDS.min(time / 4);
        let deadline = Instant::now() + time - last_seconds;
        let mut tasks = self.tasks.lock().await;
        self.stop.cancel();
        self.join(&mut tasks.movers, deadline, hurry).await;
        let end = Instant::now() + last_seconds;
        self.publish.line().finish();
        let ((), mut leftover) = tokio::join!(
            self.join(&mut tasks.publishers, end - last_seconds / 2, hurry),
            self.rescue_all(end),
        );
        leftover.unpublished = self.remember_all(end).await;
        // Those that came late have gone to the spool: their clients are told as soon as they are there.
        self.taking.close();
        let _ = timeout_at(end, self.taking.wait()).await;
        leftover
    }

    async fn join(&self, tasks: &mut JoinSet<()>, deadline: Instant, hurry: &CancellationToken) {
        let mut report = tokio::time::interval(REPORT_EVERY);
        report.tick().await;
        loop {
            tokio::select! {
                joined = tasks.join_next() => if joined.is_none() { return },
                () = sleep_until(deadline) => return tasks.shutdown().await,
                () = hurry.cancelled() => return tasks.shutdown().await,
                _ = report.tick() => {
                    let Sizes { save_queue, work_queue, publish_queue, .. } = self.sizes();
                    tracing::info!(save_queue, work_queue, publish_queue, "stopping: waiting for what is left to do");
                }
            }
        }
    }

    /// Puts everything that nobody works on any more into the spool: at once, so that a slow disk does so together.
    async fn rescue_all(self: &Arc<Self>, end: Instant) -> Leftover {
        let unfinished = self.unfinished().await;
        let rescues = unfinished.into_iter().map(|it| self.rescue(it, end));
        let mut leftover = Leftover::default();
        for (id, is_spooled) in join_all(rescues).await.into_iter().flatten() {
            match is_spooled {
                true => leftover.spooled.push(id),
                false => leftover.unsaved.push(id),
            }
        }
        leftover
    }

    /// Of aborted movers, and of the queue, which is closed.
    async fn unfinished(&self) -> Vec<Attempt> {
        let mut receiver = self.receiver.lock().await;
        receiver.close();
        let mut unfinished = self.at_work.take_all();
        while let Some(attempt) = receiver.recv().await {
            unfinished.push(attempt);
        }
        unfinished
    }

    /// What was put into the spool, or else lost, although its client was told yes. Nothing if it needed no rescue.
    async fn rescue(self: &Arc<Self>, attempt: Attempt, end: Instant) -> Option<(CrashId, bool)> {
        let pending = attempt.pending().clone();
        let (id, before) = (pending.id.clone(), pending.answer());
        // Without a mover an entry waits like any other.
        drop(pending.not_saved());
        if let Some(spool) = &self.spool {
            drop(self.start_put(spool, &pending));
        }
        let answer = timeout_at(end, pending.put_over()).await;
        if answer == Ok(ClientAnswer::Spooled) && before != ClientAnswer::Spooled {
            self.metrics.count(Count::Fate(Fate::Spooled));
            return Some((id, true));
        }
        if answer.is_ok() && !attempt.fail(NotKept::SaveFailed) {
            return None;
        }
        self.dropped(&pending, "not saved before the process had to stop");
        (pending.answer() == ClientAnswer::Queued).then_some((id, false))
    }

    /// The ids that nobody will publish: the spool did not take them, or there is none.
    async fn remember_all(&self, end: Instant) -> Vec<CrashId> {
        let left = self.publish.line().left();
        let remembered = left.into_iter().map(async |id| {
            let remembered = timeout_at(end, self.publish.remember(&id, None)).await;
            (!matches!(remembered, Ok(Ok(Some(_))))).then_some(id)
        });
        let forgotten: Vec<_> = join_all(remembered).await.into_iter().flatten().collect();
        for id in &forgotten {
            self.metrics.count(Count::PublishCrashDropped);
            tracing::error!(crash_id = %id, "{id} saved, but not published before the process had to stop: publish its id by hand");
        }
        forgotten
    }
}
