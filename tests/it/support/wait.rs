//! Waiting for a condition with a deadline: the only place where a test may sleep.

use std::time::{Duration, Instant};

/// Generous, because the tests share few cores with each other; a passing test never waits this long.
pub const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(5);

/// Asks `probe` until it has an answer.
///
/// # Errors
/// The deadline passed; the text says what was waited for.
pub fn wait_within<T>(
    patience: Duration,
    what: &str,
    mut probe: impl FnMut() -> Option<T>,
) -> Result<T, String> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = probe() {
            return Ok(answer);
        }
        if Instant::now() >= deadline {
            return Err(format!("waited {patience:?} in vain: {what}"));
        }
        std::thread::sleep(POLL);
    }
}

/// As [`wait_within`], with [`PATIENCE`], and a panic in place of the error.
pub fn wait_for<T>(what: &str, probe: impl FnMut() -> Option<T>) -> T {
    wait_within(PATIENCE, what, probe).unwrap_or_else(|problem| panic!("{problem}"))
}
