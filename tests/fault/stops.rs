//! Stopping by SIGTERM under load: nothing acknowledged is lost, everyone who had sent a request is answered, and the
//! books balance.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::Rng;
use rand::rngs::StdRng;
use rustix::process::Signal;

use super::audit::Audit;
use super::last_run::last_run;
use super::load::Load;
use super::mode::Mode;
use super::process::{Life, Settings};
use super::site::{Place, Site, Weather};
use super::statsd::Statsd;
use super::support::wait::wait_for;

/// How one kind of stop goes.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    pub name: &'static str,
    pub mode: Mode,
    /// Storage and queue answer nothing when the signal comes.
    hangs: bool,
    /// A second signal follows the first.
    is_urgent: bool,
    /// The collector is the first process of its namespace.
    is_first: bool,
}

const PLAIN: Scene = Scene {
    name: "",
    mode: Mode::new(Place::Disk, "saved", false),
    hangs: false,
    is_urgent: false,
    is_first: false,
};

const fn plain(place: Place, acknowledge: &'static str, has_spool: bool) -> Scene {
    Scene {
        mode: Mode::new(place, acknowledge, has_spool),
        ..PLAIN
    }
}

/// Every way to acknowledge; each gets its share of the stops.
pub const SCENES: [Scene; 9] = [
    plain(Place::Moto, "queued", true),
    plain(Place::Moto, "saved", true),
    plain(Place::Moto, "spooled", true),
    plain(Place::Disk, "saved", false),
    plain(Place::Disk, "queued", false),
    plain(Place::Disk, "spooled", true),
    plain(Place::Disk, "queued", true),
    plain(Place::Moto, "saved", false),
    Scene {
        name: ", hanging",
        hangs: true,
        ..plain(Place::Moto, "queued", true)
    },
];

/// Each of these happens once in every run.
pub const SPECIAL: [Scene; 4] = [
    Scene {
        name: ", hanging",
        hangs: true,
        ..SCENES[1]
    },
    Scene {
        name: ", hanging",
        hangs: true,
        ..SCENES[2]
    },
    Scene {
        name: ", hanging, 2nd signal",
        hangs: true,
        is_urgent: true,
        ..SCENES[0]
    },
    Scene {
        name: ", as process 1",
        is_first: true,
        ..PLAIN
    },
];

/// A stop in fine weather is a matter of the slowest request.
const LONGEST: Duration = Duration::from_secs(30);
/// With a hanging storage the time to stop is used up.
const SHUTDOWN_SECONDS: u64 = 9;
/// What a second signal must undercut by far.
const LONG_SHUTDOWN_SECONDS: u64 = 120;

/// What came out of the stops of one scene.
pub struct Outcome {
    pub scene: Scene,
    pub stops: usize,
    /// Sent as a whole before the signal, and never answered.
    pub reset: usize,
    /// Sent after the signal, and not answered.
    pub late: usize,
    pub refused: usize,
    pub slowest: Duration,
    pub audit: Audit,
}

/// Stops a collector `stops` times, lets a last one finish where there is a spool, and compares.
pub fn stop_often(scene: Scene, stops: usize, first_report: u64, dice: &mut StdRng) -> Outcome {
    let mut stopping = Stopping {
        scene,
        site: Site::new(scene.mode.place),
        load: Load::start(scene.mode.place, first_report),
        statsd: Statsd::start(),
        lives: 0,
        reset: 0,
        late: 0,
        slowest: Duration::ZERO,
        problems: Vec::new(),
    };
    for _ in 0..stops {
        stopping.stop_once(Duration::from_millis(dice.random_range(30..700)));
    }
    stopping.finish(stops)
}

struct Stopping {
    scene: Scene,
    site: Site,
    load: Load,
    statsd: Statsd,
    lives: u32,
    reset: usize,
    late: usize,
    slowest: Duration,
    problems: Vec<String>,
}

impl Stopping {
    fn stop_once(&mut self, after: Duration) {
        let waiting_before = self.site.spooled("save");
        let mut life = self.start();
        match life.ready() {
            Ok(address) => self.load.aim(address),
            Err(status) => panic!("a start ended with {status}:\n{}", life.tail()),
        }
        let mut ended = life.ended_within(after);
        if self.scene.hangs {
            self.site.set(Weather::Hanging);
            ended = ended.or_else(|| life.ended_within(after));
        }
        assert!(ended.is_none(), "it ended by itself:\n{}", life.tail());
        let signalled = Instant::now();
        life.signal(Signal::TERM);
        if self.scene.is_urgent {
            wait_for("the first signal is seen", || {
                life.log().contains("a second signal").then_some(())
            });
            life.signal(Signal::TERM);
        }
        let status = life.ended_within(LONGEST);
        self.slowest = self.slowest.max(signalled.elapsed());
        self.load.pause();
        self.site.set(Weather::Fine);
        if !status.is_some_and(|status| status.success()) {
            self.problems
                .push(format!("stopped with {status:?}: {}", life.tail()));
        }
        self.count_unanswered(signalled);
        let counters = self.statsd.take();
        self.balance(&counters, waiting_before);
    }

    fn start(&mut self) -> Life {
        let settings = self.settings();
        self.lives += 1;
        if self.scene.is_first {
            Life::start_as_first(self.site.folder(), self.lives, &settings)
        } else {
            Life::start(self.site.folder(), self.lives, &settings)
        }
    }

    fn settings(&self) -> Settings {
        let mut settings = self.scene.mode.settings(&self.site);
        let mut set = |name: &str, value: String| settings.push((name.to_owned(), value));
        set("STATSD_HOST", "127.0.0.1".to_owned());
        set("STATSD_PORT", self.statsd.port().to_string());
        if self.scene.hangs {
            let time = if self.scene.is_urgent {
                LONG_SHUTDOWN_SECONDS
            } else {
                SHUTDOWN_SECONDS
            };
            set("CRASHMOVER_SHUTDOWN_TIMEOUT_SECONDS", time.to_string());
            set(
                "CRASHMOVER_SAVE_TIMEOUT_SECONDS",
                LONG_SHUTDOWN_SECONDS.to_string(),
            );
        }
        settings
    }

    fn count_unanswered(&mut self, signalled: Instant) {
        let mut told = self.load.ledger().sums();
        let (before, after): (Vec<_>, Vec<_>) = told
            .unanswered
            .drain(..)
            .partition(|sent_at| *sent_at <= signalled);
        self.reset += before.len();
        self.late += after.len();
    }

    /// What came in is what went out: kept, and found in the spool at the start, is saved, lost, or in the spool.
    fn balance(&mut self, counters: &BTreeMap<String, i64>, waiting_before: usize) {
        let of = |name: &str| counters.get(name).copied().unwrap_or(0);
        let waiting_after = self.site.spooled("save");
        let came = of("breakpad_resource.outcome kept") + waiting_before as i64;
        let went =
            of("crashmover.fate saved") + of("crashmover.fate failed") + waiting_after as i64;
        if came != went {
            let books = format!("{waiting_before} before, {waiting_after} after, {counters:?}");
            self.problems.push(format!(
                "the books do not balance: {came} != {went}: {books}"
            ));
        }
    }

    fn finish(mut self, stops: usize) -> Outcome {
        if self.scene.mode.has_spool {
            self.problems
                .extend(last_run(&self.site, self.scene.mode, self.lives + 1));
        }
        let told = self.load.ledger().sums();
        let mut audit = Audit::of(&self.site, self.scene.mode.place, &told);
        audit.wrong.append(&mut self.problems);
        if self.reset > 0 {
            audit.wrong.push(format!(
                "{} requests were sent and not answered",
                self.reset
            ));
        }
        let refused = told.refused.values().sum();
        drop(told);
        if !audit.is_clean() {
            audit
                .wrong
                .push(format!("kept for a look: {}", self.site.keep().display()));
        }
        Outcome {
            scene: self.scene,
            stops,
            reset: self.reset,
            late: self.late,
            refused,
            slowest: self.slowest,
            audit,
        }
    }
}
