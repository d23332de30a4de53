//! A file or folder of the test disk: what is seen of it, and what is durable.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::bytes::FileBytes;

/// Names in a folder, with the numbers of what they stand for.
pub type Names = BTreeMap<OsString, u64>;

/// A file or folder.
pub struct Node {
    pub mode: u16,
    pub content: Content,
    /// Its folder and its name there, as seen now.
    pub place: (u64, OsString),
}

pub enum Content {
    File(FileBytes),
    Folder { seen: Names, durable: Names },
}

impl Content {
    pub fn file() -> Self {
        Self::File(FileBytes::default())
    }

    pub fn folder() -> Self {
        Self::Folder {
            seen: Names::new(),
            durable: Names::new(),
        }
    }

    pub fn is_folder(&self) -> bool {
        matches!(self, Self::Folder { .. })
    }
}
