//! A report on its way to being kept: what its client was told, which ways to keep it are being tried, and who holds its
//! memory.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::watch;

use crate::crash::{CrashId, CrashReport};
use crate::spool::Entry;

use super::NotKept;
use super::budget::Reservation;

/// What the client of a report is told, and where the report is if that is yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAnswer {
    /// Not decided yet.
    Open,
    /// Acknowledged, and in memory only.
    Queued,
    /// Acknowledged, and in crash storage.
    Saved,
    /// Acknowledged, and in the spool.
    Spooled,
    /// Not acknowledged; it may be kept all the same, late.
    Refused(NotKept),
}

/// A report with the memory that is set aside for it, given back when the last of its holders lets go.
#[derive(Clone)]
pub struct BufferedReport(Arc<Buffered>);

struct Buffered {
    report: CrashReport,
    /// After the report, since fields are dropped in their order.
    _reservation: Reservation,
}

impl BufferedReport {
    pub fn new(report: CrashReport, reservation: Reservation) -> Self {
        Self(Arc::new(Buffered {
            report,
            _reservation: reservation,
        }))
    }
}

impl Deref for BufferedReport {
    type Target = CrashReport;

    fn deref(&self) -> &CrashReport {
        &self.0.report
    }
}

/// Where a report's entry in the spool goes once it is there.
pub enum EntryIs {
    /// With whoever put it: nobody else has the report.
    Free(Entry),
    /// With the mover that is saving the report already.
    BeingSaved,
    /// With the report in memory, for the mover that is given it next.
    Waiting,
}

/// A report that is to be kept: shared by whoever tries to keep it and whoever answers its client.
pub struct PendingReport {
    pub id: CrashId,
    /// When the report was accepted.
    pub accepted: SystemTime,
    state: watch::Sender<State>,
}

struct State {
    answer: ClientAnswer,
    /// Ways to keep it that are being tried.
    attempts: usize,
    /// Until it is kept.
    report: Option<BufferedReport>,
    /// Its entry in the spool, while it is saved from memory.
    entry: Option<Entry>,
    is_being_saved: bool,
    is_being_put: bool,
}

impl PendingReport {
    pub fn new(report: BufferedReport) -> Arc<Self> {
        Arc::new(Self {
            id: report.id.clone(),
            accepted: SystemTime::now(),
            state: watch::Sender::new(State {
                answer: ClientAnswer::Open,
                attempts: 0,
                report: Some(report),
                entry: None,
                is_being_saved: false,
                is_being_put: false,
            }),
        })
    }

    pub fn answer(&self) -> ClientAnswer {
        self.state.borrow().answer
    }

    /// Decides what the client is told, unless that is decided; what holds afterwards.
    pub fn settle(&self, answer: ClientAnswer) -> ClientAnswer {
        self.change(|state| state.settle(answer))
    }

    /// The answer, as soon as there is one.
    pub async fn settled(&self) -> ClientAnswer {
        self.wait_for(|state| state.answer != ClientAnswer::Open)
            .await
    }

    /// The answer, as soon as nobody is putting it into the spool.
    pub async fn put_over(&self) -> ClientAnswer {
        self.wait_for(|state| !state.is_being_put).await
    }

    async fn wait_for(&self, is_so: impl FnMut(&State) -> bool) -> ClientAnswer {
        let mut states = self.state.subscribe();
        let state = states.wait_for(is_so).await;
        // Fails when the sender is gone, which is a part of `self`.
        state.map_or(ClientAnswer::Open, |state| state.answer)
    }

    /// One more way to keep it is being tried.
    pub fn attempt(self: &Arc<Self>) -> Attempt {
        self.change(|state| state.attempts += 1);
        Attempt(Some(self.clone()))
    }

    /// The report, for a mover; `None` if there is nothing to do for it.
    pub fn begin_saving(&self) -> Option<BufferedReport> {
        self.change(|state| {
            state.is_being_saved = state.report.is_some();
            state.report.clone()
        })
    }

    /// It is in storage. Its answer, and its entry if it is in the spool as well.
    pub fn saved(&self) -> (ClientAnswer, Option<Entry>) {
        self.change(|state| {
            state.is_being_saved = false;
            state.report = None;
            (state.settle(ClientAnswer::Saved), state.entry.take())
        })
    }

    /// Its entry, if it is in the spool.
    pub fn take_entry(&self) -> Option<Entry> {
        self.change(|state| state.entry.take())
    }

    /// No mover is saving it any more. Its entry, if it is in the spool.
    pub fn not_saved(&self) -> Option<Entry> {
        self.change(|state| {
            state.is_being_saved = false;
            let entry = state.entry.take();
            if entry.is_some() {
                state.report = None;
            }
            entry
        })
    }

    /// The report, to be put into the spool; `None` if there is no need, or somebody does so already.
    pub fn begin_put(&self) -> Option<BufferedReport> {
        use ClientAnswer::{Open, Queued};
        self.change(|state| {
            let is_wanted = matches!(state.answer, Open | Queued) && !state.is_being_put;
            let report = state.report.clone().filter(|_| is_wanted)?;
            state.is_being_put = true;
            Some(report)
        })
    }

    pub fn not_put(&self) {
        self.change(|state| state.is_being_put = false);
    }

    /// It is in the spool. `stays`: a mover will get it from memory.
    pub fn put(&self, entry: Entry, stays: bool) -> (ClientAnswer, EntryIs) {
        self.change(|state| {
            state.is_being_put = false;
            let answer = state.settle(ClientAnswer::Spooled);
            if answer == ClientAnswer::Saved {
                return (answer, EntryIs::Free(entry));
            }
            if state.is_being_saved {
                state.entry = Some(entry);
                return (answer, EntryIs::BeingSaved);
            }
            if stays && answer == ClientAnswer::Spooled {
                state.entry = Some(entry);
                return (answer, EntryIs::Waiting);
            }
            state.report = None;
            (answer, EntryIs::Free(entry))
        })
    }

    fn give_up(&self, why: NotKept) -> bool {
        self.change(|state| {
            state.attempts -= 1;
            if state.attempts > 0 {
                return false;
            }
            let answer = state.settle(ClientAnswer::Refused(why));
            let is_kept = matches!(answer, ClientAnswer::Saved | ClientAnswer::Spooled);
            !is_kept && state.report.take().is_some()
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut result = None;
        self.state.send_modify(|state| result = Some(change(state)));
        result.expect("send_modify calls it")
    }
}

impl State {
    /// The first answer holds. What is acknowledged in memory may still find a better place.
    fn settle(&mut self, answer: ClientAnswer) -> ClientAnswer {
        use ClientAnswer::{Open, Queued, Saved, Spooled};
        match (self.answer, answer) {
            (Open, _) | (Queued, Saved | Spooled) => self.answer = answer,
            _ => {}
        }
        self.answer
    }
}

/// One way that is being tried to keep a report. When the last is given up, its client is refused.
pub struct Attempt(Option<Arc<PendingReport>>);

impl Attempt {
    /// Gives it up. True if it was the last, so that the report is lost.
    pub fn fail(mut self, why: NotKept) -> bool {
        self.0.take().is_some_and(|pending| pending.give_up(why))
    }

    pub fn pending(&self) -> &Arc<PendingReport> {
        self.0.as_ref().expect("it is taken out at the end only")
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(pending) = self.0.take() {
            pending.give_up(NotKept::SaveFailed);
        }
    }
}

/// What movers are working on, so that it can be looked after when the process has to stop without them.
#[derive(Default)]
pub struct AtWork(Mutex<Vec<Attempt>>);

impl AtWork {
    pub fn begin(&self, attempt: Attempt) -> Arc<PendingReport> {
        let pending = attempt.pending().clone();
        self.lock().push(attempt);
        pending
    }

    /// `None` if somebody else looks after it.
    pub fn end(&self, pending: &Arc<PendingReport>) -> Option<Attempt> {
        let mut attempts = self.lock();
        let at = attempts
            .iter()
            .position(|attempt| Arc::ptr_eq(attempt.pending(), pending))?;
        Some(attempts.swap_remove(at))
    }

    pub fn len(&self) -> usize {
        self.lock().len()
    }

    pub fn take_all(&self) -> Vec<Attempt> {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Attempt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
