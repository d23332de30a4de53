//! What the heartbeat asks: whether a report that came now could be taken, and kept.

use std::sync::Arc;

use crate::crash_publish::CrashPublisher;
use crate::crash_storage::CrashStorage;
use crate::crashmover::Crashmover;
use crate::http::Check;
use crate::spool::Spool;

use super::Backends;

/// What must fit for a report to be kept: the usual one.
pub const REPORT_BYTES: u64 = 400_000;

/// Where reports go.
#[derive(Clone)]
pub(super) struct Outside {
    storage: CrashStorage,
    publisher: Arc<dyn CrashPublisher>,
    spool: Option<Spool>,
}

impl Outside {
    pub fn of(backends: &Backends, spool: Option<Spool>) -> Self {
        Self {
            storage: backends.storage.clone(),
            publisher: backends.publisher.clone(),
            spool,
        }
    }

    /// Reports are kept in the spool, whatever is unavailable behind it.
    fn has_spool(&self) -> bool {
        self.spool
            .as_ref()
            .is_some_and(|spool| spool.stats().room_bytes >= REPORT_BYTES && !spool.is_failing())
    }

    async fn check_storage(self) -> Result<(), String> {
        let checked = self.storage.check().await;
        checked.map_err(|error| error.to_string())
    }

    async fn check_queue(self) -> Result<(), String> {
        let checked = self.publisher.check().await;
        checked.map_err(|error| error.to_string())
    }
}

/// All checks, by the name that the heartbeat gives them.
pub(super) fn checks(outside: Outside, crashmover: Arc<Crashmover>) -> Vec<(&'static str, Check)> {
    let memory = crashmover.clone();
    vec![
        ("memory", at_once(move || check_memory(&memory))),
        ("save_queue", at_once(move || check_queue(&crashmover))),
        (
            "storage",
            unless_spooled(outside.clone(), Outside::check_storage),
        ),
        ("queue", unless_spooled(outside, Outside::check_queue)),
    ]
}

/// A check of what is not needed while there is room in the spool.
fn unless_spooled<F>(outside: Outside, check: fn(Outside) -> F) -> Check
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    Box::new(move || match outside.has_spool() {
        true => Box::pin(std::future::ready(Ok(()))),
        false => Box::pin(check(outside.clone())),
    })
}

/// A check that waits for nothing.
fn at_once(check: impl Fn() -> Result<(), String> + Send + Sync + 'static) -> Check {
    Box::new(move || Box::pin(std::future::ready(check())))
}

/// As the front door reserves it, so that the heartbeat agrees with what clients are answered.
fn check_memory(crashmover: &Crashmover) -> Result<(), String> {
    let reserved = crashmover.budget().reserve(REPORT_BYTES);
    let kept = reserved.and_then(|mut reserved| reserved.hold(REPORT_BYTES));
    kept.map_err(|_| {
        format!(
            "no memory for a report of {REPORT_BYTES} bytes: {} bytes are in use, BREAKPAD_MAX_IN_FLIGHT_BYTES bounds them",
            crashmover.budget().in_flight_bytes()
        )
    })
}

fn check_queue(crashmover: &Crashmover) -> Result<(), String> {
    if crashmover.has_room() {
        return Ok(());
    }
    let waiting = crashmover.sizes().save_queue;
    Err(format!(
        "{waiting} reports wait to be saved, and no more are taken: saving is too slow, and there is no room in a spool"
    ))
}
