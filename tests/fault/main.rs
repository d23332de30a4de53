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
mod last_run;
mod load;
mod mode;
mod process;
mod reports;
mod site;
mod statsd;
mod stops;
mod support;
mod table;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// From so many kills on, every named step must have been reached.
const LONG_RUN: usize = 200;
const PROBLEMS_SHOWN: usize = 50;

#[derive(Parser)]
struct Arguments {
    /// How often the collector is killed, over all ways of running it
    #[arg(long, default_value_t = 20)]
    kills: usize,
    /// How often it is stopped by SIGTERM, besides the stops of special kinds
    #[arg(long, default_value_t = 5)]
    stops: usize,
    /// For the order of steps and the random moments
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let started = Instant::now();
    let folder = tempfile::tempdir().expect("a temporary folder");
    process::copy_binary(folder.path());
    let mut run = Run {
        dice: StdRng::seed_from_u64(arguments.seed),
        reports: 0,
        problems: Vec::new(),
    };
    run.kill(arguments.kills);
    run.stop(arguments.stops);
    let Run { problems, .. } = run;
    for problem in problems.iter().take(PROBLEMS_SHOWN) {
        println!("PROBLEM {problem}");
    }
    let seconds = started.elapsed().as_secs();
    let (seed, count) = (arguments.seed, problems.len());
    println!("{count} problems, seed {seed}, {seconds} s");
    match problems.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

struct Run {
    dice: StdRng,
    /// Where the numbers of the next campaign's reports begin.
    reports: u64,
    problems: Vec<String>,
}

impl Run {
    fn kill(&mut self, kills: usize) {
        if kills == 0 {
            return;
        }
        table::kills_head();
        let mut outcomes = Vec::new();
        for (mode, share) in kills::MODES
            .into_iter()
            .zip(shares(kills, kills::MODES.len()))
        {
            let outcome = kills::campaign(mode, share, self.first_report(), &mut self.dice);
            table::killed(&outcome);
            self.note(&mode.name(), outcome.audit.problems());
            outcomes.push(outcome);
        }
        let missed = kills::not_reached(&outcomes);
        let all: usize = outcomes
            .iter()
            .flat_map(|o| &o.reached)
            .collect::<std::collections::BTreeSet<_>>()
            .len();
        println!("killed at {all} named steps, {} not reached", missed.len());
        if kills >= LONG_RUN && !missed.is_empty() {
            self.problems.push(format!("never reached: {missed:?}"));
        }
    }

    fn stop(&mut self, stops: usize) {
        if stops == 0 {
            return;
        }
        table::stops_head();
        let usual = stops::SCENES
            .into_iter()
            .zip(shares(stops, stops::SCENES.len()));
        let special = stops::SPECIAL.into_iter().map(|scene| (scene, 1));
        for (scene, share) in usual.chain(special).filter(|(_, share)| *share > 0) {
            let outcome = stops::stop_often(scene, share, self.first_report(), &mut self.dice);
            table::stopped(&outcome);
            let name = format!("{}{}", scene.mode.name(), scene.name);
            self.note(&name, outcome.audit.problems());
        }
    }

    fn first_report(&mut self) -> u64 {
        self.reports += 1 << 32;
        self.reports
    }

    fn note(&mut self, name: &str, problems: Vec<String>) {
        let named = problems.into_iter().map(|text| format!("{name}: {text}"));
        self.problems.extend(named);
    }
}

/// Splits `all` into `parts` as evenly as it can be; the first get the rest.
fn shares(all: usize, parts: usize) -> impl Iterator<Item = usize> {
    (0..parts).map(move |at| all / parts + usize::from(at < all % parts))
}
