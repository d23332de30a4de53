//! The spool's folders and the order of file operations that keeps a report alive.
//!
//! Every method blocks and does one thing to one entry. Who may do it, and when, is decided by the callers.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::entry::{self, Content, DecodeError, Encoded};
use super::error::SpoolError;
use super::name::EntryName;
use crate::disk::{Disk, FolderSyncs, Listed, Ticket, make_folders, sync_parent};
use crate::fail_point::around;

/// The folders below the spool's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Folder {
    /// Being written; nobody was told yes.
    Incoming,
    /// To be saved.
    Save,
    /// Saved, to be published.
    Publish,
    /// Not to be trusted; waits for a person.
    Failed,
}

impl Folder {
    pub const ALL: [Self; 4] = [Self::Incoming, Self::Save, Self::Publish, Self::Failed];

    /// Its name on disk.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Save => "save",
            Self::Publish => "publish",
            Self::Failed => "failed",
        }
    }
}

/// What still has to be done for a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Save,
    Publish,
}

impl From<State> for Folder {
    fn from(state: State) -> Self {
        match state {
            State::Save => Self::Save,
            State::Publish => Self::Publish,
        }
    }
}

/// Beside a file in `failed/`: why it is there.
const REASON_SUFFIX: &str = ".reason";

/// The name of the text file that says why `name` is in `failed/`.
pub(super) fn reason_name(name: &str) -> String {
    format!("{name}{REASON_SUFFIX}")
}

pub(super) fn is_reason(name: &str) -> bool {
    name.ends_with(REASON_SUFFIX)
}

/// A spool's place on a disk.
pub(super) struct Folders {
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    syncs: FolderSyncs,
}

impl Folders {
    pub fn new(dir: &Path, disk: Arc<dyn Disk>) -> Self {
        Self {
            dir: dir.to_owned(),
            disk,
            syncs: FolderSyncs::default(),
        }
    }

    pub fn disk(&self) -> &dyn Disk {
        self.disk.as_ref()
    }

    pub fn dir(&self, folder: Folder) -> PathBuf {
        self.dir.join(folder.as_str())
    }

    pub fn path(&self, folder: impl Into<Folder>, name: impl ToString) -> PathBuf {
        self.dir(folder.into()).join(name.to_string())
    }

    /// Makes what is missing, durably, and sees that names can be made durable here at all.
    pub fn make(&self) -> Result<(), SpoolError> {
        let disk = self.disk();
        make_folders(disk, std::slice::from_ref(&self.dir), || {
            sync_parent(disk, &self.dir)
        })
        .map_err(SpoolError::cannot_make)?;
        self.make_states()
    }

    /// Makes the folders below the spool's own.
    pub fn make_states(&self) -> Result<(), SpoolError> {
        let below = Folder::ALL.map(|folder| self.dir(folder));
        make_folders(self.disk(), &below, || self.disk.sync_folder(&self.dir))
            .map_err(SpoolError::cannot_make)?;
        below.iter().try_for_each(|dir| {
            let synced = self.disk.sync_folder(dir);
            synced.map_err(|e| SpoolError::io("fsync the folder", dir, e))
        })
    }

    /// The plain files in a folder.
    pub fn list(&self, folder: Folder) -> Result<Vec<Listed>, SpoolError> {
        let dir = self.dir(folder);
        let listed = self.disk.list(&dir);
        let mut listed = listed.map_err(|e| SpoolError::io("list the folder", &dir, e))?;
        listed.retain(|it| !it.is_folder);
        Ok(listed)
    }

    /// Removes what was being written when the last process ended: nobody was told yes about it.
    pub fn clear_incoming(&self) -> Result<(), SpoolError> {
        for seen in self.list(Folder::Incoming)? {
            // One that cannot be removed does no harm: nobody reads it.
            let _ = self.disk.remove(&self.path(Folder::Incoming, seen.name));
        }
        Ok(())
    }

    /// Writes an entry into `incoming/` and makes its content durable.
    pub fn write_incoming(&self, name: EntryName, encoded: &Encoded) -> Result<(), SpoolError> {
        let path = self.path(Folder::Incoming, name);
        let mut slices: Vec<_> = encoded.frames.iter().map(|f| IoSlice::new(f)).collect();
        let mut file = around("spool.create", || self.disk.create(&path))
            .map_err(|e| SpoolError::io("make the file", &path, e))?;
        around("spool.write", || file.write_all(&mut slices))
            .map_err(|e| SpoolError::io("write", &path, e))?;
        around("spool.sync_file", || file.sync()).map_err(|e| SpoolError::io("fsync", &path, e))
    }

    /// Moves a written entry to where it waits; replaces one of the same name. Its name is not durable yet.
    pub fn accept(&self, name: EntryName, state: State) -> Result<(), SpoolError> {
        let from = self.path(Folder::Incoming, name);
        around("spool.rename", || {
            self.disk.rename(&from, &self.path(state, name))
        })
        .map_err(|e| {
            SpoolError::io(
                &format!("move to {}/", Folder::from(state).as_str()),
                &from,
                e,
            )
        })
    }

    /// To be taken before `accept`.
    pub fn ticket(&self) -> Ticket {
        self.syncs.ticket()
    }

    /// Makes all names in a folder durable that were there before this call; fails if that is not certain of the names
    /// that came since `before`.
    pub fn sync(&self, state: State, before: Ticket) -> Result<(), SpoolError> {
        let dir = self.dir(state.into());
        around("spool.sync_folder", || {
            self.syncs.sync(self.disk(), &dir, before)
        })
        .map_err(|e| SpoolError::io("fsync the folder", &dir, e))
    }

    /// Undoes `accept`. False if the file may still be there.
    pub fn withdraw(&self, name: EntryName, state: State) -> bool {
        self.remove_file(&self.path(state, name)).is_ok()
    }

    /// Removes an unfinished file; the next start would do it as well.
    pub fn drop_incoming(&self, name: EntryName) {
        let _ = self.remove_file(&self.path(Folder::Incoming, name));
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        gone(around("spool.remove", || self.disk.remove(path)))
    }

    /// Removes an entry that is done. The removal itself is not made durable: doing a report twice is allowed.
    pub fn remove(&self, name: EntryName, state: State) -> Result<(), SpoolError> {
        let path = self.path(state, name);
        self.remove_file(&path)
            .map_err(|e| SpoolError::io("remove", &path, e))
    }

    /// Moves a saved report from `save/` to `publish/`. Not made durable: saving it twice is allowed.
    pub fn advance(&self, name: EntryName) -> Result<(), SpoolError> {
        let from = self.path(State::Save, name);
        around("spool.advance", || {
            self.disk.rename(&from, &self.path(State::Publish, name))
        })
        .map_err(|e| SpoolError::io("move to publish/", &from, e))
    }

    /// Reads and checks an entry. The id inside must be the one of the name.
    pub fn read(&self, path: &Path, name: EntryName) -> Result<Content, SpoolError> {
        let corrupt = |reason| SpoolError::Corrupt {
            path: path.to_owned(),
            reason,
        };
        let opened = self.disk.open(path);
        let (mut file, length_bytes) = opened.map_err(|e| SpoolError::io("open", path, e))?;
        let content = entry::decode(&mut file, length_bytes).map_err(|e| match e {
            DecodeError::Corrupt(reason) => corrupt(reason),
            DecodeError::Io(e) => SpoolError::io("read", path, e),
        })?;
        if *content.crash_id() == name.id.crash_id() {
            Ok(content)
        } else {
            let inside = content.crash_id();
            Err(corrupt(format!("it holds the crash id {inside}")))
        }
    }

    /// True if a file was not found although its folder is there: somebody moved or removed it, no volume went away.
    pub fn lost_file(&self, state: State, error: &SpoolError) -> bool {
        error.is_not_found() && self.disk.free_bytes(&self.dir(state.into())).is_ok()
    }

    /// Moves a file to `failed/` with the reason beside it; where it is now.
    ///
    /// The reason is written first, so that no file there is without one; neither is made durable: a damaged entry that
    /// is back after a power failure is found again.
    pub fn set_aside(
        &self,
        folder: impl Into<Folder>,
        name: &str,
        reason: &str,
    ) -> Result<PathBuf, SpoolError> {
        let folder = folder.into();
        let (from, to) = (self.path(folder, name), self.path(Folder::Failed, name));
        let text = format!("was in {}/: {reason}\n", folder.as_str());
        let path = self.path(Folder::Failed, reason_name(name));
        around("spool.set_aside", || {
            let mut file = self.disk.create(&path)?;
            file.write_all(&mut [IoSlice::new(text.as_bytes())])?;
            self.disk.rename(&from, &to)
        })
        .map_err(|e| SpoolError::io("move to failed/ the damaged", &from, e))?;
        Ok(to)
    }
}

/// Removing what is gone already is a success.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
