//! What the suites share: a running collector, a raw client, reports to send, other people's servers, and a network that
//! can be made to fail. No expectation of any suite lives here.

pub mod balancer;
pub mod canonical_json;
pub mod collector;
pub mod crash;
pub mod fault_proxy;
pub mod kent;
pub mod moto;
pub mod nginx;
mod process;
pub mod s3s;
pub mod statsd;
pub mod stored;
pub mod tls;
/// Shared with `tests/fault`, which needs more of it.
#[allow(dead_code)]
pub mod volatile_disk;
pub mod wait;
pub mod wire;

use std::io::Write;

/// Writes one line that is seen even when the test passes: the harness captures the print macros, not the stream.
pub fn report(line: &str) {
    let mut stderr = std::io::stderr().lock();
    // Nobody to tell if standard error is gone.
    let _ = writeln!(stderr, "{line}");
}
