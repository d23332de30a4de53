//! The last, undisturbed life on a folder: whatever still waits is handed on.

use std::time::Duration;

use rustix::process::Signal;

use super::mode::Mode;
use super::process::Life;
use super::site::Site;
use super::support::wait::wait_within;

/// For everything that waits in the spool.
const DRAIN_TIME: Duration = Duration::from_secs(180);
const STOP_TIME: Duration = Duration::from_secs(60);

/// Runs until the spool is empty, then stops; what went wrong.
pub fn last_run(site: &Site, mode: Mode, number: u32) -> Vec<String> {
    let mut life = Life::start(site.folder(), number, &mode.settings(site));
    if let Err(status) = life.ready() {
        return vec![format!(
            "the last start ended with {status}: {}",
            life.tail()
        )];
    }
    let is_empty = || {
        let mut states = ["incoming", "save", "publish"].iter();
        states.all(|state| site.spooled(state) == 0).then_some(())
    };
    let drained = wait_within(DRAIN_TIME, "an empty spool", is_empty);
    life.signal(Signal::TERM);
    let mut problems: Vec<_> = drained.err().into_iter().collect();
    match life.ended_within(STOP_TIME) {
        Some(status) if status.success() => {}
        status => problems.push(format!(
            "the last run ended with {status:?}: {}",
            life.tail()
        )),
    }
    problems
}
