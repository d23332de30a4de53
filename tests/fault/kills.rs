//! Campaigns of deaths: one folder, many lives under load, and an audit at the end.

use std::collections::BTreeSet;
use std::time::Instant;

use rand::rngs::StdRng;

use super::audit::Audit;
use super::deaths::{Death, Deaths, SET_ASIDE, steps};
use super::last_run::last_run;
use super::load::Load;
use super::mode::Mode;
use super::process::{Life, Settings, was_aborted, was_killed};
use super::site::{Place, Site, Weather};

/// Killed are the ways to run it in which a yes must survive a kill.
pub const MODES: [Mode; 5] = [
    Mode::new(Place::Moto, "saved", true),
    Mode::new(Place::Moto, "spooled", true),
    Mode::new(Place::Disk, "saved", true),
    Mode::new(Place::Disk, "spooled", true),
    Mode::new(Place::Disk, "saved", false),
];
/// What came out of a campaign.
pub struct Outcome {
    pub mode: Mode,
    pub kills: usize,
    /// Kills by a fail point.
    pub at_steps: usize,
    /// Names of the fail points that killed.
    pub reached: BTreeSet<String>,
    pub unanswered: usize,
    pub refused: usize,
    pub audit: Audit,
}

/// Kills a collector `kills` times, lets a last one finish, and compares.
pub fn campaign(mode: Mode, kills: usize, first_report: u64, dice: &mut StdRng) -> Outcome {
    let mut campaign = Campaign {
        mode,
        site: Site::new(mode.place),
        load: Load::start(mode.place, first_report),
        lives: 0,
        planted: 0,
        reached: BTreeSet::new(),
        at_steps: 0,
    };
    let mut deaths = Deaths::of(mode, dice);
    for _ in 0..kills {
        campaign.live_and_die(&deaths.next(dice));
    }
    campaign.finish(kills)
}

struct Campaign {
    mode: Mode,
    site: Site,
    load: Load,
    lives: u32,
    /// Damaged files that the test put into the spool.
    planted: usize,
    reached: BTreeSet<String>,
    at_steps: usize,
}

impl Campaign {
    fn live_and_die(&mut self, death: &Death) {
        let mut settings = self.mode.settings(&self.site);
        if let Some((step, nth)) = &death.step {
            let nth = if self.plant(step) { &1 } else { nth };
            settings.push(("ANTENNA_FAIL_POINT".to_owned(), format!("{step}:{nth}")));
        }
        let mut life = self.start(&settings);
        let ended = match death.is_early {
            true => life.ended_within(death.after),
            false => self.live(&mut life, death),
        };
        let status = ended.unwrap_or_else(|| life.kill());
        self.load.pause();
        self.site.set(Weather::Fine);
        assert!(
            was_killed(status),
            "{status} after {death:?}:\n{}",
            life.tail()
        );
        if let (true, Some((step, _))) = (was_aborted(status), &death.step) {
            self.at_steps += 1;
            self.reached.insert(step.clone());
        }
    }

    fn start(&mut self, settings: &Settings) -> Life {
        self.lives += 1;
        Life::start(self.site.folder(), self.lives, settings)
    }

    /// Takes reports until it is time to die. The status if it died by itself.
    fn live(&self, life: &mut Life, death: &Death) -> Option<std::process::ExitStatus> {
        let address = match life.ready() {
            Ok(address) => address,
            Err(status) => return Some(status),
        };
        let end = Instant::now() + death.after;
        self.load.aim(address);
        let mut weather = death.weather.iter().cycle();
        while Instant::now() < end {
            let left = end.saturating_duration_since(Instant::now());
            let time = match weather.next() {
                Some((weather, time)) => {
                    self.site.set(*weather);
                    left.min(*time)
                }
                None => left,
            };
            if let Some(status) = life.ended_within(time) {
                return Some(status);
            }
        }
        None
    }

    /// A step at which damaged files are set aside needs one. True if one was put there.
    fn plant(&mut self, step: &str) -> bool {
        let is_wanted = step.starts_with(SET_ASIDE) && self.site.spool().exists();
        if is_wanted {
            self.planted += 1;
            let name = format!("17{:014}-{}", self.planted, uuid_of(self.planted));
            let path = self.site.spool().join("save").join(name);
            std::fs::write(path, b"ANTSPOOL, and then it broke off")
                .expect("the test's own folder");
        }
        is_wanted
    }

    /// The last run, undisturbed: everything that waits is handed on.
    fn finish(mut self, kills: usize) -> Outcome {
        let problems = last_run(&self.site, self.mode, self.lives + 1);
        let told = self.load.ledger().sums();
        let mut audit = Audit::of(&self.site, self.mode.place, &told);
        audit.wrong.extend(problems);
        let set_aside = self.site.spooled("failed") / 2;
        if set_aside != self.planted {
            audit
                .wrong
                .push(format!("{} damaged, {set_aside} set aside", self.planted));
        }
        if audit.acknowledged == 0 && kills >= 10 {
            audit
                .wrong
                .push("nothing was acknowledged: nothing was tested".to_owned());
        }
        let (unanswered, refused) = (told.unanswered.len(), told.refused.values().sum());
        drop(told);
        if !audit.is_clean() {
            audit
                .wrong
                .push(format!("kept for a look: {}", self.site.keep().display()));
        }
        Outcome {
            mode: self.mode,
            kills,
            at_steps: self.at_steps,
            reached: self.reached,
            unanswered,
            refused,
            audit,
        }
    }
}

fn uuid_of(number: usize) -> String {
    format!("{number:08x}-cbbf-4589-a673-34f800260709")
}

/// Steps that should have killed in one of the campaigns and did not.
pub fn not_reached(outcomes: &[Outcome]) -> BTreeSet<String> {
    let all: BTreeSet<_> = outcomes
        .iter()
        .flat_map(|outcome| steps(outcome.mode))
        .collect();
    let reached: BTreeSet<_> = outcomes.iter().flat_map(|o| o.reached.clone()).collect();
    all.difference(&reached).cloned().collect()
}
