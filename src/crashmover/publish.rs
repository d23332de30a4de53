//! Ids of saved reports on their way to the queue: in batches when several wait, again and again until the queue takes
//! them. With a spool, what is still to be published is remembered on disk.

mod line;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::task::JoinSet;

use crate::crash::CrashId;
use crate::crash_publish::{CrashPublisher, PublishError, PublishErrorKind};
use crate::fail_point;
use crate::metrics::{Count, Metrics, Timing};
use crate::spool::{Entry, Spool, SpoolError};

use super::backend_health::BackendHealth;
use super::outlive_panics;
use super::retry::Backoff;
use line::Line;
pub use line::Unpublished;

/// Calls to the queue that may be under way at once.
const PUBLISHERS: usize = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Of an id that the queue refuses again and again while it takes others, this is enough.
const REFUSALS: u32 = 3;

/// The ids that wait, and the tasks that publish them.
pub struct PublishQueue {
    publisher: Arc<dyn CrashPublisher>,
    spool: Option<Spool>,
    metrics: Metrics,
    line: Line,
    health: BackendHealth,
}

impl PublishQueue {
    /// `backlog` ids may wait; what is beyond waits in the spool, or is dropped with an error.
    pub fn new(
        publisher: Arc<dyn CrashPublisher>,
        spool: Option<Spool>,
        backlog: usize,
        metrics: Metrics,
    ) -> Arc<Self> {
        Arc::new(Self {
            line: Line::new(backlog, publisher.largest_batch()),
            publisher,
            spool,
            metrics,
            health: BackendHealth::default(),
        })
    }

    /// Starts the tasks; each ends when the line was finished and nothing waits.
    pub fn start(self: &Arc<Self>) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for _ in 0..PUBLISHERS {
            let queue = self.clone();
            tasks.spawn(outlive_panics(move || queue.clone().work()));
        }
        tasks
    }

    /// The ids that wait.
    pub fn line(&self) -> &Line {
        &self.line
    }

    /// Sees to it that a saved report is published even if the process dies now, where somebody is told and there is a
    /// spool. `entry` is where the report is in the spool; what is returned, where the spool remembers its id.
    ///
    /// # Errors
    /// The report is still in the spool and will be saved again.
    pub async fn remember(
        &self,
        id: &CrashId,
        entry: Option<Entry>,
    ) -> Result<Option<Entry>, SpoolError> {
        let Some(spool) = &self.spool else {
            return Ok(None);
        };
        let remembered = match entry {
            Some(entry) if self.publisher.is_silent() => spool.remove(entry).await.map(|()| None),
            Some(entry) => self.advance(spool, entry).await.map(Some),
            None if self.publisher.is_silent() => Ok(None),
            None => return Ok(self.put(spool, id).await),
        };
        remembered.inspect_err(|error| {
            tracing::warn!(crash_id = %id, %error, "{id} saved, but still in the spool: it will be saved again");
        })
    }

    async fn advance(&self, spool: &Spool, entry: Entry) -> Result<Entry, SpoolError> {
        let entry = spool.advance(entry).await?;
        if self.health.is_failing() {
            return spool.give_up_dumps(entry).await;
        }
        Ok(entry)
    }

    async fn put(&self, spool: &Spool, id: &CrashId) -> Option<Entry> {
        let put = spool.put_publish(id).await;
        put.inspect_err(|error| {
            tracing::warn!(crash_id = %id, %error, "{id} saved; the spool cannot remember to publish it");
        })
        .ok()
    }

    /// Lines an id up; never waits.
    pub fn add(&self, unpublished: Unpublished) {
        if self.publisher.is_silent() {
            return self.handled(&unpublished, Duration::ZERO);
        }
        let Err(Unpublished { id, entry, .. }) = self.line.add(unpublished) else {
            return;
        };
        if entry.is_none() {
            self.metrics.count(Count::PublishCrashDropped);
            tracing::error!(crash_id = %id, "{id} not published: too many ids wait already; the report is saved, publish its id by hand");
        }
    }

    async fn work(self: Arc<Self>) {
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        while let Some(batch) = self.line.next_batch().await {
            if self.publish(batch).await {
                backoff.worked();
            } else {
                tokio::time::sleep(backoff.failed()).await;
            }
        }
    }

    /// One call of the queue. What it did not take waits again, behind the others. False if it took nothing.
    async fn publish(&self, batch: Vec<Unpublished>) -> bool {
        let ids: Vec<_> = batch.iter().map(|it| it.id.clone()).collect();
        fail_point::reach("publish.before");
        let started = Instant::now();
        // A panic is an answer about no id.
        let call = AssertUnwindSafe(self.publisher.publish(&ids)).catch_unwind();
        let mut answers = call.await.unwrap_or_default().into_iter();
        let took = started.elapsed();
        fail_point::reach("publish.after");
        let mut refused = Vec::new();
        let taken_before = self.line.taken();
        for unpublished in batch {
            match answers.next().unwrap_or_else(|| Err(no_answer())) {
                Ok(()) => self.published(unpublished, took).await,
                Err(error) => refused.push((unpublished, error)),
            }
        }
        let takes = self.line.taken() > taken_before;
        self.note(takes);
        for (unpublished, error) in refused {
            self.not_published(unpublished, &error).await;
        }
        takes
    }

    fn note(&self, takes: bool) {
        if takes {
            return self.health.worked();
        }
        self.health.failed();
        if let Some(lasts) = self.health.long_outage() {
            let seconds = lasts.as_secs();
            tracing::error!(
                seconds,
                "the queue has done nothing but fail for a while: look at the errors before this"
            );
        }
    }

    async fn published(&self, mut unpublished: Unpublished, took: Duration) {
        let id = unpublished.id.clone();
        if let (Some(spool), Some(entry)) = (&self.spool, unpublished.entry.take())
            && let Err(error) = spool.remove(entry).await
        {
            tracing::warn!(crash_id = %id, %error, "{id} published, but still in the spool: it will be published again");
        }
        self.line.published(&id);
        tracing::info!(crash_id = %id, "{id} published");
        self.handled(&unpublished, took);
    }

    /// Counts as in the original, where publishing nowhere takes its time, too.
    fn handled(&self, unpublished: &Unpublished, publishing: Duration) {
        self.metrics.time(Timing::CrashPublish, publishing);
        self.metrics.time(Timing::CrashHandling, unpublished.age());
        self.metrics.count(Count::SaveCrash);
    }

    async fn not_published(&self, mut unpublished: Unpublished, error: &PublishError) {
        self.metrics.count(Count::PublishCrashException);
        let is_refused = error.kind == PublishErrorKind::Permanent;
        if is_refused && unpublished.is_refused_again(self.line.taken()) >= REFUSALS {
            return self.set_aside(unpublished, error).await;
        }
        let id = unpublished.id.clone();
        self.metrics
            .count(Count::Retry("publish_crash_exception.count"));
        tracing::warn!(crash_id = %id, %error, "{id} not published yet, will be tried again");
        if let Some(spool) = &self.spool {
            // A queue that is away for hours must not fill the disk with reports that are saved.
            unpublished.entry = match unpublished.entry.take() {
                Some(entry) => spool.give_up_dumps(entry).await.ok(),
                None => self.put(spool, &id).await,
            };
        }
        self.line.again(unpublished);
    }

    /// The queue takes others, but not this one.
    async fn set_aside(&self, unpublished: Unpublished, error: &PublishError) {
        let Unpublished { id, entry, .. } = unpublished;
        self.line.forget(&id);
        self.metrics.count(Count::PublishCrashDropped);
        tracing::error!(crash_id = %id, %error, "{id} not published: the queue refuses it and takes others; the report is saved, publish its id by hand");
        if let (Some(spool), Some(entry)) = (&self.spool, entry) {
            let reason = format!("the queue refuses it: {error}");
            if let Err(error) = spool.set_aside(entry, reason).await {
                tracing::warn!(crash_id = %id, %error, "{id} cannot be set aside, and is tried again");
            }
        }
    }
}

fn no_answer() -> PublishError {
    let why = "no answer about this id";
    PublishError::new(PublishErrorKind::Transient, "publishing", why)
}
