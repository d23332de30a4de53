//! Kills and stops the real collector under load and counts what became of every report that was acknowledged.
//!
//! ```text
//! tests/fault/run.sh [--kills N] [--stops N] [--cuts N] [--seed N] [--binary PATH]
//! ```
//! What a killed process has written stays in the kernel's memory; what a power cut leaves is shown by `cuts`.

mod audit;
mod cuts;
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

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use rand::SeedableRng;
use rand::rngs::StdRng;

use support::volatile_disk::Strength;

/// From so many kills on, every named step must have been reached.
const LONG_RUN: usize = 200;
const PROBLEMS_SHOWN: usize = 50;
const STRENGTHS: [Strength; 2] = [Strength::Strict, Strength::Torn];

#[derive(Parser)]
struct Arguments {
    /// How often the collector is killed, over all ways of running it
    #[arg(long, default_value_t = 20)]
    kills: usize,
    /// How often it is stopped by SIGTERM, besides the stops of special kinds
    #[arg(long, default_value_t = 5)]
    stops: usize,
    /// How often the power is cut, over all ways of running it
    #[arg(long, default_value_t = 0)]
    cuts: usize,
    /// For the order of steps and the random moments
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Another build of the collector, with the cargo feature fail-points
    #[arg(long)]
    binary: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let started = Instant::now();
    let folder = tempfile::tempdir().expect("a temporary folder");
    process::copy_binary(folder.path(), arguments.binary.as_deref());
    let mut run = Run {
        dice: StdRng::seed_from_u64(arguments.seed),
        reports: 0,
        problems: Vec::new(),
    };
    run.kill(arguments.kills);
    run.stop(arguments.stops);
    run.cut(arguments.cuts);
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

    fn cut(&mut self, cuts: usize) {
        let disks = [false, true].into_iter();
        let disks: Vec<_> = disks
            .filter(|is_ext4| cuts > 0 && self.convict(*is_ext4))
            .collect();
        let scenes: Vec<_> = disks.into_iter().flat_map(scenes).collect();
        if scenes.is_empty() {
            return;
        }
        table::cuts_head();
        let shares = shares(cuts, scenes.len());
        for (scene, share) in scenes.into_iter().zip(shares) {
            let outcome = cuts::campaign(scene, share, self.first_report(), &mut self.dice);
            let outcome = outcome.expect("such a disk was there a moment ago");
            table::cut(&outcome);
            self.note(&scene.name(), outcome.audit.problems());
        }
    }

    /// Whether the harness notices each fsync that is missing. False where there can be no such disk.
    fn convict(&mut self, is_ext4: bool) -> bool {
        println!();
        for scene in cuts::guilty(is_ext4) {
            let first_report = self.first_report();
            let Some(is_noticed) = cuts::convicts(scene, first_report, &mut self.dice) else {
                println!("NOT TESTED: power cuts, {}", scene.name());
                return false;
            };
            let found = if is_noticed {
                "reports lost, as it must be"
            } else {
                "NOT NOTICED"
            };
            println!("{}: {found}", scene.name());
            if !is_noticed {
                self.problems.push(format!("not noticed: {}", scene.name()));
            }
        }
        true
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

/// Every way to run it, on one kind of disk.
fn scenes(is_ext4: bool) -> Vec<cuts::Scene> {
    let of_mode = |mode| STRENGTHS.map(|strength| cuts::Scene::honest(is_ext4, mode, strength));
    cuts::MODES.into_iter().flat_map(of_mode).collect()
}

/// Splits `all` into `parts` as evenly as it can be; the first get the rest.
fn shares(all: usize, parts: usize) -> impl Iterator<Item = usize> {
    (0..parts).map(move |at| all / parts + usize::from(at < all % parts))
}
