//! `antenna show`: what was kept of a report.

use serde_json::Value;

use crate::app;
use crate::crash::{CrashId, CrashReport, Dump, text_of};
use crate::intake;
use crate::settings::Settings;

use super::dump_kind::kind;

/// Values longer than this are cut: stacks and environments fill screens.
const LONGEST_VALUE: usize = 100;

/// Prints annotations as a table, then the dumps.
///
/// # Errors
/// Storage cannot be asked, or has no such report.
pub fn show(settings: &Settings, id: &CrashId) -> anyhow::Result<()> {
    let report = super::runtime(settings)?.block_on(async {
        let backends = app::backends(settings).await?;
        anyhow::Ok(backends.storage.load(id).await?)
    })?;
    super::say(&rendered(&report)?);
    Ok(())
}

/// A report as a page of text.
pub fn rendered(report: &CrashReport) -> anyhow::Result<String> {
    let document = intake::annotations_in_json(&report.raw_crash.json())
        .map_err(|reason| anyhow::anyhow!("its raw crash is damaged ({})", reason.code()))?;
    let rows: Vec<(String, String)> = document
        .iter()
        .flat_map(|(name, value)| row(name, value))
        .collect();
    let widest = rows
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    let mut page = format!("crash report {}\n\n", report.id);
    for (name, value) in rows {
        page.push_str(&format!("  {name:widest$}  {value}\n"));
    }
    page.push_str(if report.dumps.is_empty() {
        "\nno dumps\n"
    } else {
        "\ndumps\n"
    });
    for dump in &report.dumps {
        page.push_str(&dump_line(dump));
    }
    Ok(page)
}

/// The collector's own remarks are shown one by one.
fn row(name: &str, value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Object(members) if name == "metadata" => members
            .iter()
            .filter(|(member, _)| *member != "dump_checksums")
            .map(|(member, value)| (format!("metadata.{member}"), shown(value)))
            .collect(),
        value => vec![(name.to_owned(), shown(value))],
    }
}

/// One line of printable text.
fn shown(value: &Value) -> String {
    let text: String = text_of(value)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((at, _)) => format!("{}… ({} characters)", &text[..at], text.chars().count()),
        None => text,
    }
}

fn dump_line(dump: &Dump) -> String {
    format!(
        "  {}  {} bytes  sha256 {}  {}\n",
        dump.name,
        dump.length_bytes,
        dump.sha256_hex(),
        kind(dump)
    )
}
