//! Metrics to StatsD over UDP, in DogStatsD's form of tags. Never blocks, never fails a request.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cadence::prelude::*;
use cadence::{BufferedUdpMetricSink, MetricSink, QueuingMetricSink, StatsdClient};

use super::catalog::Described;

/// Where metrics go.
#[derive(Clone, Debug)]
pub struct StatsdConfig {
    pub host: String,
    pub port: u16,
    /// Put before every name, for instance `socorro.collector`. May be empty.
    pub namespace: String,
    /// Value of the tag `host`; none where it is empty.
    pub hostname: String,
}

/// Lines that wait to be sent; what is beyond is lost rather than waited for.
const QUEUE_LINES: usize = 10_000;

/// Sends metrics. Cheap to clone.
#[derive(Clone)]
pub struct Statsd {
    client: Arc<StatsdClient>,
    sink: Arc<QueuingMetricSink>,
    lost_lines: Arc<AtomicU64>,
}

/// What did not get through, as far as it can be noticed here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Found the queue full.
    pub lines: u64,
    /// Packets of up to 512 bytes that the network refused; cadence keeps their lines for the next one.
    pub failed_sends: u64,
}

impl Statsd {
    /// Opens the socket and finds the host.
    ///
    /// # Errors
    /// No socket, or a name that does not resolve.
    pub fn connect(config: &StatsdConfig) -> Result<Self, cadence::MetricError> {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        socket.set_nonblocking(true)?;
        let buffered = BufferedUdpMetricSink::from((config.host.as_str(), config.port), socket)?;
        let sink = Arc::new(QueuingMetricSink::with_capacity(buffered, QUEUE_LINES));
        let lost_lines = Arc::<AtomicU64>::default();
        let shared = Shared(sink.clone(), lost_lines.clone());
        let builder = StatsdClient::builder(&config.namespace, shared);
        let builder = if config.hostname.is_empty() {
            builder
        } else {
            builder.with_tag("host", clean(&config.hostname))
        };
        Ok(Self {
            client: Arc::new(builder.build()),
            sink,
            lost_lines,
        })
    }

    pub fn count(&self, metric: &impl Described, times: u64) {
        send(self.client.count_with_tags(metric.name(), times), metric);
    }

    pub fn time(&self, metric: &impl Described, took: Duration) {
        send(self.client.time_with_tags(metric.name(), took), metric);
    }

    pub fn histogram(&self, metric: &impl Described, value: f64) {
        send(
            self.client.histogram_with_tags(metric.name(), value),
            metric,
        );
    }

    pub fn gauge(&self, metric: &impl Described, value: u64) {
        send(self.client.gauge_with_tags(metric.name(), value), metric);
    }

    /// Sends what waits in the buffer; the sink itself does so only when the buffer is full.
    pub fn flush(&self) {
        // A full or closed queue loses lines, as UDP may: metrics never hold up reports.
        let _ = self.client.flush();
    }

    pub fn lost(&self) -> Lost {
        Lost {
            lines: self.lost_lines.load(Ordering::Relaxed),
            failed_sends: self.sink.stats().packets_dropped,
        }
    }

    /// True when all lines have left the queue.
    pub fn is_drained(&self) -> bool {
        self.sink.queued() == 0
    }
}

fn send<'m, T: cadence::Metric + From<String>>(
    builder: cadence::MetricBuilder<'m, '_, T>,
    metric: &'m impl Described,
) {
    let builder = match metric.tag() {
        Some((name, value)) => builder.with_tag(name, value),
        None => builder,
    };
    // See flush.
    let _ = builder.try_send();
}

/// Characters that have a meaning in the protocol cannot stand in a tag.
fn clean(value: &str) -> String {
    value.replace([':', '|', ',', '#', '\n', ' '], "_")
}

/// The queue is needed twice: by the client, and to see whether it is empty. Counts what finds it full.
struct Shared(Arc<QueuingMetricSink>, Arc<AtomicU64>);

impl MetricSink for Shared {
    fn emit(&self, metric: &str) -> std::io::Result<usize> {
        self.0.emit(metric).inspect_err(|_| {
            self.1.fetch_add(1, Ordering::Relaxed);
        })
    }

    fn flush(&self) -> std::io::Result<()> {
        self.0.flush()
    }
}
