//! The same report many times, several at once, with a line that tells how far it is where somebody watches.

use std::io::{IsTerminal, Write};
use std::num::NonZeroU16;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::post::Post;
use super::tally::SubmitTally;

const TELL_EVERY: Duration = Duration::from_millis(200);

/// Posts the report `repeat` times; what became of all, and how long that took. Ctrl-C ends it early.
pub async fn post(post: Post, repeat: u64, concurrency: NonZeroU16) -> (SubmitTally, Duration) {
    let started = Instant::now();
    let work = Arc::new(Work {
        post,
        left: AtomicU64::new(repeat),
        tally: Mutex::default(),
    });
    let mut workers = JoinSet::new();
    for _ in 0..u64::from(concurrency.get()).min(repeat) {
        workers.spawn(work.clone().run());
    }
    let all = async { while workers.join_next().await.is_some() {} };
    tokio::select! {
        () = all => {}
        () = tell(&work, repeat, started) => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    clear_line();
    let tally = work.tally.lock().unwrap_or_else(PoisonError::into_inner);
    (tally.clone(), started.elapsed())
}

struct Work {
    post: Post,
    left: AtomicU64,
    tally: Mutex<SubmitTally>,
}

impl Work {
    async fn run(self: Arc<Self>) {
        while self.take_one() {
            let started = Instant::now();
            let outcome = self.post.send().await;
            let took = started.elapsed();
            let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
            tally.add(outcome, took);
        }
    }

    /// False if none is left.
    fn take_one(&self) -> bool {
        let less = |left: u64| left.checked_sub(1);
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_ok()
    }
}

/// Writes over its own line for ever; where nobody watches it says nothing.
async fn tell(work: &Work, repeat: u64, started: Instant) {
    if !std::io::stderr().is_terminal() {
        return std::future::pending().await;
    }
    loop {
        let line = {
            let tally = work.tally.lock().unwrap_or_else(PoisonError::into_inner);
            tally.progress(repeat, started.elapsed())
        };
        // Nobody to tell if standard error is gone.
        let _ = write!(std::io::stderr(), "\r\x1b[K{line}");
        tokio::time::sleep(TELL_EVERY).await;
    }
}

fn clear_line() {
    if std::io::stderr().is_terminal() {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
}
