//! Settings of the crashmovers: how many, when a client is told yes, how often something is tried again.

use std::time::Duration;

use super::choice::{ACKNOWLEDGE, Acknowledge};
use super::reader::Reader;
use super::setting::{Section, Setting};
use super::value_type::{COUNT, PAUSE, SECONDS};

/// The queue of reports and those who empty it.
#[derive(Clone, Debug)]
pub struct CrashmoverSettings {
    pub concurrent_crashmovers: usize,
    /// Reports that may wait in memory to be saved.
    pub queue_size: usize,
    pub acknowledge: Acknowledge,
    pub ack_timeout: Duration,
    pub max_attempts: usize,
    /// May be zero.
    pub retry_sleep: Duration,
    /// For one call to something outside, saving or publishing.
    pub save_timeout: Duration,
    pub shutdown_timeout: Duration,
    /// Crash ids that may wait in memory to be published.
    pub publish_backlog: usize,
}

static SECTION: Section = Section {
    title: "Crashmovers",
    intro: "",
};

static CONCURRENT_CRASHMOVERS: Setting<usize> = Setting {
    names: &["CRASHMOVER_CONCURRENT_CRASHMOVERS"],
    default: "24",
    reason: "saving mostly waits, for the network or for the disk; the original of 2024 has 8 in each of its processes, that of 2026 has 2",
    help: "Reports saved at the same time. If `save_queue_size` climbs, try twice as many; too many make each save slower.",
    kind: COUNT,
};

static QUEUE_SIZE: Setting<usize> = Setting {
    names: &["CRASHMOVER_QUEUE_SIZE"],
    default: "1000",
    reason: "40 seconds of 1,500 reports a minute",
    help: "Reports that may wait in memory to be saved. When it is full, new requests are answered `503`. \
           `BREAKPAD_MAX_IN_FLIGHT_BYTES` bounds their size.",
    kind: COUNT,
};

pub(super) static ACKNOWLEDGE_WHEN: Setting<Acknowledge> = Setting {
    names: &["CRASHMOVER_ACKNOWLEDGE"],
    default: "saved",
    reason: "nothing acknowledged is lost when the process dies",
    help: "When a client is told that its report is kept. `saved`: when it is in crash storage, or with a spool when it is on \
           disk. `queued`: when it is in memory; fastest, but a killed process loses the queue. `spooled`: when it is in the \
           spool; needs `CRASHMOVER_SPOOL_DIR`.",
    kind: ACKNOWLEDGE,
};

pub(super) static ACK_TIMEOUT: Setting<Duration> = Setting {
    names: &["CRASHMOVER_ACK_TIMEOUT_SECONDS"],
    default: "8",
    reason: "some clients give up after 10 seconds",
    help: "How long a client is kept waiting for its report to be saved. After that the answer is `500`. With a spool, a report \
           that is not saved after three quarters of this is put there as well, and whichever is done first counts.",
    kind: SECONDS,
};

static MAX_ATTEMPTS: Setting<usize> = Setting {
    names: &["CRASHMOVER_MAX_ATTEMPTS"],
    default: "20",
    reason: "as the original of 2024 has it; that of 2026 has 5",
    help: "How often saving one report is tried while its client waits. Only failures that may pass are tried again. What is \
           acknowledged, or in the spool, is tried until it is saved, and publishing until it works.",
    kind: COUNT,
};

pub(super) static RETRY_SLEEP: Setting<Duration> = Setting {
    names: &["CRASHMOVER_RETRY_SLEEP_SECONDS"],
    default: "2",
    reason: "the original's",
    help: "Pause between two attempts to save. Each is between half and one and a half of it, so that not everybody comes back \
           at once.",
    kind: PAUSE,
};

static SAVE_TIMEOUT: Setting<Duration> = Setting {
    names: &["CRASHMOVER_SAVE_TIMEOUT_SECONDS"],
    default: "30",
    reason: "a server that accepts a connection and says nothing would be waited for without end",
    help: "Time for one call to storage or queue. After that the attempt has failed.",
    kind: SECONDS,
};

static SHUTDOWN_TIMEOUT: Setting<Duration> = Setting {
    names: &["CRASHMOVER_SHUTDOWN_TIMEOUT_SECONDS"],
    default: "60",
    reason: "a minute is long enough for clients that are sending already",
    help: "Time to finish after SIGTERM: at most two thirds for requests under way, the rest for queue and publishing. Whatever stops \
           the process must allow for more than this: Kubernetes grants 30 seconds unless \
           `terminationGracePeriodSeconds` says otherwise, Docker 10.",
    kind: SECONDS,
};

static PUBLISH_BACKLOG: Setting<usize> = Setting {
    names: &["CRASHMOVER_PUBLISH_BACKLOG"],
    default: "100000",
    reason: "more than an hour of 1,500 reports a minute, in some 10 MB",
    help: "Crash ids of saved reports that may wait in memory to be published while the queue is away.",
    kind: COUNT,
};

impl CrashmoverSettings {
    pub(super) fn read(values: &mut Reader) -> Self {
        values.section(&SECTION);
        Self {
            concurrent_crashmovers: values.take(&CONCURRENT_CRASHMOVERS),
            queue_size: values.take(&QUEUE_SIZE),
            acknowledge: values.take(&ACKNOWLEDGE_WHEN),
            ack_timeout: values.take(&ACK_TIMEOUT),
            max_attempts: values.take(&MAX_ATTEMPTS),
            retry_sleep: values.take(&RETRY_SLEEP),
            save_timeout: values.take(&SAVE_TIMEOUT),
            shutdown_timeout: values.take(&SHUTDOWN_TIMEOUT),
            publish_backlog: values.take(&PUBLISH_BACKLOG),
        }
    }
}
