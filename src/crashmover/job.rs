//! A report in the queue, and what was promised about it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

use crate::crash::{CrashId, CrashReport};
use crate::spool::Entry;

use super::NotKept;
use super::budget::Reservation;

/// What the client of a report was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Told {
    /// Nothing yet.
    #[default]
    Nothing,
    /// That it is kept: saved, in the queue, or in the spool under a mover's eyes.
    Kept,
    /// That it is kept, because it went into the spool: saving it is the spool's business now.
    Spooled,
    /// That it is not kept.
    NotKept,
}

/// A report with the memory that is set aside for it.
pub struct Parcel {
    pub report: CrashReport,
    /// Given back when the parcel goes.
    _reservation: Reservation,
}

impl Parcel {
    pub fn new(report: CrashReport, reservation: Reservation) -> Self {
        Self {
            report,
            _reservation: reservation,
        }
    }
}

/// A promise in the making: shared by the mover that saves the report and by whoever waits for it.
///
/// The first to settle it wins. Once nobody will save from memory, the parcel is taken out, so that a report which waits
/// behind a hanging storage does not hold memory for nothing.
pub struct Promise {
    pub id: CrashId,
    /// When the report was accepted.
    pub accepted: Instant,
    state: Mutex<State>,
}

struct State {
    told: Told,
    parcel: Option<Parcel>,
}

impl Promise {
    pub fn new(parcel: Parcel, told: Told) -> Arc<Self> {
        let (id, accepted) = (parcel.report.id.clone(), Instant::now());
        Arc::new(Self {
            id,
            accepted,
            state: Mutex::new(State {
                told,
                parcel: Some(parcel),
            }),
        })
    }

    /// Settles what the client is told, unless it is settled already; what holds afterwards.
    pub fn settle(&self, told: Told) -> Told {
        let mut state = self.lock();
        if state.told == Told::Nothing {
            state.told = told;
        }
        if state.told == Told::Spooled {
            state.parcel = None;
        }
        state.told
    }

    pub fn told(&self) -> Told {
        self.lock().told
    }

    /// The report, as long as somebody has to save it from memory. The parcel stays until [`Promise::done`].
    pub fn report(&self) -> Option<CrashReport> {
        self.lock()
            .parcel
            .as_ref()
            .map(|parcel| parcel.report.clone())
    }

    /// The parcel, to be kept by other means.
    pub fn take(&self) -> Option<Parcel> {
        self.lock().parcel.take()
    }

    /// The report left memory.
    pub fn done(&self) {
        drop(self.take());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A report in the queue.
pub struct Job {
    pub promise: Arc<Promise>,
    /// Told when the report was saved or cannot be.
    pub done: Option<oneshot::Sender<Result<(), NotKept>>>,
    /// Where it lies in the spool, if it was put there before it was acknowledged.
    pub entry: Option<Entry>,
}

impl Job {
    /// True if its client was told yes on the strength of memory alone.
    pub fn is_in_memory_only(&self) -> bool {
        self.done.is_none() && self.entry.is_none()
    }
}

/// Jobs that movers are working on, so that they can be looked after when the process has to stop without them.
#[derive(Default)]
pub struct AtWork(Mutex<Vec<Arc<Promise>>>);

impl AtWork {
    pub fn begin(&self, promise: &Arc<Promise>) {
        self.lock().push(promise.clone());
    }

    pub fn end(&self, promise: &Arc<Promise>) {
        promise.done();
        self.lock().retain(|other| !Arc::ptr_eq(other, promise));
    }

    pub fn len(&self) -> usize {
        self.lock().len()
    }

    pub fn take_all(&self) -> Vec<Arc<Promise>> {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Promise>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
