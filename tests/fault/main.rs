//! Kills and stops the real collector under load and counts what became of every report that was acknowledged.
//!
//! ```text
//! tests/fault/run.sh [--kills N] [--stops N] [--seed N]
//! ```
//! Not a test of power failures: what a killed process has written stays in the page cache. The spool's simulated disk
//! models those.

mod audit;
mod deaths;
mod kills;
mod load;
mod mode;
mod process;
mod reports;
mod site;
mod support;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// From so many kills on, every named step must have been reached.
const LONG_RUN: usize = 200;

#[derive(Parser)]
struct Arguments {
    /// How often the collector is killed, over all ways of running it
    #[arg(long, default_value_t = 20)]
    kills: usize,
    /// For the order of steps and the random moments
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let started = Instant::now();
    let folder = tempfile::tempdir().expect("a temporary folder");
    process::copy_binary(folder.path());
    let mut dice = StdRng::seed_from_u64(arguments.seed);
    let mut problems = Vec::new();
    println!(
        "{:<26} {:>5} {:>8} {:>12} {:>7} {:>9} {:>10} {:>10} {:>8} {:>5}",
        "killed",
        "kills",
        "at steps",
        "acknowledged",
        "stored",
        "published",
        "duplicates",
        "unanswered",
        "refused",
        "lost"
    );
    let mut outcomes = Vec::new();
    for (at, mode) in kills::MODES.into_iter().enumerate() {
        let share = (arguments.kills + at) / kills::MODES.len();
        let outcome = kills::campaign(mode, share, (at as u64) << 32, &mut dice);
        let audit = &outcome.audit;
        println!(
            "{:<26} {:>5} {:>8} {:>12} {:>7} {:>9} {:>10} {:>10} {:>8} {:>5}",
            mode.name(),
            outcome.kills,
            outcome.at_steps,
            audit.acknowledged,
            audit.stored,
            audit.published,
            audit.duplicates,
            outcome.unanswered,
            outcome.refused,
            audit.lost.len() + audit.unpublished.len()
        );
        problems.extend(
            audit
                .problems()
                .into_iter()
                .map(|text| format!("{}: {text}", mode.name())),
        );
        outcomes.push(outcome);
    }
    let missed = kills::not_reached(&outcomes);
    println!("named steps that killed: all but {missed:?}");
    if arguments.kills >= LONG_RUN && !missed.is_empty() {
        problems.push(format!("steps that were never reached: {missed:?}"));
    }
    for problem in problems.iter().take(50) {
        println!("PROBLEM {problem}");
    }
    println!("seed {}, {} s", arguments.seed, started.elapsed().as_secs());
    if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
