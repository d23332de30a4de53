//! What is the case now: looked up when somebody asks, so that every page says the same.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::crashmover::Crashmover;
use crate::metrics::Gauge;
use crate::spool::{Spool, SpoolStats, Tally};

/// The parts of a collector that have figures to show.
pub struct Figures {
    pub crashmover: Arc<Crashmover>,
    pub spool: Option<Spool>,
    /// How many are open at the front door.
    pub connections: Box<dyn Fn() -> usize + Send + Sync>,
    /// Until the certificate ends; none without TLS.
    pub certificate_days_left: Box<dyn Fn() -> Option<u64> + Send + Sync>,
}

impl Figures {
    /// Every gauge; those of the spool only when it was looked through.
    pub fn gauges(&self) -> Vec<(Gauge, u64)> {
        let sizes = self.crashmover.sizes();
        let in_flight_bytes = self.crashmover.budget().in_flight_bytes();
        let mut gauges = vec![
            (Gauge::SaveQueueSize, sizes.save_queue as u64),
            (Gauge::WorkQueueSize, sizes.work_queue as u64),
            (Gauge::PublishQueueSize, sizes.publish_queue as u64),
            (Gauge::PublishOldestSeconds, sizes.publish_oldest.as_secs()),
            (Gauge::InFlightBytes, in_flight_bytes),
            (Gauge::Connections, (self.connections)() as u64),
        ];
        let days_left = (self.certificate_days_left)();
        gauges.extend(days_left.map(|days| (Gauge::CertificateDaysLeft, days)));
        let whole = self.spool.as_ref().and_then(whole_stats);
        gauges.extend(whole.iter().flat_map(spool_gauges));
        gauges
    }
}

/// None before the spool was looked through: half of what waits would look like a spool that was emptied.
fn whole_stats(spool: &Spool) -> Option<SpoolStats> {
    spool.is_looked_through().then(|| spool.stats())
}

fn spool_gauges(stats: &SpoolStats) -> [(Gauge, u64); 5] {
    let oldest = stats.save.oldest.into_iter().chain(stats.publish.oldest);
    [
        (Gauge::SpoolSaveEntries, stats.save.entries as u64),
        (Gauge::SpoolPublishEntries, stats.publish.entries as u64),
        (Gauge::SpoolFailedEntries, stats.failed.entries as u64),
        (Gauge::SpoolBytes, stats.save.bytes + stats.publish.bytes),
        (
            Gauge::SpoolOldestSeconds,
            age_seconds(oldest.min()).unwrap_or_default(),
        ),
    ]
}

/// What `/spool` shows; none before the spool was looked through.
pub(super) fn spool_page(spool: &Spool) -> Option<Value> {
    let stats = whole_stats(spool)?;
    Some(json!({
        "save": tally(stats.save),
        "publish": tally(stats.publish),
        "failed": tally(stats.failed),
        "room_bytes": stats.room_bytes,
        "is_failing": spool.is_failing(),
    }))
}

fn tally(tally: Tally) -> Value {
    json!({
        "entries": tally.entries,
        "bytes": tally.bytes,
        "oldest_seconds": age_seconds(tally.oldest),
    })
}

fn age_seconds(since: Option<SystemTime>) -> Option<u64> {
    since.map(|since| since.elapsed().unwrap_or_default().as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;
    use crate::settings::SpoolSettings;

    #[tokio::test]
    async fn no_half_figures_of_a_spool_are_shown() {
        let folder = tempfile::tempdir().unwrap();
        let config = SpoolSettings {
            dir: folder.path().join("spool"),
            max_bytes: 1 << 30,
            min_free_bytes: 0,
        };
        let spool = Spool::take(config, Arc::new(RealDisk::private(true))).unwrap();
        assert_eq!(spool_page(&spool), None);
        assert_eq!(whole_stats(&spool), None);
        spool.look_through().await.1.unwrap();
        assert_eq!(spool_page(&spool).unwrap()["save"]["entries"], 0);
    }
}
