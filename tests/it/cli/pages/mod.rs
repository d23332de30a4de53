//! Pages that are written by hand and must not fall behind: logging.md against the lines in the sources, migrating.md
//! against settings, metrics and the recorded original.

mod logging;
mod migrating;

use std::collections::BTreeSet;

/// What stands in backticks in a text, outside of blocks.
fn in_backticks(page: &str) -> BTreeSet<String> {
    let pieces = outside_blocks(page);
    let pieces = pieces.split('`').skip(1).step_by(2);
    pieces.map(str::to_owned).collect()
}

fn outside_blocks(page: &str) -> String {
    let mut is_block = false;
    let mut text = String::new();
    for line in page.lines() {
        if line.starts_with("```") {
            is_block = !is_block;
        } else if !is_block {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// The part of a page below a heading, up to the next one that is not below it.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let level = heading.chars().take_while(|c| *c == '#').count();
    let (_, rest) = page
        .split_once(&format!("\n{heading}\n"))
        .unwrap_or_else(|| panic!("no heading {heading}"));
    let ends = (2..=level).filter_map(|level| rest.find(&format!("\n{} ", "#".repeat(level))));
    ends.min().map_or(rest, |end| &rest[..end])
}
