//! The spool as a person sees it: list, read, put back, export. For the command line; blocks.
//!
//! Takes no lock, so it works beside a running collector. It only reads, but for `retry`, which moves one file back; the
//! collector sees that at its next `rescan` or start.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::capacity::Capacity;
use super::entry::Content;
use super::error::SpoolError;
use super::folders::{Folder, Folders, State, is_reason, reason_name};
use super::name::EntryName;
use super::wait_queue::occupied_bytes;
use crate::crash::{CrashId, CrashReport, Dump};
use crate::disk::{self, Disk, RealDisk, parent_of};
use crate::settings::SpoolSettings;

/// More than any reason we write.
const LONGEST_REASON_BYTES: u64 = 64 * 1024;
/// A file name for the dump without a name; no dump can be called so.
const UNNAMED: &str = "unnamed-dump";

/// One file of the spool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub folder: Folder,
    /// The file's name.
    pub name: String,
    pub length_bytes: u64,
    /// `None`: not the name of an entry.
    pub crash_id: Option<CrashId>,
    /// When the report came into the spool, if the name tells.
    pub since: Option<SystemTime>,
    /// Why it is in `failed/`.
    pub reason: Option<String>,
}

/// Every file of the spool in `dir`, by folder and then by time.
///
/// # Errors
/// `Io`: there is no spool, or it cannot be read.
pub fn list(dir: &Path) -> Result<Vec<Listed>, SpoolError> {
    let folders = folders(dir);
    let mut all = Vec::new();
    for folder in Folder::ALL {
        all.extend(list_folder(&folders, folder)?);
    }
    all.sort_by(|a, b| (a.folder, &a.name).cmp(&(b.folder, &b.name)));
    Ok(all)
}

fn list_folder(folders: &Folders, folder: Folder) -> Result<Vec<Listed>, SpoolError> {
    let seen = folders.list(folder)?.into_iter();
    Ok(seen
        .filter_map(|seen| listed(folders, folder, seen))
        .collect())
}

/// A spool as it is seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpoolOverview {
    /// In `save/` and `publish/`.
    pub waiting: usize,
    /// In `failed/`.
    pub failed: usize,
    /// How much could still be put.
    pub room_bytes: u64,
}

/// Whether a start could use the spool, and what is in it; `None` if there is none yet and a start can make it.
///
/// # Errors
/// `Io`: it cannot be made, written to or read by this user.
pub fn look(config: &SpoolSettings) -> Result<Option<SpoolOverview>, SpoolError> {
    let dir = &config.dir;
    if !dir.exists() {
        may_write(parent_of(dir))?;
        return Ok(None);
    }
    may_write(dir)?;
    let folders = folders(dir);
    let files = |folder| match folders.dir(folder).exists() {
        true => list_folder(&folders, folder),
        // An empty volume is one that a start makes a spool of.
        false => Ok(Vec::new()),
    };
    let waiting = [files(Folder::Save)?, files(Folder::Publish)?].concat();
    let bytes = waiting.iter().map(|file| occupied_bytes(file.length_bytes));
    let capacity = Capacity::new(dir, config.max_bytes, config.min_free_bytes);
    capacity.look_now(folders.disk());
    Ok(Some(SpoolOverview {
        waiting: waiting.len(),
        failed: files(Folder::Failed)?.len(),
        room_bytes: capacity.left_bytes(bytes.sum()),
    }))
}

fn may_write(dir: &Path) -> Result<(), SpoolError> {
    let may = RealDisk::private(true).may_write(dir);
    may.map_err(|error| SpoolError::io("write to the folder", dir, error))
}

/// The files with this crash id or this name; a report may be there more than once.
///
/// # Errors
/// As `list`.
pub fn find(dir: &Path, crash_id_or_name: &str) -> Result<Vec<Listed>, SpoolError> {
    let mut all = list(dir)?;
    all.retain(|file| {
        let id = file.crash_id.as_ref().map(CrashId::as_str);
        file.name == crash_id_or_name || id == Some(crash_id_or_name)
    });
    Ok(all)
}

/// Reads one entry and checks every hash; changes nothing.
///
/// # Errors
/// `Corrupt`: it cannot be trusted, with the reason. `Io`: it cannot be read, or has moved on since it was listed.
pub fn load(dir: &Path, file: &Listed) -> Result<Content, SpoolError> {
    let folders = folders(dir);
    let path = folders.path(file.folder, &file.name);
    folders.read(&path, name_of(file, &path)?)
}

/// Puts a file from `failed/` back in the queue for which it is fit; which one that is.
///
/// # Errors
/// `Corrupt`: it is still damaged, and stays. `Io`: it is not in `failed/`, or could not be moved.
pub fn retry(dir: &Path, file: &Listed) -> Result<State, SpoolError> {
    retry_in(&folders(dir), file)
}

pub(super) fn retry_in(folders: &Folders, file: &Listed) -> Result<State, SpoolError> {
    let from = folders.path(Folder::Failed, &file.name);
    let name = name_of(file, &from)?;
    let state = match folders.read(&from, name)? {
        Content::Report(_) => State::Save,
        Content::Publish(_) => State::Publish,
    };
    let disk = folders.disk();
    let to = folders.path(state, name);
    disk.rename(&from, &to)
        .map_err(|e| SpoolError::io("move back", &from, e))?;
    let target = folders.dir(state.into());
    disk.sync_folder(&target)
        .map_err(|e| SpoolError::io("fsync the folder", &target, e))?;
    // Without its entry the reason is of no use, but it does no harm either.
    let _ = disk.remove(&folders.path(Folder::Failed, reason_name(&file.name)));
    Ok(state)
}

/// Writes a report's parts into a new folder `<to>/<crash id>`: `raw_crash.json`, and each dump under its name.
///
/// # Errors
/// `Io`: the folder is there already, or cannot be written.
pub fn export(report: &CrashReport, to: &Path) -> Result<PathBuf, SpoolError> {
    let dir = to.join(report.id.as_str());
    std::fs::create_dir(&dir).map_err(|e| SpoolError::io("make the folder", &dir, e))?;
    write(&dir.join("raw_crash.json"), report.raw_crash.pieces())?;
    for Dump { name, frames, .. } in &report.dumps {
        let file_name = match name.as_str() {
            "" => UNNAMED,
            name => name,
        };
        write(&dir.join(file_name), frames)?;
    }
    Ok(dir)
}

fn write(path: &Path, frames: &[bytes::Bytes]) -> Result<(), SpoolError> {
    let mut slices: Vec<_> = frames.iter().map(|f| io::IoSlice::new(f)).collect();
    let written = RealDisk::private(true)
        .create(path)
        .and_then(|mut file| file.write_all(&mut slices));
    written.map_err(|e| SpoolError::io("write", path, e))
}

fn folders(dir: &Path) -> Folders {
    Folders::new(dir, Arc::new(RealDisk::private(true)))
}

fn listed(folders: &Folders, folder: Folder, seen: disk::Listed) -> Option<Listed> {
    let name = EntryName::parse(&seen.name);
    if folder == Folder::Failed && is_reason(&seen.name) {
        return None;
    }
    let reason = (folder == Folder::Failed).then(|| reason_for(folders, &seen.name));
    Some(Listed {
        folder,
        length_bytes: seen.length_bytes,
        crash_id: name.map(|name| name.id.crash_id()),
        since: name.map(EntryName::since),
        name: seen.name,
        reason: reason.flatten(),
    })
}

fn reason_for(folders: &Folders, name: &str) -> Option<String> {
    let path = folders.path(Folder::Failed, reason_name(name));
    let (file, _) = folders.disk().open(&path).ok()?;
    let mut text = Vec::new();
    file.take(LONGEST_REASON_BYTES)
        .read_to_end(&mut text)
        .ok()?;
    Some(String::from_utf8_lossy(&text).trim_end().to_owned())
}

fn name_of(file: &Listed, path: &Path) -> Result<EntryName, SpoolError> {
    EntryName::parse(&file.name).ok_or_else(|| SpoolError::Corrupt {
        path: path.to_owned(),
        reason: "its name is not that of an entry: 16 digits, a hyphen, the crash id".to_owned(),
    })
}
