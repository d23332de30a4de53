//! What is the case now, for the gauges.

use crate::crashmover::Crashmover;
use crate::metrics::{Count, Gauge, Lost, Metrics};
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
    metrics.gauge(Gauge::PublishOldestSeconds, sizes.publish_oldest.as_secs());
    metrics.gauge(Gauge::InFlightBytes, crashmover.budget().in_flight_bytes());
    metrics.gauge(Gauge::Connections, connections as u64);
    // Half of what waits would look like a spool that was emptied.
    let Some(stats) = spool
        .filter(|spool| spool.is_looked_through())
        .map(Spool::stats)
    else {
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

/// Counts what was lost on the way to whoever reads logs and metrics.
pub struct Losses {
    log_lines: Box<dyn Fn() -> u64 + Send + Sync>,
    told_log_lines: u64,
    told: Lost,
}

impl Losses {
    /// `log_lines` says how many log lines were lost since the start.
    pub fn new(log_lines: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self {
            log_lines: Box::new(log_lines),
            told_log_lines: 0,
            told: Lost::default(),
        }
    }

    /// Counts what was lost since the last call.
    pub fn tell(&mut self, metrics: &Metrics) {
        let (log_lines, lost) = ((self.log_lines)(), metrics.lost());
        metrics.count_many(Count::LogLinesLost, log_lines - self.told_log_lines);
        metrics.count_many(Count::StatsdLinesLost, lost.lines - self.told.lines);
        metrics.count_many(
            Count::StatsdSendFailed,
            lost.failed_sends - self.told.failed_sends,
        );
        (self.told_log_lines, self.told) = (log_lines, lost);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn each_loss_is_counted_once() {
        let lost = Arc::new(AtomicU64::new(3));
        let metrics = Metrics::default();
        let mut losses = Losses::new({
            let lost = lost.clone();
            move || lost.load(Ordering::Relaxed)
        });
        losses.tell(&metrics);
        losses.tell(&metrics);
        lost.store(5, Ordering::Relaxed);
        losses.tell(&metrics);
        assert_eq!(metrics.total(&Count::LogLinesLost), 5);
        assert_eq!(metrics.total(&Count::StatsdSendFailed), 0);
    }
}
