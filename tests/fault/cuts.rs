//! Power cuts: the real collector on a disk that keeps only what was synced, again and again, and an audit at the end.
//!
//! Both on the test disk itself and on an ext4 of which it is the drive. First the harness has to convict: with each fsync made
//! a lie, reports must be lost.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;

use super::audit::Audit;
use super::last_run::last_run;
use super::load::Load;
use super::mode::Mode;
use super::process::{Life, Settings};
use super::site::{Place, Site};
use super::support::volatile_disk::{Lie, Strength, VolatileDisk};

/// Where storage's root is on the disk: in a folder that can be missing, as a volume that is not mounted.
const VOLUME: &str = "volume";
const CUTS_TO_CONVICT: usize = 3;

/// The ways to run it in which a yes must survive a power cut.
pub const MODES: [Mode; 3] = [
    Mode::new(Place::Disk, "saved", false),
    Mode::new(Place::Disk, "spooled", true),
    Mode::new(Place::Disk, "saved", true),
];

/// How one campaign goes.
#[derive(Clone, Copy)]
pub struct Scene {
    pub mode: Mode,
    pub strength: Strength,
    /// Between the collector and the test disk is an ext4.
    is_ext4: bool,
    /// Which fsyncs do nothing, with their name.
    lie: Option<(&'static str, Lie)>,
    has_fsync: bool,
    /// Storage is away until the end, so that everything stays in the spool.
    stays_in_spool: bool,
}

impl Scene {
    pub const fn honest(is_ext4: bool, mode: Mode, strength: Strength) -> Self {
        Self {
            mode,
            strength,
            is_ext4,
            lie: None,
            has_fsync: true,
            stays_in_spool: false,
        }
    }

    pub fn name(&self) -> String {
        let strength = match self.strength {
            Strength::Strict => "all unsynced gone",
            Strength::Torn => "any of it left",
        };
        let without = match self.lie {
            Some((name, _)) => format!(", no fsync of {name}"),
            None if !self.has_fsync => ", FS_FSYNC=false".to_owned(),
            None => String::new(),
        };
        let ext4 = if self.is_ext4 { "ext4, " } else { "" };
        format!("{ext4}{}, {strength}{without}", self.mode.name())
    }
}

/// What came out of a campaign.
pub struct Outcome {
    pub scene: Scene,
    pub cuts: usize,
    pub failed_fsyncs: u32,
    /// Entries of the spool in which a bit was turned.
    pub rotten: usize,
    pub unanswered: usize,
    pub refused: usize,
    pub audit: Audit,
}

/// Every fsync that a promise rests on, made a lie; reports must be lost. Of a drive there is only one.
pub fn guilty(is_ext4: bool) -> Vec<Scene> {
    let storage = Scene::honest(is_ext4, MODES[0], Strength::Strict);
    let spool = Scene {
        stays_in_spool: true,
        ..Scene::honest(is_ext4, MODES[1], Strength::Strict)
    };
    let lying = |scene: Scene, name: &'static str, lie: Lie| Scene {
        lie: Some((name, lie)),
        ..scene
    };
    let without = Scene {
        has_fsync: false,
        ..storage
    };
    if is_ext4 {
        return vec![without, lying(storage, "the drive", |_, _| true)];
    }
    vec![
        without,
        lying(storage, "files", |_, is_folder| !is_folder),
        lying(storage, "folders of dumps", |path, is_folder| {
            is_folder && depth(path) == 4 && !path.ends_with("/raw_crash")
        }),
        lying(storage, "raw_crash/", |path, _| {
            path.ends_with("/raw_crash")
        }),
        lying(storage, "the day", |path, is_folder| {
            is_folder && depth(path) == 3
        }),
        lying(storage, "the root", |path, _| path == "volume/crashes"),
        lying(storage, "the root's parent", |path, _| path == VOLUME),
        lying(spool, "its files", |_, is_folder| !is_folder),
        lying(spool, "save/", |path, _| path == "spool/save"),
        lying(spool, "the spool", |path, _| path == "spool"),
        lying(spool, "the spool's parent", |path, _| path.is_empty()),
    ]
}

fn depth(path: &str) -> usize {
    path.split('/').count()
}

/// True if the harness noticed; `None` where there can be no such disk.
pub fn convicts(scene: Scene, first_report: u64, dice: &mut StdRng) -> Option<bool> {
    let outcome = campaign(scene, CUTS_TO_CONVICT, first_report, dice)?;
    Some(!outcome.audit.lost.is_empty())
}

/// Cuts the power `cuts` times, lets a last collector finish, and compares; `None` where there can be no such disk.
pub fn campaign(
    scene: Scene,
    cuts: usize,
    first_report: u64,
    dice: &mut StdRng,
) -> Option<Outcome> {
    let disk = match scene.is_ext4 {
        true => VolatileDisk::mount_ext4()?,
        false => VolatileDisk::mount()?,
    };
    if !scene.stays_in_spool {
        disk.make_folder(VOLUME);
    }
    if let Some((_, lie)) = scene.lie {
        disk.lie(lie);
    }
    let mut campaign = Campaign {
        scene,
        site: Site::on(disk.path(), VOLUME),
        load: Load::start(scene.mode.place, first_report),
        disk,
        lives: 0,
        rotten: BTreeSet::new(),
        problems: Vec::new(),
    };
    for _ in 0..cuts {
        campaign.live_and_lose_power(dice);
    }
    Some(campaign.finish(cuts))
}

struct Campaign {
    scene: Scene,
    site: Site,
    load: Load,
    disk: VolatileDisk,
    lives: u32,
    rotten: BTreeSet<String>,
    problems: Vec<String>,
}

impl Campaign {
    fn live_and_lose_power(&mut self, dice: &mut StdRng) {
        self.lives += 1;
        let mut life = Life::start(self.site.folder(), self.lives, &self.settings());
        if dice.random_range(0..6) == 0 {
            life.ended_within(Duration::from_millis(dice.random_range(1..500)));
        } else {
            self.live(&mut life, dice);
        }
        let end = || {
            life.kill();
        };
        self.disk.cut_power(self.scene.strength, dice.random(), end);
        self.load.pause();
        if self.is_honest() && dice.random_range(0..6) == 0 {
            let rotten = self.disk.rot("spool/save", &self.rotten, dice.random());
            self.rotten.extend(rotten);
        }
    }

    fn live(&mut self, life: &mut Life, dice: &mut StdRng) {
        let has_trouble = self.is_honest();
        if has_trouble && dice.random_range(0..3) == 0 {
            self.disk
                .fail_fsync(dice.random_range(1..80), dice.random());
        }
        let Ok(address) = life.ready() else {
            // A failed fsync may stop a start; the next one must work.
            return;
        };
        self.load.aim(address);
        let moment = |dice: &mut StdRng| Duration::from_millis(dice.random_range(10..500));
        let mut ended = life.ended_within(moment(dice));
        if has_trouble && dice.random_range(0..5) == 0 {
            self.disk.fill(true);
            ended = ended.or_else(|| life.ended_within(moment(dice)));
            self.disk.fill(false);
            ended = ended.or_else(|| life.ended_within(moment(dice)));
        }
        if let Some(status) = ended {
            self.problems
                .push(format!("it ended by itself with {status}: {}", life.tail()));
        }
    }

    fn is_honest(&self) -> bool {
        self.scene.lie.is_none() && self.scene.has_fsync
    }

    fn settings(&self) -> Settings {
        let mut settings = self.scene.mode.settings(&self.site);
        let fsync = self.scene.has_fsync.to_string();
        settings.push(("CRASHMOVER_CRASHSTORAGE_FS_FSYNC".to_owned(), fsync));
        settings.push(("CRASHMOVER_SPOOL_MIN_FREE_BYTES".to_owned(), "0".to_owned()));
        settings
    }

    /// The last run, on a disk that works: everything that waits is handed on.
    fn finish(mut self, cuts: usize) -> Outcome {
        if self.scene.stays_in_spool {
            self.disk.make_folder(VOLUME);
        }
        let problems = last_run(&self.site, self.scene.mode, self.lives + 1);
        let mut told = self.load.ledger().sums();
        // What rots before it is saved is lost; that must be noticed.
        told.acknowledged
            .retain(|id, _| !self.rotten.iter().any(|name| name.ends_with(id)));
        let mut audit = Audit::of(&self.site, self.scene.mode.place, &told);
        audit.wrong.extend(problems);
        audit.wrong.append(&mut self.problems);
        audit.wrong.extend(self.unnoticed());
        let (unanswered, refused) = (told.unanswered.len(), told.refused.values().sum());
        drop(told);
        if self.is_honest() && !audit.is_clean() {
            let logs = self.site.keep();
            audit
                .wrong
                .push(format!("logs kept for a look: {}", logs.display()));
        }
        Outcome {
            scene: self.scene,
            cuts,
            failed_fsyncs: self.disk.failed_fsyncs(),
            rotten: self.rotten.len(),
            unanswered,
            refused,
            audit,
        }
    }

    /// Entries in which a bit was turned and that are not in `failed/`.
    fn unnoticed(&self) -> Vec<String> {
        let failed = self.site.spool().join("failed");
        let missing = self
            .rotten
            .iter()
            .filter(|name| !failed.join(name).exists());
        missing
            .map(|name| format!("a turned bit in {name} was not noticed"))
            .collect()
    }
}
