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
            .map(|(member, value)| (format!("metadata.{member}"), shown(&text_of(value))))
            .collect(),
        value => vec![(shown(name), shown(&text_of(value)))],
    }
}

/// One line of printable text: neither names nor values of strangers may steer the terminal.
fn shown(text: &str) -> String {
    let printable = |c: char| if is_printable(c) { c } else { ' ' };
    let text: String = text.chars().map(printable).collect();
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((at, _)) => format!("{}… ({} characters)", &text[..at], text.chars().count()),
        None => text,
    }
}

/// Neither a control character nor one that is invisible or turns the direction of writing (Unicode's category Cf).
fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_cannot_steer_the_terminal() {
        let rows = row(
            "a\u{1b}[2J\n\u{202e}b",
            &"\u{1b}]0;x\u{7}\u{2066}\u{e9}".into(),
        );
        assert_eq!(rows, [("a [2J  b".into(), " ]0;x  \u{e9}".into())]);
    }
}
