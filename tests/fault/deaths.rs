//! When and how a life ends: at a named step or at a random moment, in which weather.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::mode::Mode;
use super::site::{Place, Weather};

/// A step that is not reached within this time is given up: the life then ends at this moment.
const LONGEST: Duration = Duration::from_secs(4);
/// A step is due at one of the first times it is reached: of many, so that reports are acknowledged before, or of few
/// where it is only reached while storage is in trouble.
const LATEST_TIME: u32 = 40;
const LATEST_TIME_IN_TROUBLE: u32 = 4;

/// Moves a damaged entry to `failed/`.
pub const SET_ASIDE: &str = "spool.set_aside";
/// Each has a `.before` and an `.after`.
const SPOOL_STEPS: [&str; 8] = [
    "spool.create",
    "spool.write",
    "spool.sync_file",
    "spool.rename",
    "spool.sync_folder",
    "spool.advance",
    "spool.remove",
    SET_ASIDE,
];

/// The plan for one life.
#[derive(Clone, Debug)]
pub struct Death {
    /// The fail point and the time it is due.
    pub step: Option<(String, u32)>,
    /// `kill -9` comes after this time. Counted from the start, not from readiness, if `is_early`.
    pub after: Duration,
    pub is_early: bool,
    /// What the weather is and for how long, from readiness on, over and over. Empty: fine all the time.
    pub weather: Vec<(Weather, Duration)>,
}

/// Deaths for one campaign: every step in turn between random moments.
pub struct Deaths {
    mode: Mode,
    steps: Vec<String>,
    given: usize,
}

impl Deaths {
    pub fn of(mode: Mode, dice: &mut StdRng) -> Self {
        let mut steps: Vec<_> = steps(mode).into_iter().collect();
        steps.shuffle(dice);
        Self {
            mode,
            steps,
            given: 0,
        }
    }

    /// Two of three deaths are at a step, so that a long run gets round.
    pub fn next(&mut self, dice: &mut StdRng) -> Death {
        self.given += 1;
        if self.given.is_multiple_of(3) {
            return at_a_moment(dice);
        }
        let step = self.steps[(self.given - self.given / 3 - 1) % self.steps.len()].clone();
        let (weather, latest) = if needs_trouble(self.mode, &step) {
            (flicker(Weather::Away), LATEST_TIME_IN_TROUBLE)
        } else {
            (Vec::new(), LATEST_TIME)
        };
        Death {
            step: Some((step, dice.random_range(1..=latest))),
            after: LONGEST,
            is_early: false,
            weather,
        }
    }
}

fn at_a_moment(dice: &mut StdRng) -> Death {
    let is_early = dice.random_range(0..6) == 0;
    let weather = match dice.random_range(0..4) {
        0 => flicker(Weather::Away),
        1 => flicker(Weather::Hanging),
        2 => vec![(Weather::Away, LONGEST)],
        _ => Vec::new(),
    };
    Death {
        step: None,
        after: Duration::from_millis(dice.random_range(if is_early { 1..400 } else { 20..1200 })),
        is_early,
        weather,
    }
}

fn flicker(trouble: Weather) -> Vec<(Weather, Duration)> {
    vec![
        (trouble, Duration::from_millis(400)),
        (Weather::Fine, Duration::from_millis(600)),
    ]
}

/// Every named step that this way of running the collector can reach.
pub fn steps(mode: Mode) -> BTreeSet<String> {
    let mut around = vec!["save", "publish", "reply"];
    match mode.place {
        Place::Disk => around.extend([
            "fs.create",
            "fs.write",
            "fs.sync_file",
            "fs.rename",
            "fs.sync_folder",
        ]),
        Place::Moto => around.push("s3.put"),
    }
    let mut steps = BTreeSet::from(["saved.remembered".to_owned()]);
    if mode.has_spool {
        around.extend(SPOOL_STEPS);
        steps.insert("take.spooled".to_owned());
    }
    for step in around {
        steps.extend([format!("{step}.before"), format!("{step}.after")]);
    }
    steps
}

/// With `saved`, reports go through the spool only while storage is in trouble.
fn needs_trouble(mode: Mode, step: &str) -> bool {
    let is_put_or_later = step.starts_with("spool.") && !step.starts_with(SET_ASIDE);
    let is_only_for_reports = mode.place == Place::Disk || step.starts_with("spool.advance");
    mode.acknowledge == "saved"
        && (step == "take.spooled" || (is_put_or_later && is_only_for_reports))
}
