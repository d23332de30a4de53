//! The system test: a black box against a running collector, for a node before it takes traffic.
//!
//! ```text
//! ANTENNA_URL=https://node-1.example.com cargo test --test system [-- WORD]
//! ```
//! Prints a line for each check and ends with 0 if all were passed, else 1. Without `ANTENNA_URL` it starts collectors of
//! its own, which makes it a test of itself. Not a load test, and it knows nothing of the node but what it is told:
//! `docs/testing.md` says by which variables.

mod checks;
mod itself;
mod node;
mod reports;
mod run;
mod storage;
mod support;

use std::process::ExitCode;

use node::Node;

fn main() -> ExitCode {
    // As the other test binaries: a word chooses, options are for their harness.
    let word = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let word = word.unwrap_or_default();
    let variables: Vec<_> = antenna::settings::environment().collect();
    let is_passed = match std::env::var("ANTENNA_URL") {
        Ok(url) => Node::new(&url, variables)
            .map_err(|problem| println!("system: {problem}"))
            .is_ok_and(|node| run::all(&node, &word).is_passed()),
        Err(_) => itself::all(&word),
    };
    match is_passed {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
