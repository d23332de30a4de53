//! Ids of saved reports on their way to the queue: in batches when several wait, again and again until the queue takes
//! them. With a spool, an id that was not taken at once is remembered on disk.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as PlainMutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use crate::crash::CrashId;
use crate::crash_publish::{CrashPublisher, PublishError};
use crate::fail_point;
use crate::metrics::{Count, Metrics, Timing};
use crate::spool::{Entry, Spool};

use super::retry::Backoff;

/// Calls to the queue that may be under way at once.
const PUBLISHERS: usize = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A saved report that the processor does not know of yet.
#[derive(Debug)]
pub struct Unpublished {
    pub id: CrashId,
    /// When the report was accepted.
    pub accepted: Instant,
    /// Where the spool remembers that this is still to be done.
    pub entry: Option<Entry>,
}

/// What is known of an id that waits.
struct Waiting {
    /// The spool remembers it.
    is_remembered: bool,
    /// When its report was accepted.
    since: Instant,
}

impl From<&Unpublished> for Waiting {
    fn from(unpublished: &Unpublished) -> Self {
        Self {
            is_remembered: unpublished.entry.is_some(),
            since: unpublished.accepted,
        }
    }
}

/// The ids that wait, and the tasks that publish them.
pub struct PublishQueue {
    publisher: Arc<dyn CrashPublisher>,
    spool: Option<Spool>,
    metrics: Metrics,
    sender: mpsc::Sender<Unpublished>,
    receiver: Mutex<mpsc::Receiver<Unpublished>>,
    /// Everything in the channel and in the hands of the tasks.
    waiting: PlainMutex<BTreeMap<CrashId, Waiting>>,
    stop: CancellationToken,
}

impl PublishQueue {
    /// `backlog` ids may wait; what is beyond cannot be published and is dropped with an error.
    pub fn new(
        publisher: Arc<dyn CrashPublisher>,
        spool: Option<Spool>,
        backlog: usize,
        metrics: Metrics,
    ) -> Arc<Self> {
        let (sender, receiver) = mpsc::channel(backlog.max(1));
        Arc::new(Self {
            publisher,
            spool,
            metrics,
            sender,
            receiver: Mutex::new(receiver),
            waiting: PlainMutex::default(),
            stop: CancellationToken::new(),
        })
    }

    /// Starts the tasks; each ends when the queue was told to finish and nothing waits.
    pub fn start(self: &Arc<Self>) -> tokio::task::JoinSet<()> {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..PUBLISHERS {
            let queue = self.clone();
            tasks.spawn(async move { queue.work().await });
        }
        tasks
    }

    /// Puts an id into the queue; never waits.
    pub fn add(&self, unpublished: Unpublished) {
        self.waiting()
            .insert(unpublished.id.clone(), Waiting::from(&unpublished));
        let Err(refused) = self.sender.try_send(unpublished) else {
            return;
        };
        let Unpublished { id, entry, .. } = refused.into_inner();
        self.waiting().remove(&id);
        if entry.is_none() {
            self.metrics.count(Count::PublishCrashDropped);
            tracing::error!(crash_id = %id, "{id} not published: too many ids wait already; the report is saved, publish its id by hand");
        }
    }

    /// Nobody is told anything, so nothing needs to be remembered.
    pub fn is_silent(&self) -> bool {
        self.publisher.is_silent()
    }

    /// How many ids wait.
    pub fn len(&self) -> usize {
        self.waiting().len()
    }

    /// How long ago the report was accepted whose id waits longest.
    pub fn oldest(&self) -> Option<Duration> {
        let waiting = self.waiting();
        let oldest = waiting.values().map(|waiting| waiting.since).min();
        oldest.map(|since| since.elapsed())
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<CrashId, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No more ids will come: the tasks end when none is left.
    pub fn finish(&self) {
        self.stop.cancel();
    }

    /// Ids that the tasks left behind, with whether the spool remembers them; to be asked when the tasks have ended.
    pub fn left(&self) -> Vec<(CrashId, bool)> {
        let left = std::mem::take(&mut *self.waiting());
        left.into_iter()
            .map(|(id, waiting)| (id, waiting.is_remembered))
            .collect()
    }

    async fn work(&self) {
        while let Some(batch) = self.next_batch().await {
            self.publish(batch).await;
        }
    }

    /// The next ids: as many as wait and fit into one call, without waiting for more.
    async fn next_batch(&self) -> Option<Vec<Unpublished>> {
        let largest = self.publisher.largest_batch().min(1000);
        let mut receiver = self.receiver.lock().await;
        let mut batch = Vec::new();
        tokio::select! {
            biased;
            _ = receiver.recv_many(&mut batch, largest) => {}
            () = self.stop.cancelled() => {}
        }
        (!batch.is_empty()).then_some(batch)
    }

    async fn publish(&self, mut batch: Vec<Unpublished>) {
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            batch = self.attempt(batch).await;
            if batch.is_empty() {
                return;
            }
            tokio::time::sleep(backoff.failed()).await;
        }
    }

    /// One call of the queue; what it did not take.
    async fn attempt(&self, batch: Vec<Unpublished>) -> Vec<Unpublished> {
        let ids: Vec<_> = batch
            .iter()
            .map(|unpublished| unpublished.id.clone())
            .collect();
        fail_point::reach("publish.before");
        let started = Instant::now();
        let answers = self.publisher.publish(&ids).await;
        let took = started.elapsed();
        fail_point::reach("publish.after");
        let mut failed = Vec::new();
        for (unpublished, answer) in batch.into_iter().zip(answers) {
            match answer {
                Ok(()) => self.published(unpublished, took).await,
                Err(error) => failed.push(self.not_published(unpublished, &error).await),
            }
        }
        failed
    }

    async fn published(
        &self,
        Unpublished {
            id,
            accepted,
            entry,
        }: Unpublished,
        took: Duration,
    ) {
        if let (Some(spool), Some(entry)) = (&self.spool, entry)
            && let Err(error) = spool.remove(entry).await
        {
            tracing::warn!(crash_id = %id, %error, "{id} published, but still in the spool: it will be published again");
        }
        self.waiting().remove(&id);
        self.metrics.time(Timing::CrashPublish, took);
        self.metrics.time(Timing::CrashHandling, accepted.elapsed());
        self.metrics.count(Count::SaveCrash);
        tracing::info!(crash_id = %id, "{id} published");
    }

    async fn not_published(
        &self,
        mut unpublished: Unpublished,
        error: &PublishError,
    ) -> Unpublished {
        let id = unpublished.id.clone();
        self.metrics.count(Count::PublishCrashException);
        self.metrics
            .count(Count::Retry("publish_crash_exception.count"));
        tracing::warn!(crash_id = %id, %error, "{id} not published yet, will be tried again");
        if let (Some(spool), None) = (&self.spool, &unpublished.entry) {
            unpublished.entry = spool.put_publish(&id).await.ok();
            self.waiting().insert(id, Waiting::from(&unpublished));
        }
        unpublished
    }
}
