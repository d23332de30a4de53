//! Settings of the spool, the folder that keeps reports while storage or queue are away.

use std::path::PathBuf;

use super::choice::Acknowledge;
use super::reader::Reader;
use super::setting::{Section, Setting};
use super::value_type::{BYTES_OR_ZERO, DISK_BYTES, OPTIONAL_FOLDER, ValueType};

/// A spool that is switched on.
#[derive(Clone, Debug)]
pub struct SpoolSettings {
    /// On a local journaling file system. Made if it is missing, in a folder that exists.
    pub dir: PathBuf,
    /// What waiting reports may occupy on the disk.
    pub max_bytes: u64,
    /// What must stay free on that disk for others; 0 for nothing.
    pub min_free_bytes: u64,
}

static SECTION: Section = Section {
    title: "Spool",
    intro: "",
};

static DIR: Setting<Option<PathBuf>> = Setting {
    names: &["CRASHMOVER_SPOOL_DIR"],
    default: "",
    reason: "there is no spool, and a client whose report cannot be saved in time is answered `500`",
    help: "Folder on a local disk that survives a restart of the process. It keeps the reports that cannot be saved or \
           published at once, and resumes them after a restart.",
    kind: ValueType {
        example: "/var/spool/antenna",
        ..OPTIONAL_FOLDER
    },
};

static MAX_BYTES: Setting<u64> = Setting {
    names: &["CRASHMOVER_SPOOL_MAX_BYTES"],
    default: "10737418240",
    reason: "10 GiB, some 25,000 reports of the usual 400 KB",
    help: "Size at which the spool is full. A full spool takes no more reports; those that cannot be \
           saved at once are answered `503`.",
    kind: DISK_BYTES,
};

static MIN_FREE_BYTES: Setting<u64> = Setting {
    names: &["CRASHMOVER_SPOOL_MIN_FREE_BYTES"],
    default: "1073741824",
    reason: "1 GiB, so that the rest of the machine can go on",
    help: "The spool counts as full when its disk has less free space than this.",
    kind: BYTES_OR_ZERO,
};

impl SpoolSettings {
    /// None when the spool is off.
    pub(super) fn read(values: &mut Reader, acknowledge: Acknowledge) -> Option<Self> {
        values.section(&SECTION);
        let dir = values.take(&DIR);
        let max_bytes = values.take(&MAX_BYTES);
        let min_free_bytes = values.take(&MIN_FREE_BYTES);
        let dir = match acknowledge {
            Acknowledge::Spooled => values.required(&DIR, dir, "CRASHMOVER_ACKNOWLEDGE=spooled"),
            Acknowledge::Saved | Acknowledge::Queued => dir,
        }?;
        Some(Self {
            dir,
            max_bytes,
            min_free_bytes,
        })
    }
}
