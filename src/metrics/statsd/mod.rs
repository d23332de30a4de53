//! Metrics to StatsD over UDP, in DogStatsD's form of tags. Never blocks, never fails a request, never delays a start.

mod sender;

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use super::catalog::Described;
use crate::settings::StatsdSettings;
use sender::{Message, Sender};

/// Lines that wait to be sent; what is beyond is lost rather than waited for. A megabyte.
const QUEUE_LINES: usize = 10_000;

/// Sends metrics. Cheap to clone.
#[derive(Clone)]
pub struct Statsd {
    messages: SyncSender<Message>,
    /// The namespace with its dot, or nothing.
    prefix: Arc<str>,
    /// The tag `host`, or nothing.
    host: Arc<str>,
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
        let with_end = |text: &str, end: &str| match text {
            "" => String::new(),
            text => format!("{text}{end}"),
        };
        Self {
            messages,
            prefix: with_end(&settings.namespace, ".").into(),
            host: match host {
                "" => "".into(),
                host => format!("host:{}", clean(host)).into(),
            },
            losses,
        }
    }

    pub fn count(&self, metric: &impl Described, times: u64) {
        self.send(metric, times, "c");
    }

    pub fn time(&self, metric: &impl Described, took: Duration) {
        self.send(metric, took.as_millis(), "ms");
    }

    pub fn histogram(&self, metric: &impl Described, value: f64) {
        self.send(metric, value, "h");
    }

    pub fn gauge(&self, metric: &impl Described, value: u64) {
        self.send(metric, value, "g");
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

    fn send(&self, metric: &impl Described, value: impl Display, kind: &str) {
        let mut line = format!("{}{}:{value}|{kind}", self.prefix, metric.name());
        let tag = metric.tag().map(|(name, value)| format!("{name}:{value}"));
        let host = Some(&*self.host).filter(|host| !host.is_empty());
        for (tag, before) in host.into_iter().chain(tag.as_deref()).zip(["|#", ","]) {
            line.push_str(before);
            line.push_str(tag);
        }
        if self.messages.try_send(Message::Line(line)).is_err() {
            self.losses.lines.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Characters that have a meaning in the protocol cannot stand in a tag.
fn clean(value: &str) -> String {
    value.replace([':', '|', ',', '#', '\n', ' '], "_")
}
