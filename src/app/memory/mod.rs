//! How much memory reports may take together: what the operator says, else a share of what the process may use.

mod limit;

use std::fmt;
use std::path::Path;

use limit::{Limit, limit};

/// The process without reports, and what the allocator keeps; `docs/performance.md` holds it to this.
const BESIDES_BYTES: u64 = 64 << 20;
/// 20 reports of the largest size; more has never been of use.
const MOST_BYTES: u64 = 512 << 20;
/// Less is hardly a report at a time.
const LEAST_BYTES: u64 = 16 << 20;

/// The budget, and what it follows from. Its `Display` says both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryBudget {
    pub bytes: u64,
    is_given: bool,
    limit: Option<Limit>,
}

/// The budget of a process whose limits are below `proc`, for which the settings say `given`.
pub fn memory_budget(given: Option<u64>, proc: &Path) -> MemoryBudget {
    let limit = limit(proc);
    MemoryBudget {
        bytes: given.unwrap_or_else(|| limit.as_ref().map_or(MOST_BYTES, share)),
        is_given: given.is_some(),
        limit,
    }
}

/// Half of what is left besides the process itself. The other half is for connections, TLS, the clients of S3 and SQS,
/// and what the kernel keeps of files, which counts against a cgroup as well.
fn share(limit: &Limit) -> u64 {
    (limit.bytes.saturating_sub(BESIDES_BYTES) / 2).clamp(LEAST_BYTES, MOST_BYTES)
}

impl MemoryBudget {
    /// Where the process may be killed before the budget is used up.
    pub fn warning(&self) -> Option<String> {
        let limit = self.limit.as_ref()?;
        let needed = self.bytes.saturating_add(BESIDES_BYTES);
        (needed > limit.bytes).then(|| {
            format!(
                "BREAKPAD_MAX_IN_FLIGHT_BYTES={} does not fit: with {BESIDES_BYTES} bytes for the process itself that is more \
                 than the {} bytes in {}, and the process may be killed",
                self.bytes,
                limit.bytes,
                limit.file.display()
            )
        })
    }
}

impl fmt::Display for MemoryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes for reports, ", self.bytes)?;
        match (self.is_given, &self.limit) {
            (true, _) => f.write_str("by BREAKPAD_MAX_IN_FLIGHT_BYTES"),
            (false, None) => f.write_str("the most that is chosen without a setting"),
            (false, Some(limit)) => write!(
                f,
                "chosen by the {} bytes in {}",
                limit.bytes,
                limit.file.display()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(given: Option<u64>, kilobytes: u64) -> MemoryBudget {
        let folder = tempfile::tempdir().unwrap();
        let meminfo = format!("MemTotal: {kilobytes} kB\n");
        std::fs::write(folder.path().join("meminfo"), meminfo).unwrap();
        memory_budget(given, folder.path())
    }

    #[test]
    fn the_default_is_a_share_of_the_limit_within_bounds() {
        for (limit_mib, expected_mib) in [(256, 96), (1024, 480), (64_000, 512), (80, 16)] {
            let budget = budget(None, limit_mib * 1024);
            assert_eq!(budget.bytes >> 20, expected_mib, "of {limit_mib}");
            assert_eq!(budget.warning(), None, "of {limit_mib}");
        }
        let unknown = memory_budget(None, Path::new("/nowhere"));
        assert_eq!((unknown.bytes, unknown.warning()), (MOST_BYTES, None));
    }

    #[test]
    fn what_does_not_fit_is_warned_of() {
        let given = budget(Some(512 << 20), 256 * 1024);
        assert_eq!(given.bytes, 512 << 20);
        let warning = given.warning().unwrap();
        assert!(
            warning.contains("than the 268435456 bytes in "),
            "{warning}"
        );
        assert_eq!(budget(Some(512 << 20), 1024 * 1024).warning(), None);
        assert!(budget(None, 64 * 1024).warning().is_some());
    }
}
