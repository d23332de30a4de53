//! What waits in the spool, on to storage and queue: beside new reports, oldest first, without ever giving up.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use crate::metrics::{Count, Fate, Timing};
use crate::spool::{Entry, Spool, SpoolError, State};

use super::Crashmover;
use super::budget::{OutOfMemory, Reservation};
use super::publish::Unpublished;
use super::retry::Backoff;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Storage that is back is noticed within this time.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// How often it is looked whether there is room for more ids.
const PUBLISH_PAUSE: Duration = Duration::from_millis(200);
/// Ids from the spool that wait in memory to be published.
const MOST_UNPUBLISHED: usize = 1000;

/// How often the spool's folders are looked through for what an operator put there.
const RESCAN_EVERY: Duration = Duration::from_secs(60);

/// The entry could not be moved on now.
struct NotNow;

impl Crashmover {
    /// Saves what waits in the spool until it is told to stop.
    ///
    /// While storage is away one of several finds out when it is back; the others would only ask and log the same again.
    pub(super) async fn save_from_spool(self: Arc<Self>, spool: Spool, finds_out: bool) {
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            if !finds_out {
                tokio::select! {
                    () = self.stop.cancelled() => return,
                    () = self.trouble.over() => {}
                }
            }
            let entry = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                entry = spool.next(State::Save) => entry,
            };
            if !finds_out && self.trouble.is_known() {
                // It began while we waited; the entry goes back to where it was.
                continue;
            }
            match self.save_entry_and_live(&spool, entry).await {
                Ok(()) => backoff.worked(),
                Err(NotNow) => tokio::select! {
                    () = self.stop.cancelled() => return,
                    () = tokio::time::sleep(backoff.failed()) => {}
                },
            }
        }
    }

    /// A panic costs this attempt only.
    async fn save_entry_and_live(&self, spool: &Spool, entry: Entry) -> Result<(), NotNow> {
        let id = entry.crash_id();
        let saving = AssertUnwindSafe(self.save_entry(spool, entry)).catch_unwind();
        saving.await.unwrap_or_else(|_panic| {
            tracing::error!(crash_id = %id, "{id} not saved yet, stays in the spool: the collector itself failed");
            Err(NotNow)
        })
    }

    async fn save_entry(&self, spool: &Spool, entry: Entry) -> Result<(), NotNow> {
        let length_bytes = entry.length_bytes();
        let Ok(_reservation) = self.set_memory_aside(length_bytes) else {
            // A smaller one may fit.
            entry.defer();
            return Err(NotNow);
        };
        let id = entry.crash_id();
        let report = match spool.load(&entry).await {
            Ok(report) => report,
            Err(error @ SpoolError::Corrupt { .. }) => {
                self.metrics.count(Count::Fate(Fate::Failed));
                tracing::error!(crash_id = %id, %error, "{id} set aside");
                return Ok(());
            }
            Err(error) => {
                tracing::warn!(crash_id = %id, %error, "{id} cannot be read from the spool now");
                entry.defer();
                return Err(NotNow);
            }
        };
        let started = Instant::now();
        if let Err(error) = self.storage.save(&report).await {
            self.trouble.failed();
            self.metrics.count(Count::SaveCrashException);
            self.metrics
                .count(Count::Retry("save_crash_exception.count"));
            tracing::warn!(crash_id = %id, %error, "{id} not saved yet, stays in the spool");
            entry.defer();
            return Err(NotNow);
        }
        self.trouble.worked();
        self.metrics.time(Timing::CrashSave, started.elapsed());
        self.metrics.count(Count::Fate(Fate::Saved));
        tracing::info!(crash_id = %id, "{id} saved");
        self.publish_entry(spool, entry).await
    }

    fn set_memory_aside(&self, length_bytes: u64) -> Result<Reservation, OutOfMemory> {
        let mut reservation = self.budget.reserve(length_bytes)?;
        reservation.hold(length_bytes)?;
        Ok(reservation)
    }

    async fn publish_entry(&self, spool: &Spool, entry: Entry) -> Result<(), NotNow> {
        let id = entry.crash_id();
        match spool.advance(entry).await {
            Ok(entry) => {
                self.publish.add(Unpublished {
                    id,
                    accepted: Instant::now(),
                    entry: Some(entry),
                });
                Ok(())
            }
            Err(error) => {
                tracing::warn!(crash_id = %id, %error, "{id} saved, but still in the spool: it will be saved again");
                Err(NotNow)
            }
        }
    }

    /// Hands ids that wait in the spool to the publishers until it is told to stop.
    pub(super) async fn publish_from_spool(self: Arc<Self>, spool: Spool) {
        loop {
            while self.publish.len() >= MOST_UNPUBLISHED && !self.stop.is_cancelled() {
                tokio::time::sleep(PUBLISH_PAUSE).await;
            }
            let entry = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                entry = spool.next(State::Publish) => entry,
            };
            let id = entry.crash_id();
            self.publish.add(Unpublished {
                id,
                accepted: Instant::now(),
                entry: Some(entry),
            });
        }
    }

    /// Takes up what the last process left in the spool's folders, then whatever somebody else puts there.
    pub(super) async fn scan_spool(self: Arc<Self>, spool: Spool) {
        let (reports, found) = spool.look_through().await;
        self.metrics.count_many(Count::Resumed, reports as u64);
        if let Err(error) = found {
            tracing::error!(%error, "cannot see all that waits in the spool; it is looked through again every minute");
        }
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(RESCAN_EVERY) => {}
            }
            match spool.rescan().await {
                Ok(0) => {}
                Ok(entries) => tracing::info!(entries, "found more in the spool"),
                Err(error) => tracing::warn!(%error, "cannot look through the spool"),
            }
        }
    }
}
