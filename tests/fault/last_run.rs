//! The last, undisturbed life on a folder: whatever still waits is handed on.

use std::time::Duration;

use rustix::process::Signal;

use super::mode::Mode;
use super::process::Life;
use super::site::Site;
use super::support::wait::wait_within;

/// For one more report to leave the spool; longer than the longest pause between two attempts.
const PROGRESS_TIME: Duration = Duration::from_secs(60);
const STOP_TIME: Duration = Duration::from_secs(60);

/// For one call: nothing is made to hang any more, but the machine may be busy.
const CALL_SECONDS: &str = "30";

/// Runs until the spool is empty, then stops; what went wrong.
pub fn last_run(site: &Site, mode: Mode, number: u32) -> Vec<String> {
    let mut settings = mode.settings(site);
    let name = "CRASHMOVER_SAVE_TIMEOUT_SECONDS".to_owned();
    settings.push((name, CALL_SECONDS.to_owned()));
    let mut life = Life::start(site.folder(), number, &settings);
    if let Err(status) = life.ready() {
        return vec![format!(
            "the last start ended with {status}: {}",
            life.tail()
        )];
    }
    let drained = drain(site);
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

/// Waits until the spool is empty, as long as it becomes emptier.
fn drain(site: &Site) -> Result<(), String> {
    let waiting = || {
        let states = ["incoming", "save", "publish"].iter();
        states.map(|state| site.spooled(state)).sum::<usize>()
    };
    let mut left = waiting();
    while left > 0 {
        let now = || Some(waiting()).filter(|now| *now < left);
        left = wait_within(PROGRESS_TIME, "fewer entries in the spool", now)?;
    }
    Ok(())
}
