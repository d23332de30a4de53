//! What waits in the spool, on to storage and queue: beside new reports, oldest first, without ever giving up.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use crate::metrics::{Count, Fate, Timing};
use crate::spool::{Entry, Spool, SpoolError, State};

use super::Crashmover;
use super::budget::{OutOfMemory, Reservation};
use super::mover::{FIRST_PAUSE, LONGEST_PAUSE};
use super::pending::BufferedReport;
use super::publish::Unpublished;
use super::retry::Backoff;

/// How often it is looked whether there is room for more ids.
const PUBLISH_PAUSE: Duration = Duration::from_millis(200);

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
                    () = self.storage_health.over() => {}
                }
            }
            let entry = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                entry = spool.next(State::Save) => entry,
            };
            if !finds_out && self.storage_health.is_failing() {
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
        let id = entry.crash_id();
        let length_bytes = entry.length_bytes();
        let Ok(reservation) = self.set_memory_aside(length_bytes) else {
            tracing::warn!(crash_id = %id, length_bytes, "{id} stays in the spool: it needs more than BREAKPAD_MAX_IN_FLIGHT_BYTES leaves now");
            // A smaller one may fit.
            entry.defer();
            return Err(NotNow);
        };
        let report = match spool.load(&entry).await {
            Ok(report) => BufferedReport::new(report, reservation),
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
        if let Err(error) = self.save_once(&report).await {
            self.metrics
                .count(Count::Retry("save_crash_exception.count"));
            tracing::warn!(crash_id = %id, %error, "{id} not saved yet, stays in the spool");
            entry.defer();
            return Err(NotNow);
        }
        self.metrics.time(Timing::CrashSave, started.elapsed());
        tracing::info!(crash_id = %id, "{id} saved");
        self.publish_entry(entry).await
    }

    /// A report that is larger than the budget has become gets all that one report may have: it was acknowledged.
    fn set_memory_aside(&self, length_bytes: u64) -> Result<Reservation, OutOfMemory> {
        let bytes = length_bytes.min(self.budget.most_bytes());
        let mut reservation = self.budget.reserve(bytes)?;
        reservation.hold(bytes)?;
        Ok(reservation)
    }

    async fn publish_entry(&self, entry: Entry) -> Result<(), NotNow> {
        let (id, since) = (entry.crash_id(), entry.since());
        let remembered = self.publish.remember(&id, Some(entry)).await;
        let entry = remembered.map_err(|_said| NotNow)?;
        // Only what has left the spool's line is counted: the rest will be saved again.
        self.metrics.count(Count::Fate(Fate::Saved));
        self.publish.add(Unpublished::new(id, since, entry));
        Ok(())
    }

    /// Hands ids that wait in the spool to the publishers until it is told to stop.
    pub(super) async fn publish_from_spool(self: Arc<Self>, spool: Spool) {
        loop {
            while !self.publish.line().has_room_for_spool() && !self.stop.is_cancelled() {
                tokio::time::sleep(PUBLISH_PAUSE).await;
            }
            let entry = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                entry = spool.next(State::Publish) => entry,
            };
            self.publish.add(Unpublished::from_spool(entry));
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
            self.rescan_spool(&spool).await;
        }
    }

    pub(super) async fn rescan_spool(&self, spool: &Spool) {
        match spool.rescan().await {
            Ok(found) => {
                self.metrics.count_many(Count::Resumed, found.save as u64);
                let entries = found.save + found.publish;
                if entries > 0 {
                    tracing::info!(entries, "found more in the spool");
                }
            }
            Err(error) => tracing::warn!(%error, "cannot look through the spool"),
        }
    }
}
