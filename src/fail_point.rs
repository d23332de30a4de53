//! Named steps at which a test can make the process die on the spot, as `kill -9` would.
//!
//! Exists only in builds with the cargo feature `fail-points`; elsewhere every call here compiles to nothing.
//! Not a way to inject errors: the process aborts, or nothing happens.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// One per process, because the code that reaches a step must not have to carry a test's wishes around.
static ARMED: OnceLock<Armed> = OnceLock::new();

/// This build has no fail points, or one is armed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CannotArm;

impl fmt::Display for CannotArm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fail point can be armed once, in a build with the cargo feature fail-points")
    }
}

impl std::error::Error for CannotArm {}

/// Lets the process abort when it reaches `name` for the `nth` time (1: the first time).
///
/// # Errors
/// The build has no fail points, or another one is armed.
pub fn arm(name: &str, nth: u32) -> Result<(), CannotArm> {
    if !cfg!(feature = "fail-points") {
        return Err(CannotArm);
    }
    ARMED.set(Armed::new(name, nth)).map_err(|_| CannotArm)
}

/// Reads `name` or `name:n` as it is given to a process under test. `None`: empty, or `n` is not a number from 1.
pub fn parse(text: &str) -> Option<(&str, u32)> {
    let (name, nth) = match text.rsplit_once(':') {
        Some((name, nth)) => (name, nth.parse().ok()?),
        None => (text, 1),
    };
    (!name.is_empty() && nth > 0).then_some((name, nth))
}

/// Aborts if this is the armed step and its time has come.
#[inline]
pub fn reach(name: &str) {
    if cfg!(feature = "fail-points") {
        abort_if_due(name, "");
    }
}

/// Does a step with a fail point on either side: `<step>.before` and `<step>.after`.
#[inline]
pub fn around<T>(step: &str, doing: impl FnOnce() -> T) -> T {
    if cfg!(feature = "fail-points") {
        abort_if_due(step, ".before");
    }
    let done = doing();
    if cfg!(feature = "fail-points") {
        abort_if_due(step, ".after");
    }
    done
}

fn abort_if_due(step: &str, side: &str) {
    if ARMED.get().is_some_and(|armed| armed.is_due(step, side)) {
        std::process::abort();
    }
}

struct Armed {
    name: String,
    left: AtomicU32,
}

impl Armed {
    fn new(name: &str, nth: u32) -> Self {
        Self {
            name: name.to_owned(),
            left: AtomicU32::new(nth),
        }
    }

    /// True exactly once: when the name fits for the nth time.
    fn is_due(&self, step: &str, side: &str) -> bool {
        self.name.strip_prefix(step) == Some(side) && self.left.fetch_sub(1, Ordering::Relaxed) == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_armed_point_is_due_the_nth_time_it_is_reached() {
        let armed = Armed::new("spool.rename.after", 2);
        let reached = [".before", ".after", "", ".before", ".after", ".after"];
        let due: Vec<_> = reached
            .iter()
            .map(|side| armed.is_due("spool.rename", side))
            .collect();
        assert_eq!(due, [false, false, false, false, true, false]);
    }

    #[test]
    fn only_the_whole_name_fits() {
        let armed = Armed::new("reply", 1);
        assert!(!armed.is_due("rep", ".before"));
        assert!(!armed.is_due("replying", ""));
        assert!(armed.is_due("reply", ""));
    }

    #[test]
    fn a_point_is_named_with_or_without_a_count() {
        assert_eq!(parse("spool.rename.after"), Some(("spool.rename.after", 1)));
        assert_eq!(
            parse("spool.rename.after:7"),
            Some(("spool.rename.after", 7))
        );
        for bad in ["", ":1", "a:0", "a:", "a:b"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
