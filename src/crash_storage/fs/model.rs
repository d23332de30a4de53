//! Storage on disk against a plain list, under random saves, power failures and disk faults.
//!
//! The promise: at every moment, whatever the power failure left, a raw crash that is there has all its dumps, whole; and
//! what was acknowledged is there. Where an id was saved with other dumps again, each dump may be that of a later save.

mod steps;

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_util::future::join_all;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::*;
use crate::crash::{CrashId, CrashReport, Dump, DumpName, RawCrash};
use crate::crash_storage::{CrashStorage, Layout, ReportKeys};
use crate::disk::testing::{FaultyDisk, SimulatedDisk};
use steps::{Step, step_on_a_forgetful_disk, step_on_an_honest_disk};

const ROOT: &str = "/data/crashes";
const NAMES: [&str; 4] = ["upload_file_minidump", "memory_report", "a", "b"];

/// What became of one report.
#[derive(Default)]
struct Fate {
    versions: u32,
    /// The last version that was acknowledged.
    acknowledged: Option<u32>,
}

struct World {
    disk: SimulatedDisk,
    faults: Arc<FaultyDisk>,
    storage: CrashStorage,
    fates: Vec<Fate>,
}

fn open(faults: &Arc<FaultyDisk>) -> CrashStorage {
    let store = FsStore::on(faults.clone(), ROOT.into(), true);
    CrashStorage::new(Arc::new(store), Layout::Fs)
}

fn id(number: usize) -> CrashId {
    CrashId::parse(&format!("{number:08x}-0000-4000-8000-000000260709")).unwrap()
}

fn names(number: usize) -> Vec<DumpName> {
    let names = NAMES.iter().skip(number % 3).take(number % 4);
    names
        .map(|name| DumpName::sanitise(name).unwrap())
        .collect()
}

fn dump(number: usize, version: u32, name: &DumpName) -> Bytes {
    let text = format!("{number} {version} {name} ");
    text.repeat(number % 5 * 20).into()
}

fn report(number: usize, version: u32) -> CrashReport {
    let dumps = names(number)
        .into_iter()
        .map(|name| Dump::whole(name.clone(), dump(number, version, &name)));
    let json = RawCrash::written(version.to_string().into());
    CrashReport::new(id(number), json, dumps.collect())
}

impl World {
    fn new() -> Self {
        let disk = SimulatedDisk::default();
        disk.make_folder(Path::new("/data")).unwrap();
        disk.sync_folder(Path::new("/")).unwrap();
        let faults = Arc::new(FaultyDisk::new(Arc::new(disk.clone())));
        Self {
            storage: open(&faults),
            disk,
            faults,
            fates: Vec::new(),
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Save { at_once } => {
                let first = self.fates.len();
                self.fates.extend((0..at_once).map(|_| Fate::default()));
                self.save(first..first + at_once).await;
            }
            Step::SaveAgain { .. } if self.fates.is_empty() => {}
            Step::SaveAgain { which } => {
                let which = which % self.fates.len();
                self.save(which..which + 1).await;
            }
            Step::Fail {
                operation,
                nth,
                took_effect: true,
            } => {
                self.faults
                    .fail_afterwards(operation, nth, ErrorKind::Other);
            }
            Step::Fail { operation, nth, .. } => {
                self.faults.fail(operation, nth, ErrorKind::StorageFull);
            }
            Step::FailFolderSync { seed } => self.disk.fail_next_folder_sync(seed),
            Step::CutPowerAfter { operations } => self.faults.cut_power_after(operations),
            Step::Restart { power_failure } => self.restart(power_failure).await,
            Step::KilledStart { operations } => {
                self.faults.cut_power_after(operations);
                let _ = open(&self.faults).verify().await;
                self.restart(None).await;
            }
        }
    }

    async fn save(&mut self, which: std::ops::Range<usize>) {
        let reports: Vec<_> = which
            .map(|number| {
                self.fates[number].versions += 1;
                (number, report(number, self.fates[number].versions))
            })
            .collect();
        let saves = reports.iter().map(|(_, report)| self.storage.save(report));
        for ((number, _), saved) in reports.iter().zip(join_all(saves).await) {
            if saved.is_ok() {
                let fate = &mut self.fates[*number];
                fate.acknowledged = Some(fate.versions);
            }
        }
    }

    async fn restart(&mut self, power_failure: Option<u64>) {
        if let Some(seed) = power_failure {
            self.disk.cut_power(seed);
        }
        self.faults.heal();
        self.disk.end_process();
        // Before the start: a processor looks into the folders, too.
        self.check();
        self.storage = open(&self.faults);
        self.storage.verify().await.unwrap();
        self.check();
        assert!(
            self.names_in("").iter().all(|name| name != "test"),
            "no probe is left"
        );
        assert_eq!(self.names_in(".tmp").len(), 1, "only that of this process");
    }

    fn check(&self) {
        let raw_crashes = self.raw_crashes();
        for (number, version) in &raw_crashes {
            self.check_parts(*number, *version);
        }
        for (number, fate) in self.fates.iter().enumerate() {
            let there = raw_crashes.get(&number).copied();
            assert!(
                there >= fate.acknowledged,
                "report {number}: {there:?}, not {:?}",
                fate.acknowledged
            );
        }
    }

    /// Number and version of each report that a processor would find.
    fn raw_crashes(&self) -> BTreeMap<usize, u32> {
        let found = self.names_in("20260709/raw_crash").into_iter().map(|name| {
            let number = usize::from_str_radix(&name[..8], 16).unwrap();
            let text = self.read(&format!("20260709/raw_crash/{name}")).unwrap();
            let version = std::str::from_utf8(&text).unwrap().parse().unwrap();
            (number, version)
        });
        found.collect()
    }

    fn check_parts(&self, number: usize, version: u32) {
        let names = names(number);
        let keys = ReportKeys::new(Layout::Fs, &id(number), &names.iter().collect::<Vec<_>>());
        let document = self.read(&keys.dump_names).unwrap();
        let listed: Vec<String> = serde_json::from_slice(&document).unwrap();
        assert_eq!(listed.len(), names.len());
        for (name, key) in names.iter().zip(&keys.dumps) {
            let found = self.read(key);
            let mut versions = version..=self.fates[number].versions;
            let is_whole = versions.any(|it| found.as_deref() == Some(&dump(number, it, name)[..]));
            assert!(is_whole, "report {number} has {found:?} for {name}");
        }
    }

    fn names_in(&self, folder: &str) -> Vec<String> {
        let listed = self
            .disk
            .list(&Path::new(ROOT).join(folder))
            .unwrap_or_default();
        listed.into_iter().map(|it| it.name).collect()
    }

    fn read(&self, key: &str) -> Option<Vec<u8>> {
        let (mut file, _) = self.disk.open(&Path::new(ROOT).join(key)).ok()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        Some(bytes)
    }
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

fn run(steps: Vec<Step>, last_seed: u64) {
    runtime().block_on(async {
        let mut world = World::new();
        for step in steps {
            world.take(step).await;
        }
        world.restart(Some(last_seed)).await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_visible_is_whole_and_what_is_acknowledged_is_there(
        steps in prop::collection::vec(step_on_an_honest_disk(), 1..40), last_seed: u64,
    ) {
        run(steps, last_seed);
    }

    #[test]
    fn the_same_holds_where_a_failed_fsync_forgets_names(
        steps in prop::collection::vec(step_on_a_forgetful_disk(), 1..40), last_seed: u64,
    ) {
        run(steps, last_seed);
    }
}
