//! What a faulty disk was told to do to which operation.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::Operation;

/// Faults to come, and what was done so far.
#[derive(Default)]
pub struct Plan {
    pub done: BTreeMap<Operation, u32>,
    pub faults: Vec<Fault>,
    pub free_bytes: Option<u64>,
    /// Changing operations left before the power goes.
    pub power_for: Option<u32>,
    pub hook: Option<Hook>,
    pub later_hook: Option<Hook>,
}

/// Called beside an operation, on its thread.
pub type Hook = Arc<dyn Fn(Operation) + Send + Sync>;

/// One failure to come.
pub struct Fault {
    pub operation: Operation,
    pub nth: u32,
    pub lasting: bool,
    pub took_effect: bool,
    pub error: io::ErrorKind,
}

/// What becomes of one operation.
enum Fate {
    Works,
    Fails(io::Error),
    /// Done, and reported as failed.
    FailsAfterwards(io::Error),
}

/// Does an operation as the plan has it.
pub fn act<T>(
    plan: &Mutex<Plan>,
    operation: Operation,
    action: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    let locked = || plan.lock().unwrap_or_else(PoisonError::into_inner);
    let hook = locked().hook.clone();
    if let Some(hook) = hook {
        hook(operation);
    }
    let fate = locked().fate(operation);
    let done = match fate {
        Fate::Works => action(),
        Fate::Fails(error) => Err(error),
        Fate::FailsAfterwards(error) => action().and(Err(error)),
    };
    let hook = locked().later_hook.clone();
    if let Some(hook) = hook {
        hook(operation);
    }
    done
}

impl Plan {
    fn fate(&mut self, operation: Operation) -> Fate {
        let done = self.done.entry(operation).or_default();
        *done += 1;
        let done = *done;
        if !self.has_power(operation) {
            return Fate::Fails(io::Error::other("the power is off"));
        }
        let due = self.faults.iter().find(|fault| {
            fault.operation == operation
                && (fault.nth == done || fault.lasting && fault.nth <= done)
        });
        match due {
            None => Fate::Works,
            Some(fault) if fault.took_effect => Fate::FailsAfterwards(fault.error.into()),
            Some(fault) => Fate::Fails(fault.error.into()),
        }
    }

    fn has_power(&mut self, operation: Operation) -> bool {
        match &mut self.power_for {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= u32::from(Operation::CHANGING.contains(&operation));
                true
            }
        }
    }
}
