//! What may happen to a collector and its disk.

use proptest::prelude::*;

use crate::disk::testing::Operation;

/// One thing after the other.
#[derive(Clone, Debug)]
pub enum Step {
    Save {
        at_once: usize,
    },
    /// Another version of a report that was sent before.
    SaveAgain {
        which: usize,
    },
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
    /// The process is killed while it starts, too.
    KilledStart {
        operations: u32,
    },
}

fn save() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..5usize).prop_map(|at_once| Step::Save { at_once }),
        1 => any::<usize>().prop_map(|which| Step::SaveAgain { which }),
    ]
}

fn fail(operations: &'static [Operation]) -> impl Strategy<Value = Step> {
    let operation = prop::sample::select(operations);
    (operation, 1..8u32, any::<bool>()).prop_map(|(operation, nth, took_effect)| Step::Fail {
        operation,
        nth,
        took_effect,
    })
}

fn cut_after() -> impl Strategy<Value = Step> {
    (0..25u32).prop_map(|operations| Step::CutPowerAfter { operations })
}

/// Kills and failures of all kinds, but every fsync tells the truth.
pub fn step_on_an_honest_disk() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => save(),
        2 => fail(&Operation::CHANGING),
        2 => cut_after(),
        3 => prop::option::weighted(0.7, any::<u64>())
            .prop_map(|power_failure| Step::Restart { power_failure }),
        1 => (0..12u32).prop_map(|operations| Step::KilledStart { operations }),
    ]
}

/// A failed fsync forgets names for good. No kill before the folder it was for is removed again: that the next process
/// cannot know.
pub fn step_on_a_forgetful_disk() -> impl Strategy<Value = Step> {
    const FAILING: [Operation; 4] = [
        Operation::Create,
        Operation::Write,
        Operation::SyncFile,
        Operation::Rename,
    ];
    prop_oneof![
        6 => save(),
        1 => fail(&FAILING),
        3 => any::<u64>().prop_map(|seed| Step::FailFolderSync { seed }),
        1 => cut_after(),
        2 => any::<u64>().prop_map(|seed| Step::Restart { power_failure: Some(seed) }),
    ]
}
