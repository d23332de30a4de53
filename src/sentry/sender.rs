//! The thread through which all events go: what takes time is done here, above all giving names to the frames of a panic,
//! which takes a part of a second and tens of megabytes.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use ::sentry::Client;
use ::sentry::integrations::backtrace::backtrace_to_stacktrace;
use ::sentry::protocol::{Event, Stacktrace};
use backtrace::Backtrace;

/// Events that may wait to be completed; as many may wait to be sent. More are lost: the log has them.
pub const QUEUE_EVENTS: usize = 30;
/// Where panicking begins: what was called after these is not the culprit.
const PANIC_BEGINS: [&str; 5] = [
    "core::panicking::",
    "std::panicking::begin_panic",
    "std::panicking::panic_handler",
    "rust_begin_unwind",
    "__rustc::rust_begin_unwind",
];

enum Task {
    Event(Box<Event<'static>>, Option<Backtrace>),
    /// Answered when all events before it are with the client.
    Flush(SyncSender<()>),
}

/// The way for events to the thread.
#[derive(Clone)]
pub struct Sender {
    tasks: SyncSender<Task>,
    client: Arc<Client>,
}

impl Sender {
    pub fn start(client: Client) -> Self {
        let client = Arc::new(client);
        let (tasks, receiver) = sync_channel(QUEUE_EVENTS);
        // Without the thread events are lost, and nothing else is.
        let _ = std::thread::Builder::new()
            .name("sentry".to_owned())
            .spawn({
                let client = client.clone();
                move || work(&receiver, &client)
            });
        Self { tasks, client }
    }

    /// Never waits. The frames, those of a panic, have no names yet.
    pub fn send(&self, event: Event<'static>, frames: Option<Backtrace>) {
        let _ = self.tasks.try_send(Task::Event(Box::new(event), frames));
    }

    /// Waits until everything is sent, no longer than `limit`. True if it is.
    ///
    /// In a thread of its own, which is left behind: the client waits without end where its queue is full.
    pub fn flush(&self, limit: Duration) -> bool {
        let (done, is_done) = sync_channel(1);
        let sender = self.clone();
        let thread = std::thread::Builder::new()
            .name("sentry-flush".to_owned())
            .spawn(move || {
                let is_sent = sender.hand_over() && sender.client.flush(Some(limit));
                // Nobody may be waiting any more.
                let _ = done.send(is_sent);
            });
        thread.is_ok() && is_done.recv_timeout(limit).unwrap_or(false)
    }

    fn hand_over(&self) -> bool {
        let (done, is_done) = sync_channel(1);
        self.tasks.send(Task::Flush(done)).is_ok() && is_done.recv().is_ok()
    }
}

fn work(tasks: &Receiver<Task>, client: &Client) {
    while let Ok(task) = tasks.recv() {
        perform(task, client);
        while let Ok(task) = tasks.try_recv() {
            perform(task, client);
        }
        // What is kept to find names faster is larger than the rest of the process.
        backtrace::clear_symbol_cache();
    }
}

fn perform(task: Task, client: &Client) {
    match task {
        Task::Event(mut event, frames) => {
            if let Some(exception) = event.exception.last_mut() {
                exception.stacktrace = frames.and_then(named);
            }
            client.capture_event(*event, None);
        }
        Task::Flush(done) => {
            // Nobody may be waiting any more.
            let _ = done.send(());
        }
    }
}

/// Frames with names, oldest first, down to the one that panicked.
fn named(mut frames: Backtrace) -> Option<Stacktrace> {
    frames.resolve();
    let mut stack = backtrace_to_stacktrace(&frames)?;
    let panic = stack.frames.iter().position(|frame| {
        let name = frame.function.as_deref().unwrap_or_default();
        PANIC_BEGINS.iter().any(|begin| name.starts_with(begin))
    });
    if let Some(panic) = panic {
        stack.frames.truncate(panic);
    }
    Some(stack)
}
