//! Whether a load balancer should send reports here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

/// Not ready, ready, and not ready any more. Clones are handles to the same one.
#[derive(Clone, Default)]
pub struct Readiness {
    is_verified: Arc<AtomicBool>,
    stop: CancellationToken,
}

impl Readiness {
    /// Not ready yet, and not any more once `stop` is cancelled.
    pub fn until(stop: CancellationToken) -> Self {
        Self {
            is_verified: Arc::default(),
            stop,
        }
    }

    /// Storage and queue were verified, and the front door is open.
    pub fn set_ready(&self) {
        self.is_verified.store(true, Ordering::Release);
    }

    pub(super) fn state(&self) -> Result<&'static str, &'static str> {
        if self.stop.is_cancelled() {
            Err("stopping: what was taken is finished, nothing new is accepted")
        } else if self.is_verified.load(Ordering::Acquire) {
            Ok("ready")
        } else {
            Err("starting: storage and queue are not verified yet")
        }
    }
}
