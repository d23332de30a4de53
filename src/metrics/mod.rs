//! What is counted and measured: kept in the process, and told to StatsD where that is wanted.

mod catalog;
mod help;
mod page;
mod statsd;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use catalog::{Count, Described, Fate, Gauge, Histogram, Outcome, Timing};
pub use page::{TagValues, markdown};
pub use statsd::{Statsd, StatsdConfig};

/// The handle through which everything is counted. Cheap to clone, passed on, never global.
#[derive(Clone, Default)]
pub struct Metrics(Arc<Inner>);

#[derive(Default)]
struct Inner {
    statsd: Option<Statsd>,
    counts: Mutex<BTreeMap<Count, u64>>,
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
        if let Some(statsd) = &self.0.statsd {
            statsd.count(&count);
        }
        *self.counts().entry(count).or_insert(0) += 1;
    }

    pub fn time(&self, timing: Timing, took: Duration) {
        if let Some(statsd) = &self.0.statsd {
            statsd.time(&timing, took);
        }
    }

    pub fn histogram(&self, histogram: Histogram, value: f64) {
        if let Some(statsd) = &self.0.statsd {
            statsd.histogram(&histogram, value);
        }
    }

    pub fn gauge(&self, gauge: Gauge, value: u64) {
        if let Some(statsd) = &self.0.statsd {
            statsd.gauge(&gauge, value);
        }
    }

    /// How often something was counted since the process started.
    pub fn total(&self, count: &Count) -> u64 {
        self.counts().get(count).copied().unwrap_or(0)
    }

    /// Everything that was counted since the process started.
    pub fn totals(&self) -> Vec<(Count, u64)> {
        self.counts()
            .iter()
            .map(|(count, total)| (count.clone(), *total))
            .collect()
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

    fn counts(&self) -> MutexGuard<'_, BTreeMap<Count, u64>> {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner)
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
