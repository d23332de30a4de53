//! What an error of the operating system means for a report, and what whoever reads the log can do about it.

use std::io::{Error, ErrorKind};
use std::path::Path;

use rustix::io::Errno;

use crate::crash_storage::blob::{StorageError, StorageErrorKind};

/// `action` reads on with the path: "save", "make the folder".
pub(super) fn failure(action: &str, path: &Path, error: Error) -> StorageError {
    let (kind, advice) = meaning(&error);
    let doing = match blocker(path, error.kind()) {
        Some(file) => format!(
            "cannot {action} {}: {} {advice}",
            path.display(),
            file.display()
        ),
        None => format!("cannot {action} {}: {advice}", path.display()),
    };
    StorageError::new(kind, doing, error)
}

fn meaning(error: &Error) -> (StorageErrorKind, &'static str) {
    use StorageErrorKind::{NotFound, Permanent, Transient};

    match error.kind() {
        ErrorKind::NotFound => (NotFound, "it does not exist"),
        ErrorKind::StorageFull => (
            Transient,
            "the disk is full, of bytes or of inodes: free some",
        ),
        ErrorKind::QuotaExceeded => (
            Transient,
            "the quota is used up: free some space or raise it",
        ),
        ErrorKind::PermissionDenied => (
            Permanent,
            "permission denied: let the collector's user read and write everything below its folder",
        ),
        ErrorKind::ReadOnlyFilesystem => (
            Permanent,
            "the disk is read-only: mount it writable (the kernel makes it so after an error, see dmesg)",
        ),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            (Permanent, "is a file in the way: move it away")
        }
        ErrorKind::IsADirectory => (Permanent, "is a folder in the way: move it away"),
        _ if is_out_of_files(error) => (
            Transient,
            "too many open files: raise the limit (LimitNOFILE of the service, ulimit -n)",
        ),
        // A broken disk looks like this, but so does a network disk that comes back.
        _ => (Transient, "the disk reports an error: see dmesg"),
    }
}

fn is_out_of_files(error: &Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::MFILE | Errno::NFILE)
    )
}

/// The file or folder that must be moved away, where that is the trouble.
fn blocker(path: &Path, kind: ErrorKind) -> Option<&Path> {
    match kind {
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            let file = path.ancestors().find(|path| path.is_file());
            Some(file.unwrap_or(path))
        }
        ErrorKind::IsADirectory => Some(path),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_worth_another_try() {
        for (errno, kind) in [
            (Errno::NOSPC, StorageErrorKind::Transient),
            (Errno::DQUOT, StorageErrorKind::Transient),
            (Errno::IO, StorageErrorKind::Transient),
            (Errno::INTR, StorageErrorKind::Transient),
            (Errno::MFILE, StorageErrorKind::Transient),
            (Errno::STALE, StorageErrorKind::Transient),
            (Errno::ACCESS, StorageErrorKind::Permanent),
            (Errno::PERM, StorageErrorKind::Permanent),
            (Errno::ROFS, StorageErrorKind::Permanent),
            (Errno::NOTDIR, StorageErrorKind::Permanent),
            (Errno::ISDIR, StorageErrorKind::Permanent),
            (Errno::NOENT, StorageErrorKind::NotFound),
        ] {
            let error = failure("save", Path::new("/nowhere/x"), errno.into());
            assert_eq!(error.kind, kind, "{error}");
            assert!(error.to_string().starts_with("cannot save /nowhere/x: "));
        }
    }

    #[test]
    fn the_file_in_the_way_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = failure("save", &file.join("a/b"), Errno::NOTDIR.into());
        let advice = format!(": {} is a file in the way: move it away", file.display());
        assert!(error.doing.ends_with(&advice), "{error}");
    }
}
