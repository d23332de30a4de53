//! `antenna spool verify`: reads every entry and says which are whole. Works beside a running collector.

use std::io::{IsTerminal, Write, stderr};
use std::path::Path;

use super::counted;
use crate::spool::{self, Folder, Listed, SpoolError};

/// Files between two lines of progress.
const PROGRESS_EVERY: usize = 100;

#[derive(Default)]
struct Sums {
    whole: usize,
    damaged: usize,
    /// Moved on or done by the collector since they were listed.
    moved: usize,
}

/// Reads all files but those that are still being written.
///
/// # Errors
/// Something is damaged or cannot be read, or there is no spool.
pub fn verify(dir: &Path) -> anyhow::Result<()> {
    let mut files = spool::list(dir)?;
    files.retain(|file| file.folder != Folder::Incoming);
    let mut sums = Sums::default();
    for (number, file) in files.iter().enumerate() {
        progress(number, files.len());
        sums.look_at(dir, file);
    }
    progress(files.len(), files.len());
    let Sums {
        whole,
        damaged,
        moved,
    } = sums;
    super::say(&format!(
        "{whole} whole, {damaged} damaged, {moved} moved on meanwhile\n"
    ));
    anyhow::ensure!(
        damaged == 0,
        "{} in the spool {}",
        counted(damaged, "damaged file", "damaged files"),
        dir.display()
    );
    Ok(())
}

impl Sums {
    fn look_at(&mut self, dir: &Path, file: &Listed) {
        match spool::load(dir, file) {
            Ok(_content) => self.whole += 1,
            Err(error) if error.is_not_found() => self.moved += 1,
            Err(SpoolError::Corrupt { reason, .. }) => self.damaged(file, &reason),
            Err(error) => self.damaged(file, &error.to_string()),
        }
    }

    fn damaged(&mut self, file: &Listed, reason: &str) {
        self.damaged += 1;
        super::say(&format!(
            "{}/{}: {reason}\n",
            file.folder.as_str(),
            file.name
        ));
    }
}

/// One line that is written over and over, where somebody looks.
fn progress(done: usize, all: usize) {
    let is_due = done.is_multiple_of(PROGRESS_EVERY) || done == all;
    if is_due && stderr().is_terminal() {
        let end = if done == all { "\n" } else { "" };
        // Nobody to tell if standard error is gone.
        let _ = write!(stderr(), "\r{done} of {all} read{end}");
    }
}
