//! The spool against a plain map, under random operations, power failures and disk faults.
//!
//! The promise: whatever was acknowledged and not yet removed is there after every restart, whole; and nothing is ever
//! handed out that is not exactly what was put. Removed reports may come back.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::sync::OnceLock;

use futures_util::future::join_all;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::*;
use crate::crash::{CrashId, Dump, DumpName, RawCrash};
use crate::disk::testing::{FaultyDisk, Operation, SimulatedDisk};

#[derive(Clone, Debug)]
enum Step {
    Put {
        at_once: usize,
    },
    PutPublish,
    /// Load, save, then publish: moves the entry on or gives it back.
    Move {
        state: State,
        how: How,
    },
    Rescan,
    Fail {
        operation: Operation,
        nth: u32,
        took_effect: bool,
    },
    FailFolderSync {
        seed: u64,
    },
    CutPowerAfter {
        operations: u32,
    },
    /// Kills the process, and if there is a seed the machine.
    Restart {
        power_failure: Option<u64>,
    },
}

#[derive(Clone, Copy, Debug)]
enum How {
    Advance,
    Remove,
    Drop,
    Defer,
}

fn step() -> impl Strategy<Value = Step> {
    let state = prop_oneof![Just(State::Save), Just(State::Publish)];
    let how = prop_oneof![
        2 => Just(How::Advance),
        2 => Just(How::Remove),
        1 => Just(How::Drop),
        1 => Just(How::Defer),
    ];
    let operation = prop::sample::select(&Operation::CHANGING[..]);
    prop_oneof![
        6 => (1..5usize).prop_map(|at_once| Step::Put { at_once }),
        1 => Just(Step::PutPublish),
        6 => (state, how).prop_map(|(state, how)| Step::Move { state, how }),
        1 => Just(Step::Rescan),
        2 => (operation, 1..4u32, any::<bool>())
            .prop_map(|(operation, nth, took_effect)| Step::Fail { operation, nth, took_effect }),
        1 => any::<u64>().prop_map(|seed| Step::FailFolderSync { seed }),
        2 => (0..12u32).prop_map(|operations| Step::CutPowerAfter { operations }),
        3 => prop::option::weighted(0.8, any::<u64>())
            .prop_map(|power_failure| Step::Restart { power_failure }),
    ]
}

/// Where an acknowledged report must be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owed {
    Save,
    /// Somebody began to move it on, perhaps in vain.
    SaveOrPublish,
    Publish,
}

struct World {
    disk: SimulatedDisk,
    faults: Arc<FaultyDisk>,
    spool: Spool,
    owed: BTreeMap<CrashId, Owed>,
    put: u32,
}

fn open(faults: &Arc<FaultyDisk>) -> Spool {
    let config = SpoolSettings {
        dir: "/spool".into(),
        max_bytes: u64::MAX,
        min_free_bytes: 0,
    };
    Spool::open(config, faults.clone()).unwrap()
}

fn id(number: u32) -> CrashId {
    CrashId::parse(&format!("{number:08x}-0000-4000-8000-000000260709")).unwrap()
}

fn report(id: &CrashId) -> CrashReport {
    let number = u32::from_str_radix(&id.as_str()[..8], 16).unwrap();
    let bytes = number.to_le_bytes().repeat(number as usize % 7 * 300);
    let dump = Dump::whole(DumpName::sanitise("dump").unwrap(), bytes.into());
    let json = format!("{{\"number\": {number}}}");
    CrashReport::new(id.clone(), RawCrash::written(json.into()), vec![dump])
}

impl World {
    fn new() -> Self {
        let disk = SimulatedDisk::default();
        let faults = Arc::new(FaultyDisk::new(Arc::new(disk.clone())));
        Self {
            spool: open(&faults),
            disk,
            faults,
            owed: BTreeMap::new(),
            put: 0,
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Put { at_once } => self.put(at_once).await,
            Step::PutPublish => self.put_publish().await,
            Step::Move { state, how } => self.move_one(state, how).await,
            Step::Rescan => drop(self.spool.rescan().await),
            Step::Fail {
                operation,
                nth,
                took_effect: true,
            } => self
                .faults
                .fail_afterwards(operation, nth, ErrorKind::Other),
            Step::Fail { operation, nth, .. } => {
                self.faults.fail(operation, nth, ErrorKind::StorageFull);
            }
            Step::FailFolderSync { seed } => self.disk.fail_next_folder_sync(seed),
            Step::CutPowerAfter { operations } => self.faults.cut_power_after(operations),
            Step::Restart { power_failure } => self.restart(power_failure).await,
        }
    }

    fn new_id(&mut self) -> CrashId {
        self.put += 1;
        id(self.put)
    }

    async fn put(&mut self, at_once: usize) {
        let reports: Vec<_> = (0..at_once).map(|_| report(&self.new_id())).collect();
        let puts = reports.iter().map(|report| self.spool.put(report));
        for (report, kept) in reports.iter().zip(join_all(puts).await) {
            if kept.is_ok() {
                self.owed.insert(report.id.clone(), Owed::Save);
            }
        }
    }

    async fn put_publish(&mut self) {
        let id = self.new_id();
        if self.spool.put_publish(&id).await.is_ok() {
            self.owed.insert(id, Owed::Publish);
        }
    }

    async fn move_one(&mut self, state: State, how: How) {
        let Some(entry) = self.spool.claim(state) else {
            return;
        };
        let id = entry.crash_id();
        if state == State::Save {
            match self.spool.load(&entry).await {
                Ok(loaded) => assert_eq!(loaded, report(&id)),
                Err(SpoolError::Io { .. }) => return,
                Err(error) => panic!("{error}"),
            }
        }
        match how {
            How::Drop => drop(entry),
            How::Defer => entry.defer(),
            How::Remove => {
                self.owed.remove(&id);
                let _ = self.spool.remove(entry).await;
            }
            How::Advance => {
                if let Some(owed) = self.owed.get_mut(&id)
                    && *owed == Owed::Save
                {
                    *owed = Owed::SaveOrPublish;
                }
                if let Ok(entry) = self.spool.advance(entry).await {
                    let _ = self.spool.give_up_dumps(entry).await;
                }
            }
        }
    }

    async fn restart(&mut self, power_failure: Option<u64>) {
        if let Some(seed) = power_failure {
            self.disk.cut_power(seed);
        }
        self.faults.heal();
        self.disk.end_process();
        self.spool = open(&self.faults);
        self.check().await;
    }

    /// All that is owed is there and whole, and the sums are right.
    async fn check(&self) {
        let stats = self.spool.stats();
        let to_save: Vec<_> = std::iter::from_fn(|| self.spool.claim(State::Save)).collect();
        let to_publish: Vec<_> = std::iter::from_fn(|| self.spool.claim(State::Publish)).collect();
        assert_eq!(stats.save.entries, to_save.len());
        assert_eq!(stats.publish.entries, to_publish.len());
        assert_eq!(stats.failed.entries, 0);
        for entry in &to_save {
            let loaded = self.spool.load(entry).await;
            assert_eq!(loaded.unwrap(), report(&entry.crash_id()));
        }
        let to_save: BTreeSet<_> = to_save.iter().map(Entry::crash_id).collect();
        let to_publish: BTreeSet<_> = to_publish.iter().map(Entry::crash_id).collect();
        for (id, owed) in &self.owed {
            let there = match owed {
                Owed::Save => to_save.contains(id),
                Owed::Publish => to_publish.contains(id),
                Owed::SaveOrPublish => to_save.contains(id) || to_publish.contains(id),
            };
            assert!(there, "{id} is owed in {owed:?}");
        }
    }
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_acknowledged_survives_crashes_and_disk_faults(
        steps in prop::collection::vec(step(), 1..60), last_seed: u64,
    ) {
        runtime().block_on(async {
            let mut world = World::new();
            for step in steps {
                world.take(step).await;
            }
            world.restart(Some(last_seed)).await;
        });
    }
}
