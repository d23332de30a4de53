//! Threads for saving reports: as few as keep the processors busy, more where the disk makes them wait.
//!
//! Handing each report to a thread of its own means waking one and putting it to sleep again, which costs as much as
//! writing a small report. A thread here goes on with the next report that waits.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::RecvError;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// Work that is not done by then may be waiting behind a slow disk: it gets a thread of its own.
const PATIENCE: Duration = Duration::from_millis(10);

type Work = Box<dyn FnOnce() + Send>;

/// A line of work and those who do it.
#[derive(Clone)]
pub(super) struct Threads {
    line: Arc<Mutex<Line>>,
    few: usize,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Work>,
    at_work: usize,
}

impl Threads {
    /// `few` threads are used as long as nothing waits for long.
    pub(super) fn new(few: usize) -> Self {
        Self {
            line: Arc::default(),
            few: few.max(1),
        }
    }

    /// What the work gives. When the caller stops waiting, it is done all the same.
    ///
    /// # Errors
    /// The work panicked, or the runtime ends.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, RecvError> {
        let (done, mut result) = oneshot::channel();
        self.add(Box::new(move || {
            // Whoever waited may have given up.
            let _ = done.send(work());
        }));
        if let Ok(result) = timeout(PATIENCE, &mut result).await {
            return result;
        }
        self.help();
        result.await
    }

    fn add(&self, work: Work) {
        let mut line = self.lock();
        line.waiting.push_back(work);
        if line.at_work < self.few {
            self.start(line);
        }
    }

    /// One more thread, if anything waits.
    fn help(&self) {
        let line = self.lock();
        if !line.waiting.is_empty() {
            self.start(line);
        }
    }

    fn start(&self, mut line: MutexGuard<'_, Line>) {
        line.at_work += 1;
        drop(line);
        let threads = self.clone();
        spawn_blocking(move || {
            while let Some(work) = threads.next() {
                // Its caller hears of a panic by the channel; the thread must go on counting.
                let _ = catch_unwind(AssertUnwindSafe(work));
            }
        });
    }

    fn next(&self) -> Option<Work> {
        let mut line = self.lock();
        let next = line.waiting.pop_front();
        if next.is_none() {
            line.at_work -= 1;
        }
        next
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[tokio::test]
    async fn everything_is_done_by_few() {
        let threads = Threads::new(2);
        let work = (0..1000).map(|number| threads.run(move || number));
        let done = futures_util::future::join_all(work).await;
        let done: Vec<_> = done.into_iter().map(Result::unwrap).collect();
        assert_eq!(done, (0..1000).collect::<Vec<_>>());
        assert!(threads.lock().waiting.is_empty());
    }

    #[tokio::test]
    async fn who_waits_behind_a_slow_disk_gets_help() {
        let threads = Threads::new(1);
        // Done only when all of them are at work.
        let all = Arc::new(Barrier::new(5));
        let work = (0..5).map(|_| {
            let all = all.clone();
            threads.run(move || all.wait())
        });
        let done = futures_util::future::join_all(work).await;
        assert!(done.iter().all(Result::is_ok));
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_not_the_end() {
        let threads = Threads::new(1);
        assert!(threads.run(|| panic!("on purpose")).await.is_err());
        assert_eq!(threads.run(|| 7).await, Ok(7));
    }
}
