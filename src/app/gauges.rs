//! What is the case now, for the gauges.

use crate::crashmover::Crashmover;
use crate::metrics::{Gauge, Metrics};
use crate::spool::Spool;

/// Tells every gauge once.
pub fn tell_gauges(
    metrics: &Metrics,
    crashmover: &Crashmover,
    spool: Option<&Spool>,
    connections: usize,
) {
    let sizes = crashmover.sizes();
    metrics.gauge(Gauge::SaveQueueSize, sizes.save_queue as u64);
    metrics.gauge(Gauge::WorkQueueSize, sizes.work_queue as u64);
    metrics.gauge(Gauge::PublishQueueSize, sizes.publish_queue as u64);
    metrics.gauge(Gauge::InFlightBytes, crashmover.budget().in_flight_bytes());
    metrics.gauge(Gauge::Connections, connections as u64);
    let Some(stats) = spool.map(Spool::stats) else {
        return;
    };
    metrics.gauge(Gauge::SpoolSaveEntries, stats.save.entries as u64);
    metrics.gauge(Gauge::SpoolPublishEntries, stats.publish.entries as u64);
    metrics.gauge(Gauge::SpoolFailedEntries, stats.failed.entries as u64);
    metrics.gauge(Gauge::SpoolBytes, stats.save.bytes + stats.publish.bytes);
    let oldest = stats
        .save
        .oldest
        .into_iter()
        .chain(stats.publish.oldest)
        .min();
    let age = oldest
        .and_then(|oldest| oldest.elapsed().ok())
        .unwrap_or_default();
    metrics.gauge(Gauge::SpoolOldestSeconds, age.as_secs());
}
