//! Metrics to StatsD over UDP, in DogStatsD's form of tags. Never blocks, never fails a request, never delays a start.

mod sender;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use cadence::prelude::*;
use cadence::{Metric, MetricBuilder, MetricSink, StatsdClient};

use super::catalog::Described;
use crate::settings::StatsdSettings;
use sender::{Message, Sender};

/// Lines that wait to be sent; what is beyond is lost rather than waited for. A megabyte.
const QUEUE_LINES: usize = 10_000;

/// Sends metrics. Cheap to clone.
#[derive(Clone)]
pub struct Statsd {
    client: Arc<StatsdClient>,
    messages: SyncSender<Message>,
    losses: Arc<Losses>,
}

/// What did not get through, as far as it can be noticed here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Found the queue full, or were in a packet that the network refused.
    pub lines: u64,
    /// Packets of up to 512 bytes that the network refused.
    pub failed_sends: u64,
}

#[derive(Default)]
struct Losses {
    lines: AtomicU64,
    failed_sends: AtomicU64,
}

impl Statsd {
    /// Starts the thread that finds the server and sends; `host` is the value of the tag of that name, none if empty.
    pub fn start(settings: &StatsdSettings, host: &str) -> Self {
        let (messages, received) = sync_channel(QUEUE_LINES);
        let losses = Arc::<Losses>::default();
        let sender = Sender::new(&settings.host, settings.port, losses.clone());
        let thread = std::thread::Builder::new().name("statsd".to_owned());
        if let Err(error) = thread.spawn(move || sender.run(&received)) {
            tracing::error!(%error, "no metrics are sent: their thread cannot be started");
        }
        let lines = Lines {
            messages: messages.clone(),
            losses: losses.clone(),
        };
        let client = StatsdClient::builder(&settings.namespace, lines);
        let client = match host {
            "" => client,
            host => client.with_tag("host", clean(host)),
        };
        Self {
            client: Arc::new(client.build()),
            messages,
            losses,
        }
    }

    pub fn count(&self, metric: &impl Described, times: u64) {
        send(self.client.count_with_tags(metric.name(), times), metric);
    }

    pub fn time(&self, metric: &impl Described, took: Duration) {
        send(self.client.time_with_tags(metric.name(), took), metric);
    }

    pub fn histogram(&self, metric: &impl Described, value: f64) {
        let builder = self.client.histogram_with_tags(metric.name(), value);
        send(builder, metric);
    }

    pub fn gauge(&self, metric: &impl Described, value: u64) {
        send(self.client.gauge_with_tags(metric.name(), value), metric);
    }

    /// Waits until everything before this has left, or `longest` is over. Blocks.
    pub fn flush(&self, longest: Duration) {
        let (done, flushed) = sync_channel(1);
        if self.messages.try_send(Message::Flush(done)).is_ok() {
            let _ = flushed.recv_timeout(longest);
        }
    }

    pub fn lost(&self) -> Lost {
        Lost {
            lines: self.losses.lines.load(Ordering::Relaxed),
            failed_sends: self.losses.failed_sends.load(Ordering::Relaxed),
        }
    }
}

fn send<'m, T: Metric + From<String>>(
    builder: MetricBuilder<'m, '_, T>,
    metric: &'m impl Described,
) {
    let builder = match metric.tag() {
        Some((name, value)) => builder.with_tag(name, value),
        None => builder,
    };
    // What does not fit into the queue is counted there.
    let _ = builder.try_send();
}

/// Where cadence puts its lines: into the thread's queue, if there is room.
struct Lines {
    messages: SyncSender<Message>,
    losses: Arc<Losses>,
}

impl MetricSink for Lines {
    fn emit(&self, line: &str) -> io::Result<usize> {
        if self
            .messages
            .try_send(Message::Line(line.to_owned()))
            .is_err()
        {
            self.losses.lines.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }
}

/// Characters that have a meaning in the protocol cannot stand in a tag.
fn clean(value: &str) -> String {
    value.replace([':', '|', ',', '#', '\n', ' '], "_")
}
