//! Keeping the promise: a bounded queue of accepted reports, tasks that save them, tasks that publish their ids.
//!
//! A report is *kept* when its client may be told `CrashID=`: once it is saved, or is in the spool, or, where the operator
//! chose so, is in the queue. Publishing never delays that answer.
//!
//! | acknowledge | without a spool | with a spool |
//! |---|---|---|
//! | saved | saved in time, or not kept | saved in time, else spooled; not kept only if the spool is full too |
//! | queued | in the queue; a kill loses the queue | the same; spooled while the queue is full |
//! | spooled | (settings refuse it) | spooled; if the spool is full, saved in time, else not kept |

mod backend_health;
mod budget;
mod from_spool;
mod mover;
mod pending;
mod publish;
mod put;
mod retry;
mod stop;
mod take;
mod wait_estimate;

#[cfg(test)]
mod tests;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use budget::{Budget, HeldBytes, OutOfMemory, Reservation};
pub use stop::Leftover;

use crate::crash_publish::CrashPublisher;
use crate::crash_storage::CrashStorage;
use crate::metrics::Metrics;
use crate::settings::{Acknowledge, CrashmoverSettings};
use crate::spool::Spool;
use backend_health::BackendHealth;
use pending::{AtWork, Attempt};
use publish::PublishQueue;
use wait_estimate::WaitEstimate;

/// Where nothing but memory holds what is acknowledged, new reports are refused for so long after storage failed.
const CLOSED_AFTER_FAILURE: Duration = Duration::from_secs(5);

/// The report is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt;

/// Why a report is not kept, as far as its client can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotKept {
    /// The queue is full and stayed so.
    QueueFull,
    /// The spool is full, and storage did not help.
    SpoolFull,
    /// Saving failed for good.
    SaveFailed,
    /// Saving takes longer than a client can wait. It goes on: the report may still be saved, late.
    TooSlow,
}

/// What waits, for gauges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    pub save_queue: usize,
    pub work_queue: usize,
    pub publish_queue: usize,
    /// How long ago the report was accepted whose id waits longest; zero when none waits.
    pub publish_oldest: Duration,
}

/// The queue and its tasks.
pub struct Crashmover {
    storage: CrashStorage,
    spool: Option<Spool>,
    publish: Arc<PublishQueue>,
    metrics: Metrics,
    settings: CrashmoverSettings,
    budget: Budget,
    storage_health: BackendHealth,
    wait_estimate: WaitEstimate,
    sender: mpsc::Sender<Attempt>,
    receiver: Mutex<mpsc::Receiver<Attempt>>,
    at_work: AtWork,
    /// Reports whose clients wait for an answer.
    taking: TaskTracker,
    stop: CancellationToken,
    tasks: Mutex<Tasks>,
}

#[derive(Default)]
struct Tasks {
    movers: JoinSet<()>,
    publishers: JoinSet<()>,
}

impl Crashmover {
    /// Starts the tasks. What waits in the spool is taken up at once.
    pub async fn start(
        storage: CrashStorage,
        publisher: Arc<dyn CrashPublisher>,
        spool: Option<Spool>,
        settings: CrashmoverSettings,
        budget: Budget,
        metrics: Metrics,
    ) -> Arc<Self> {
        let (sender, receiver) = mpsc::channel(settings.queue_size.get());
        let backlog = settings.publish_backlog.get();
        let publish = PublishQueue::new(publisher, spool.clone(), backlog, metrics.clone());
        let crashmover = Arc::new(Self {
            storage,
            spool,
            publish,
            metrics,
            budget,
            storage_health: BackendHealth::default(),
            wait_estimate: WaitEstimate::new(settings.concurrent_crashmovers),
            settings,
            sender,
            receiver: Mutex::new(receiver),
            at_work: AtWork::default(),
            taking: TaskTracker::new(),
            stop: CancellationToken::new(),
            tasks: Mutex::default(),
        });
        crashmover.spawn().await;
        crashmover
    }

    async fn spawn(self: &Arc<Self>) {
        let movers = self.settings.concurrent_crashmovers.get();
        let mut tasks = self.tasks.lock().await;
        for _ in 0..movers {
            tasks.movers.spawn(self.start_task(Self::work));
        }
        if let Some(spool) = &self.spool {
            // Enough to catch up, not so many that new reports find storage busy.
            for number in 0..movers.div_ceil(4) {
                let spool = spool.clone();
                let save = move |it: Arc<Self>| it.save_from_spool(spool.clone(), number == 0);
                tasks.movers.spawn(self.start_task(save));
            }
            let (one, other) = (spool.clone(), spool.clone());
            let publish = move |it: Arc<Self>| it.publish_from_spool(one.clone());
            tasks.movers.spawn(self.start_task(publish));
            let scan = move |it: Arc<Self>| it.scan_spool(other.clone());
            tasks.movers.spawn(self.start_task(scan));
        }
        tasks.publishers = self.publish.start();
    }

    fn start_task<F: Future<Output = ()>, T: Fn(Arc<Self>) -> F>(
        self: &Arc<Self>,
        task: T,
    ) -> impl Future<Output = ()> + use<F, T> {
        let crashmover = self.clone();
        outlive_panics(move || task(crashmover.clone()))
    }

    /// The memory that reports may take.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// False when a report that came now could not be taken, or not in time.
    ///
    /// Half of the time is left for its body and for the save itself.
    pub fn has_room(&self) -> bool {
        let spool = self.spool.as_ref();
        (self.sender.capacity() > 0
            && !self.is_late_after(self.settings.ack_timeout / 2)
            && !self.risks_memory())
            || spool.is_some_and(|spool| spool.stats().room_bytes > 0)
    }

    /// True when what is acknowledged now would wait in memory for a storage that refuses.
    fn risks_memory(&self) -> bool {
        self.settings.acknowledge == Acknowledge::Queued
            && self.spool.is_none()
            && self.storage_health.is_failing_within(CLOSED_AFTER_FAILURE)
    }

    /// True when a client waits for the save, and a mover is free only after `longest`.
    fn is_late_after(&self, longest: Duration) -> bool {
        self.settings.acknowledge != Acknowledge::Queued
            && self.wait_estimate.wait(self.waiting()) > longest
    }

    fn waiting(&self) -> usize {
        self.sender.max_capacity() - self.sender.capacity()
    }

    pub fn sizes(&self) -> Sizes {
        Sizes {
            save_queue: self.waiting(),
            work_queue: self.at_work.len(),
            publish_queue: self.publish.line().len(),
            publish_oldest: self.publish.line().oldest().unwrap_or_default(),
        }
    }
}

/// Runs a task to its end. A panic costs what the task was doing, and not the task.
async fn outlive_panics<F: Future<Output = ()>>(task: impl Fn() -> F) {
    while AssertUnwindSafe(task()).catch_unwind().await.is_err() {}
}
