//! What can go wrong with the spool, in words that say where and what to do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why the spool could not do what it was asked.
#[derive(Debug)]
pub enum SpoolError {
    /// No room: nothing was kept. Gets better by itself once waiting reports can be moved on.
    Full {
        dir: PathBuf,
        /// Which limit, with figures and what to do.
        why: String,
    },
    /// This entry cannot be trusted. `Spool::load` has taken it out of the queue; `path` is where it is now.
    Corrupt { path: PathBuf, reason: String },
    /// The disk said no.
    Io {
        /// What was being done, with the path.
        doing: String,
        source: io::Error,
    },
}

impl SpoolError {
    pub(super) fn io(what: &str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            doing: format!("{what} {}", path.display()),
            source,
        }
    }

    pub(super) fn cannot_make((dir, source): (PathBuf, io::Error)) -> Self {
        Self::io("make the folder", &dir, source)
    }

    /// Nothing of this name is there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

impl fmt::Display for SpoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { dir, why } => write!(f, "the spool {} is full: {why}", dir.display()),
            Self::Corrupt { path, reason } => {
                write!(f, "the spool entry {} is corrupt: {reason}", path.display())
            }
            Self::Io { doing, source } => {
                write!(f, "{doing}: {source}{}", what_to_do(source.kind()))
            }
        }
    }
}

impl std::error::Error for SpoolError {
    /// What is behind the source: `Display` says the source itself, and whoever prints the chain must not say it twice.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => std::error::Error::source(source),
            Self::Full { .. } | Self::Corrupt { .. } => None,
        }
    }
}

fn what_to_do(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::NotFound => " (is the spool's volume mounted?)",
        io::ErrorKind::PermissionDenied => " (the collector's user must own the spool folder)",
        io::ErrorKind::ReadOnlyFilesystem => {
            " (look into the kernel log for disk errors, then mount the volume writable)"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => " (make room on the volume)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_causes_says_each_of_them_once() {
        let cause = io::Error::from(io::ErrorKind::NotFound);
        let error = SpoolError::io("list", Path::new("/spool"), cause);
        let text = format!("{:#}", anyhow::Error::from(error));
        assert_eq!(
            text,
            "list /spool: entity not found (is the spool's volume mounted?)"
        );
    }
}
