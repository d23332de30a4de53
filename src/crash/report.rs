//! A crash report: what a `CrashID=` answer promises to keep.

use super::{CrashId, Dump, RawCrash};

/// Id, raw crash and dumps of one accepted crash. Cheap to clone: the bytes are shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrashReport {
    pub id: CrashId,
    pub raw_crash: RawCrash,
    /// Sorted by name, each name once.
    pub dumps: Vec<Dump>,
}

impl CrashReport {
    /// Sorts the dumps by name, the order of the dump names document.
    pub fn new(id: CrashId, raw_crash: RawCrash, mut dumps: Vec<Dump>) -> Self {
        dumps.sort_by(|a, b| a.name.cmp(&b.name));
        Self {
            id,
            raw_crash,
            dumps,
        }
    }

    /// What the report occupies: raw crash and dumps.
    pub fn payload_bytes(&self) -> u64 {
        self.raw_crash.length_bytes() + self.dumps.iter().map(|dump| dump.length_bytes).sum::<u64>()
    }
}
