//! Where everything is counted, with all counters that there are, and what is lost on the way to those who read them.

use crate::intake::Malformed;
use crate::metrics::{Count, Labels, Lost, Metrics, Statsd, TagValues};
use crate::settings::Settings;
use crate::throttle::{ThrottleResult, Throttler};

/// Metrics with every counter at 0, told to StatsD if the settings want it.
pub fn metrics(settings: &Settings, throttler: &Throttler) -> Metrics {
    let host = settings.general.host_id.as_deref().unwrap_or_default();
    let metrics = settings
        .statsd
        .as_ref()
        .map(|statsd| Metrics::with_statsd(Statsd::start(statsd, host)))
        .unwrap_or_default();
    metrics.begin(&tag_values(throttler.rule_names()));
    metrics
}

/// What all metrics of this process have in common.
pub(super) fn labels(settings: &Settings) -> Labels {
    let statsd = settings.statsd.as_ref();
    Labels {
        namespace: statsd.map(|it| it.namespace.clone()).unwrap_or_default(),
        host: settings.general.host_id.clone().unwrap_or_default(),
    }
}

/// The values that intake and throttle give tags.
pub fn tag_values<'a>(throttle_rules: impl IntoIterator<Item = &'a str>) -> TagValues {
    TagValues {
        malformed_reasons: Malformed::ALL
            .into_iter()
            // Answered before it is counted, as the original did.
            .filter(|reason| *reason != Malformed::BadBoundary)
            .map(Malformed::code)
            .collect(),
        throttle_results: ThrottleResult::ALL.map(ThrottleResult::as_str).to_vec(),
        throttle_rules: throttle_rules.into_iter().map(Into::into).collect(),
    }
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
