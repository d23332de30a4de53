//! How a collector of this suite is set up: where reports go, when clients are told yes, with or without a spool.

use super::process::Settings;
use super::site::{Place, Site};

/// One way to run the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    pub place: Place,
    /// `saved`, `queued` or `spooled`.
    pub acknowledge: &'static str,
    pub has_spool: bool,
}

impl Mode {
    pub const fn new(place: Place, acknowledge: &'static str, has_spool: bool) -> Self {
        Self {
            place,
            acknowledge,
            has_spool,
        }
    }

    pub fn name(&self) -> String {
        let place = match self.place {
            Place::Disk => "disk",
            Place::Moto => "S3+SQS",
        };
        let spool = if self.has_spool { "spool" } else { "no spool" };
        format!("{place}, {}, {spool}", self.acknowledge)
    }

    /// Short deadlines, so that a storage that hangs is noticed within one short life.
    pub fn settings(&self, site: &Site) -> Settings {
        let mut settings = site.settings();
        let mut set = |name: &str, value: &str| settings.push((name.to_owned(), value.to_owned()));
        set("CRASHMOVER_ACKNOWLEDGE", self.acknowledge);
        set("CRASHMOVER_ACK_TIMEOUT_SECONDS", "2");
        set("CRASHMOVER_SAVE_TIMEOUT_SECONDS", "2");
        set("CRASHMOVER_RETRY_SLEEP_SECONDS", "1");
        set("WORKER_THREADS", "2");
        if self.has_spool {
            set("CRASHMOVER_SPOOL_DIR", &site.spool().display().to_string());
        }
        settings
    }
}
