//! Work that takes long: at most so much of it at a time, and never on a thread that others wait for.

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;

/// Less than this is done where it is met: it takes less time than handing it over would.
const HEAVY_BYTES: u64 = 256 * 1024;

/// The turns of heavy work. As many as there are processors: more would only be in each other's way.
#[derive(Debug)]
pub struct Heavy {
    turns: Semaphore,
}

impl Default for Heavy {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            turns: Semaphore::new(processors),
        }
    }
}

impl Heavy {
    /// Does `work`, which goes over so many bytes, in turn if they are many.
    pub async fn run<T>(&self, bytes: u64, work: impl FnOnce() -> T) -> T {
        if bytes < HEAVY_BYTES {
            return work();
        }
        let _turn = self.turns.acquire().await;
        let may_block = Handle::try_current()
            .is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
        if may_block {
            // The runtime goes on with another thread in place of this one.
            tokio::task::block_in_place(work)
        } else {
            work()
        }
    }
}
