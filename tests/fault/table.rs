//! What the runs print.

use super::{cuts, kills, stops};

const KILLS: [&str; 10] = [
    "killed",
    "kills",
    "at steps",
    "acknowledged",
    "stored",
    "published",
    "duplicates",
    "unanswered",
    "refused",
    "lost",
];
const STOPS: [&str; 10] = [
    "stopped by SIGTERM",
    "stops",
    "reset",
    "acknowledged",
    "stored",
    "published",
    "slowest",
    "unanswered",
    "refused",
    "lost",
];

const CUTS: [&str; 10] = [
    "power cut",
    "cuts",
    "bad fsyncs",
    "acknowledged",
    "stored",
    "rotten",
    "half",
    "unanswered",
    "refused",
    "lost",
];

pub fn kills_head() {
    row(&KILLS.map(str::to_owned));
}

pub fn stops_head() {
    println!();
    row(&STOPS.map(str::to_owned));
}

pub fn killed(outcome: &kills::Outcome) {
    let audit = &outcome.audit;
    row(&[
        outcome.mode.name(),
        outcome.kills.to_string(),
        outcome.at_steps.to_string(),
        audit.acknowledged.to_string(),
        audit.stored.to_string(),
        audit.published.to_string(),
        audit.duplicates.to_string(),
        outcome.unanswered.to_string(),
        outcome.refused.to_string(),
        (audit.lost.len() + audit.unpublished.len()).to_string(),
    ]);
}

pub fn stopped(outcome: &stops::Outcome) {
    let audit = &outcome.audit;
    row(&[
        format!("{}{}", outcome.scene.mode.name(), outcome.scene.name),
        outcome.stops.to_string(),
        outcome.reset.to_string(),
        audit.acknowledged.to_string(),
        audit.stored.to_string(),
        audit.published.to_string(),
        format!("{:.1} s", outcome.slowest.as_secs_f64()),
        outcome.late.to_string(),
        outcome.refused.to_string(),
        (audit.lost.len() + audit.unpublished.len()).to_string(),
    ]);
}

pub fn cuts_head() {
    println!();
    row(&CUTS.map(str::to_owned));
}

pub fn cut(outcome: &cuts::Outcome) {
    let audit = &outcome.audit;
    row(&[
        outcome.scene.name(),
        outcome.cuts.to_string(),
        outcome.failed_fsyncs.to_string(),
        audit.acknowledged.to_string(),
        audit.stored.to_string(),
        outcome.rotten.to_string(),
        audit.wrong.len().to_string(),
        outcome.unanswered.to_string(),
        outcome.refused.to_string(),
        audit.lost.len().to_string(),
    ]);
}

fn row(cells: &[String; 10]) {
    let mut line = format!("{:<47}", cells[0]);
    for cell in &cells[1..] {
        line.push_str(&format!(" {cell:>12}"));
    }
    println!("{line}");
}
