//! docs/logging.md: every line of a report's life is in its tables, with its level and its fields.

use serde_json::Value;

const PAGE: &str = include_str!("../../../../docs/logging.md");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// Where a report lives. The lines of other modules are about the process.
const PLACES: [&str; 4] = [
    "src/crashmover",
    "src/http/submit.rs",
    "src/http/accounts.rs",
    "src/http/reply.rs",
];
const LEVELS: [(&str, &str); 3] = [("error", "ERROR"), ("warn", "WARN"), ("info", "INFO")];

/// One line of the log as it stands in the sources.
#[derive(Debug)]
struct Line {
    level: &'static str,
    fields: Vec<String>,
    /// With `<>` for each value.
    message: String,
}

fn sources() -> Vec<String> {
    let mut texts = Vec::new();
    for place in PLACES {
        let path = std::path::Path::new(ROOT).join(place);
        if path.is_dir() {
            let files = std::fs::read_dir(path)
                .unwrap()
                .map(|file| file.unwrap().path());
            let files = files.filter(|path| path.extension().is_some_and(|it| it == "rs"));
            texts.extend(files.map(|path| std::fs::read_to_string(path).unwrap()));
        } else {
            texts.push(std::fs::read_to_string(path).unwrap());
        }
    }
    texts
}

fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for source in sources() {
        for (word, level) in LEVELS {
            for call in source.split(&format!("tracing::{word}!(")).skip(1) {
                lines.push(line(level, call));
            }
        }
    }
    lines
}

/// What follows the opening parenthesis: fields, then the text.
fn line(level: &'static str, call: &str) -> Line {
    let (fields, rest) = call.split_once('"').expect("a text");
    let (text, _) = rest.split_once('"').expect("the end of the text");
    let fields = fields.split(',').filter_map(|field| {
        let name = field.split('=').next()?.trim();
        let name = name.trim_start_matches(['%', '?']);
        (!name.is_empty()).then(|| name.to_owned())
    });
    Line {
        level,
        fields: fields.collect(),
        message: blanked(text, '{', '}'),
    }
}

/// The text with `<>` for everything between the two characters.
fn blanked(text: &str, open: char, close: char) -> String {
    let mut pieces = text.split(open);
    let mut blank = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (_, rest) = piece.split_once(close).expect("both characters");
        blank.push_str("<>");
        blank.push_str(rest);
    }
    blank
}

#[test]
fn every_line_of_a_reports_life_is_in_the_page_with_level_and_fields() {
    let rows: Vec<_> = PAGE.lines().filter(|row| row.starts_with("| `")).collect();
    let lines = lines();
    assert!(
        lines.len() > 25,
        "the lines are not found any more: {lines:?}"
    );
    for line in &lines {
        let wanted = format!("| `{}` |", line.message);
        let found = rows
            .iter()
            .find(|row| blanked(row, '<', '>').starts_with(&wanted));
        let row = found.unwrap_or_else(|| panic!("docs/logging.md has no row for {line:?}"));
        let columns: Vec<_> = row.split('|').map(str::trim).collect();
        assert!(columns[2].contains(line.level), "{line:?}: {row}");
        for field in &line.fields {
            assert!(
                columns[3].contains(&format!("`{field}`")),
                "{field} of {line:?}: {row}"
            );
        }
    }
}

#[test]
fn every_row_of_the_page_is_a_line_of_the_sources() {
    let messages: Vec<_> = lines().into_iter().map(|line| line.message).collect();
    let tables = super::section(PAGE, "## The life of a report");
    for row in tables.lines().filter(|row| row.starts_with("| `")) {
        let row = blanked(row, '<', '>');
        let message = row.split('`').nth(1).expect("a line of the log");
        assert!(
            messages.iter().any(|it| it == message),
            "{message} is logged nowhere"
        );
    }
}

#[test]
fn every_example_in_json_is_a_whole_line() {
    let examples = PAGE.lines().filter(|line| line.starts_with('{'));
    let mut count = 0;
    for example in examples {
        let line: Value =
            serde_json::from_str(example).unwrap_or_else(|e| panic!("{e}: {example}"));
        let keys: Vec<_> = line.as_object().unwrap().keys().cloned().collect();
        assert_eq!(
            keys,
            [
                "EnvVersion",
                "Fields",
                "Hostname",
                "Logger",
                "Pid",
                "Severity",
                "Timestamp",
                "Type"
            ]
        );
        assert!(line["Fields"]["msg"].is_string(), "{example}");
        count += 1;
    }
    assert!(count >= 3, "{count} examples");
}
