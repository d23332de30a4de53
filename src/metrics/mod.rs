//! What is counted and measured: added up in the process, and told to StatsD where that is wanted.

mod catalog;
mod help;
mod page;
mod prometheus;
mod statsd;
mod sums;

use std::sync::Arc;
use std::time::Duration;

use sums::Sums;

pub use catalog::{Count, Described, Fate, Gauge, Histogram, Outcome, TagValues, Timing};
pub use page::markdown;
pub use prometheus::Labels;
pub use statsd::{Lost, Statsd};

/// The handle through which everything is counted. Cheap to clone, passed on, never global.
#[derive(Clone, Default)]
pub struct Metrics(Arc<Inner>);

#[derive(Default)]
struct Inner {
    statsd: Option<Statsd>,
    sums: Sums,
}

impl Metrics {
    /// Metrics that are told to StatsD as well.
    pub fn with_statsd(statsd: Statsd) -> Self {
        Self(Arc::new(Inner {
            statsd: Some(statsd),
            ..Inner::default()
        }))
    }

    pub fn count(&self, count: Count) {
        self.count_many(count, 1);
    }

    /// As often as `count` for each of `times`; nothing for none.
    pub fn count_many(&self, count: Count, times: u64) {
        if times == 0 {
            return;
        }
        if let Some(statsd) = &self.0.statsd {
            statsd.count(&count, times);
        }
        self.0.sums.count(count, times);
    }

    pub fn time(&self, timing: Timing, took: Duration) {
        if let Some(statsd) = &self.0.statsd {
            statsd.time(&timing, took);
        }
        self.0.sums.time(timing, took.as_secs_f64());
    }

    pub fn histogram(&self, histogram: Histogram, value: f64) {
        if let Some(statsd) = &self.0.statsd {
            statsd.histogram(&histogram, value);
        }
        self.0.sums.histogram(histogram, value);
    }

    /// Every counter is there from now on, as 0: the first loss of a kind can be told from none only if none was told.
    pub fn begin(&self, values: &TagValues) {
        for count in Count::all(values) {
            if let Some(statsd) = &self.0.statsd {
                statsd.count(&count, 0);
            }
            self.0.sums.count(count, 0);
        }
    }

    /// Tells StatsD what is the case now.
    pub fn tell(&self, gauges: &[(Gauge, u64)]) {
        for (gauge, value) in gauges {
            if let Some(statsd) = &self.0.statsd {
                statsd.gauge(gauge, *value);
            }
        }
    }

    /// How often something was counted since the process started.
    pub fn total(&self, count: &Count) -> u64 {
        self.0.sums.total(count)
    }

    /// Everything since the process started, and what is the case now, in Prometheus' text format.
    pub fn prometheus(&self, labels: &Labels, gauges: &[(Gauge, u64)]) -> String {
        prometheus::text(&self.0.sums, gauges, labels)
    }

    /// What was lost on the way to StatsD since the process started.
    pub fn lost(&self) -> Lost {
        self.0.statsd.as_ref().map(Statsd::lost).unwrap_or_default()
    }

    /// Waits until StatsD was sent everything, but no longer than this. Blocks; for the end.
    pub fn flush(&self, longest: Duration) {
        if let Some(statsd) = &self.0.statsd {
            statsd.flush(longest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    use crate::settings::StatsdSettings;

    fn received(socket: &UdpSocket, lines: usize) -> Vec<String> {
        let (mut buffer, mut received) = ([0; 2048], Vec::new());
        while received.len() < lines {
            let length = socket.recv(&mut buffer).expect("a packet in time");
            let packet = String::from_utf8_lossy(&buffer[..length]).into_owned();
            received.extend(packet.lines().map(str::to_owned));
        }
        received
    }

    #[test]
    fn lines_have_namespace_tags_and_host() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        let settings = StatsdSettings {
            host: "127.0.0.1".into(),
            port: socket.local_addr().unwrap().port(),
            namespace: "socorro.collector".into(),
        };
        let metrics = Metrics::with_statsd(Statsd::start(&settings, "h:1"));
        metrics.count(Count::IncomingCrash);
        metrics.count(Count::Malformed("bad_gzip"));
        metrics.time(Timing::OnPost, Duration::from_millis(7));
        metrics.histogram(
            Histogram::CrashSize {
                is_compressed: true,
            },
            400.0,
        );
        metrics.tell(&[(Gauge::SaveQueueSize, 3)]);
        metrics.flush(Duration::from_secs(5));
        assert_eq!(
            received(&socket, 5),
            [
                "socorro.collector.breakpad_resource.incoming_crash:1|c|#host:h_1",
                "socorro.collector.breakpad_resource.malformed:1|c|#host:h_1,reason:bad_gzip",
                "socorro.collector.breakpad_resource.on_post.time:7|ms|#host:h_1",
                "socorro.collector.breakpad_resource.crash_size:400|h|#host:h_1,payload:compressed",
                "socorro.collector.crashmover.save_queue_size:3|g|#host:h_1",
            ]
        );
    }

    #[test]
    fn totals_are_added_up_without_statsd() {
        let metrics = Metrics::default();
        metrics.count(Count::Outcome(Outcome::Kept));
        metrics.count(Count::Outcome(Outcome::Kept));
        assert_eq!(metrics.total(&Count::Outcome(Outcome::Kept)), 2);
        assert_eq!(metrics.total(&Count::Outcome(Outcome::Faked)), 0);
    }
}
