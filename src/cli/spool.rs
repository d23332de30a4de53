//! `antenna spool`: looking after what waits on disk. Works beside a running collector, and without one.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context;
use clap::Subcommand;

use crate::app;
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
    /// Write raw crash and dumps of a report into a new folder
    Export {
        /// A crash id, or a file's name from `ls`
        entry: String,
        /// The new folder is made in this one
        into: PathBuf,
    },
}

/// # Errors
/// There is no spool in the settings, no such entry, or the disk says no.
pub fn spool(settings: &Settings, command: SpoolCommand) -> anyhow::Result<()> {
    let config = app::spool_config(settings)
        .context("there is no spool: CRASHMOVER_SPOOL_DIR is not set")?;
    let dir = config.dir.as_path();
    match command {
        SpoolCommand::Ls => list(dir),
        SpoolCommand::Show { entry } => each(dir, &entry, |file| show(dir, file)),
        SpoolCommand::Retry { entry } => each(dir, &entry, |file| retry(dir, file)),
        SpoolCommand::Export { entry, into } => each(dir, &entry, |file| export(dir, file, &into)),
    }
}

/// Does something with every file of an entry: a report may be in two states at once after a power failure.
fn each(
    dir: &Path,
    entry: &str,
    mut act: impl FnMut(&Listed) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let bare = entry.strip_prefix("bp-").unwrap_or(entry);
    let found = spool::find(dir, bare)?;
    anyhow::ensure!(
        !found.is_empty(),
        "nothing of the name {entry} is in the spool {}",
        dir.display()
    );
    found.iter().try_for_each(&mut act)
}

fn list(dir: &Path) -> anyhow::Result<()> {
    let entries = spool::list(dir)?;
    for entry in &entries {
        println!("{}", line(entry));
    }
    println!(
        "{} entries, {} bytes",
        entries.len(),
        entries.iter().map(|entry| entry.length_bytes).sum::<u64>()
    );
    Ok(())
}

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
        "{:8} {age:>8} s {:>10} bytes  {}{reason}",
        entry.folder.as_str(),
        entry.length_bytes,
        entry.name
    )
}

fn show(dir: &Path, file: &Listed) -> anyhow::Result<()> {
    println!("{}", line(file));
    match spool::load(dir, file)? {
        Content::Report(report) => print!("{}", super::show::rendered(&report)?),
        Content::Publish(id) => println!("report {id} is saved; its id is still to be published"),
    }
    Ok(())
}

fn retry(dir: &Path, file: &Listed) -> anyhow::Result<()> {
    let state = Folder::from(spool::retry(dir, file)?).as_str();
    println!(
        "{} is back in the line: {state}. A running collector takes it up within a minute.",
        file.name
    );
    Ok(())
}

fn export(dir: &Path, file: &Listed, into: &Path) -> anyhow::Result<()> {
    match spool::load(dir, file)? {
        Content::Report(report) => {
            println!("exported to {}", spool::export(&report, into)?.display())
        }
        Content::Publish(id) => {
            println!("report {id} is saved; there is nothing of it in the spool but its id")
        }
    }
    Ok(())
}
