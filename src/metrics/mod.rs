//! What is counted and measured: kept in the process, and told to StatsD where that is wanted.

mod catalog;
mod help;
mod kept;
mod page;
mod prometheus;
mod statsd;

use std::sync::Arc;
use std::time::Duration;

use kept::Kept;

pub use catalog::{Count, Described, Fate, Gauge, Histogram, Outcome, Timing};
pub use page::{TagValues, markdown};
pub use prometheus::Labels;
pub use statsd::{Lost, Statsd, StatsdConfig};

/// The handle through which everything is counted. Cheap to clone, passed on, never global.
#[derive(Clone, Default)]
pub struct Metrics(Arc<Inner>);

#[derive(Default)]
struct Inner {
    statsd: Option<Statsd>,
    kept: Kept,
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
        self.0.kept.count(count, times);
    }

    pub fn time(&self, timing: Timing, took: Duration) {
        if let Some(statsd) = &self.0.statsd {
            statsd.time(&timing, took);
        }
        self.0.kept.time(timing, took.as_secs_f64());
    }

    pub fn histogram(&self, histogram: Histogram, value: f64) {
        if let Some(statsd) = &self.0.statsd {
            statsd.histogram(&histogram, value);
        }
        self.0.kept.histogram(histogram, value);
    }

    pub fn gauge(&self, gauge: Gauge, value: u64) {
        if let Some(statsd) = &self.0.statsd {
            statsd.gauge(&gauge, value);
        }
        self.0.kept.gauge(gauge, value);
    }

    /// How often something was counted since the process started.
    pub fn total(&self, count: &Count) -> u64 {
        self.0.kept.total(count)
    }

    /// Everything that was counted since the process started.
    pub fn totals(&self) -> Vec<(Count, u64)> {
        self.0.kept.counts()
    }

    /// Everything since the process started, in Prometheus' text format.
    pub fn prometheus(&self, labels: &Labels) -> String {
        prometheus::text(&self.0.kept, labels)
    }

    /// What was lost on the way to StatsD since the process started.
    pub fn lost(&self) -> Lost {
        self.0.statsd.as_ref().map(Statsd::lost).unwrap_or_default()
    }

    /// Sends what is buffered; to be called every second, and at the end.
    pub fn flush(&self) {
        if let Some(statsd) = &self.0.statsd {
            statsd.flush();
        }
    }

    /// True when nothing waits to be sent.
    pub fn is_drained(&self) -> bool {
        self.0.statsd.as_ref().is_none_or(Statsd::is_drained)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

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
        let statsd = Statsd::connect(&StatsdConfig {
            host: "127.0.0.1".into(),
            port: socket.local_addr().unwrap().port(),
            namespace: "socorro.collector".into(),
            hostname: "h:1".into(),
        });
        let metrics = Metrics::with_statsd(statsd.unwrap());
        metrics.count(Count::IncomingCrash);
        metrics.count(Count::Malformed("bad_gzip"));
        metrics.time(Timing::OnPost, Duration::from_millis(7));
        metrics.histogram(
            Histogram::CrashSize {
                is_compressed: true,
            },
            400.0,
        );
        metrics.gauge(Gauge::SaveQueueSize, 3);
        while !metrics.is_drained() {
            std::thread::yield_now();
        }
        metrics.flush();
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
    fn totals_are_kept_without_statsd() {
        let metrics = Metrics::default();
        metrics.count(Count::Outcome(Outcome::Kept));
        metrics.count(Count::Outcome(Outcome::Kept));
        assert_eq!(metrics.total(&Count::Outcome(Outcome::Kept)), 2);
        assert_eq!(metrics.total(&Count::Outcome(Outcome::Faked)), 0);
    }
}
