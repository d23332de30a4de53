//! `antenna spool`: looking after what waits on disk. Works beside a running collector, and without one.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context;
use clap::Subcommand;

use crate::settings::Settings;
use crate::spool::{self, Content, Folder, Listed};

#[derive(Debug, Subcommand)]
pub enum SpoolCommand {
    /// List what waits and what was set aside
    Ls,
    /// Print one report that waits
    Show {
        /// A crash id, or a file's name from `ls`
        entry: String,
    },
    /// Put what was set aside back into the line
    Retry {
        /// A crash id, or a file's name from `ls`
        entry: String,
    },
    /// Read every entry and say which are whole
    Verify,
    /// Write raw crash and dumps of a report into a new folder
    Export {
        /// A crash id, or a file's name from `ls`
        entry: String,
        /// The new folder is made in this one
        into: PathBuf,
    },
}

/// # Errors
/// There is no spool in the settings, no such entry, a damaged one, or the disk says no.
pub fn spool(settings: &Settings, command: SpoolCommand) -> anyhow::Result<()> {
    let settings = settings.spool.as_ref();
    let settings = settings.context("there is no spool: CRASHMOVER_SPOOL_DIR is not set")?;
    let dir = settings.dir.as_path();
    match command {
        SpoolCommand::Ls => list(dir),
        SpoolCommand::Show { entry } => each(dir, &entry, |file| show(dir, file)),
        SpoolCommand::Retry { entry } => retry_all(dir, &entry),
        SpoolCommand::Verify => super::spool_verify::verify(dir),
        SpoolCommand::Export { entry, into } => each(dir, &entry, |file| export(dir, file, &into)),
    }
}

/// Does something with every file of an entry: a report may be in two states at once after a power failure.
fn each(
    dir: &Path,
    entry: &str,
    mut act: impl FnMut(&Listed) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    found(dir, entry)?.iter().try_for_each(&mut act)
}

fn found(dir: &Path, entry: &str) -> anyhow::Result<Vec<Listed>> {
    let bare = entry.strip_prefix("bp-").unwrap_or(entry);
    let found = spool::find(dir, bare)?;
    anyhow::ensure!(
        !found.is_empty(),
        "nothing of the name {entry} is in the spool {}",
        dir.display()
    );
    Ok(found)
}

fn list(dir: &Path) -> anyhow::Result<()> {
    let entries = spool::list(dir)?;
    for entry in &entries {
        super::say(&line(entry));
    }
    super::say(&format!(
        "{}, {} bytes\n",
        super::counted(entries.len(), "entry", "entries"),
        entries.iter().map(|entry| entry.length_bytes).sum::<u64>()
    ));
    Ok(())
}

/// One line, with its end.
fn line(entry: &Listed) -> String {
    let age = entry
        .since
        .and_then(|since| SystemTime::now().duration_since(since).ok());
    let age = age.map_or_else(|| "?".to_owned(), |age| age.as_secs().to_string());
    let reason = entry
        .reason
        .as_deref()
        .map(|reason| format!("  {reason}"))
        .unwrap_or_default();
    format!(
        "{:8} {age:>8} s {:>10} bytes  {}{reason}\n",
        entry.folder.as_str(),
        entry.length_bytes,
        entry.name
    )
}

fn show(dir: &Path, file: &Listed) -> anyhow::Result<()> {
    super::say(&line(file));
    match spool::load(dir, file)? {
        Content::Report(report) => super::say(&super::show::rendered(&report)?),
        Content::Publish(id) => super::say(&format!(
            "report {id} is saved; its id is still to be published\n"
        )),
    }
    Ok(())
}

/// Only what was set aside can be put back; the rest is in the line, or is still being written.
fn retry_all(dir: &Path, entry: &str) -> anyhow::Result<()> {
    let found = found(dir, entry)?;
    let aside = || found.iter().filter(|file| file.folder == Folder::Failed);
    if aside().next().is_none() {
        let folders: Vec<_> = found.iter().map(|file| file.folder.as_str()).collect();
        anyhow::bail!(
            "nothing to put back: {entry} was not set aside, it is in {} and the collector takes it up by itself",
            folders.join(" and ")
        );
    }
    aside().try_for_each(|file| retry(dir, file))
}

fn retry(dir: &Path, file: &Listed) -> anyhow::Result<()> {
    let state = Folder::from(spool::retry(dir, file)?).as_str();
    super::say(&format!(
        "{} is back in the line: {state}. A running collector takes it up within a minute.\n",
        file.name
    ));
    Ok(())
}

fn export(dir: &Path, file: &Listed, into: &Path) -> anyhow::Result<()> {
    match spool::load(dir, file)? {
        Content::Report(report) => super::say(&format!(
            "exported to {}\n",
            spool::export(&report, into)?.display()
        )),
        Content::Publish(id) => super::say(&format!(
            "report {id} is saved; there is nothing of it in the spool but its id\n"
        )),
    }
    Ok(())
}
