//! Pages that are written by hand and must not fall behind: logging.md against the lines in the sources.

mod logging;

/// The part of a page below a heading, up to the next one of its level.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let level: String = heading.chars().take_while(|c| *c == '#').collect();
    let (_, rest) = page
        .split_once(&format!("\n{heading}\n"))
        .unwrap_or_else(|| panic!("no heading {heading}"));
    rest.split(&format!("\n{level} ")).next().unwrap_or(rest)
}
