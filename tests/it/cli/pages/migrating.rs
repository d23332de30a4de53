//! docs/migrating.md: every name of the original is in it, and every name in it exists here or is said to have none.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{in_backticks, section};
use crate::cli::antenna;

const PAGE: &str = include_str!("../../../../docs/migrating.md");
const CONFIGURATION: &str = include_str!("../../../../docs/configuration.md");
const METRICS: &str = include_str!("../../../../docs/metrics.md");
const RECORD: &str = include_str!("../../../data/contract/corpus_visible.jsonl");
const GROUPS: [&str; 4] = ["breakpad_resource.", "crashmover.", "health.", "spool."];

/// Rows of the first tables in a section, as trimmed columns.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let rows = section(PAGE, heading)
        .split("\n### ")
        .next()
        .unwrap_or_default();
    let rows = rows.lines().filter(|row| row.starts_with("| `"));
    rows.map(|row| row.split('|').map(str::trim).collect())
        .collect()
}

/// Settings that exist, under each of their names.
fn settings() -> BTreeSet<String> {
    let headings = CONFIGURATION
        .lines()
        .filter(|line| line.starts_with("### `"));
    let others = CONFIGURATION
        .lines()
        .filter(|line| line.starts_with("* If it is not given: "));
    headings.chain(others).flat_map(in_backticks).collect()
}

/// Names of the original that have no effect, as the settings warn of them.
fn carried_over() -> BTreeSet<String> {
    let bullets = section(
        CONFIGURATION,
        "## Names of the original that have no effect",
    )
    .lines();
    let names = bullets.filter_map(|line| Some(line.strip_prefix("* `")?.split_once('`')?.0));
    names.map(str::to_owned).collect()
}

fn recorded() -> impl Iterator<Item = Value> {
    RECORD
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
}

/// Every text below the key `statsd`, wherever it stands.
fn statsd(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_array().filter(|_| name == "statsd") {
                    Some(lines) => {
                        found.extend(lines.iter().filter_map(Value::as_str).map(str::to_owned))
                    }
                    None => statsd(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| statsd(value, found)),
        _ => {}
    }
}

#[test]
fn every_variable_of_the_original_is_listed() {
    let listed: BTreeSet<_> = rows("## Variables")
        .iter()
        .flat_map(|row| in_backticks(row[1]))
        .collect();
    let mut wanted = carried_over();
    assert!(wanted.len() > 8, "{wanted:?}");
    for case in recorded() {
        if let Some(config) = case["config"].as_object() {
            wanted.extend(config.keys().cloned());
        }
    }
    let missing: Vec<_> = wanted.difference(&listed).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_variable_is_here_or_has_none() {
    let (settings, carried_over) = (settings(), carried_over());
    for row in rows("## Variables") {
        let is_same = row[2] == "the same";
        for name in in_backticks(row[1]) {
            assert_eq!(is_same, settings.contains(&name), "{name}: {row:?}");
            assert_eq!(!is_same, carried_over.contains(&name), "{name}: {row:?}");
        }
        // Where another name takes its place, there is one.
        let others = in_backticks(row[2]);
        assert!(others.is_subset(&settings), "{row:?}");
    }
}

#[test]
fn every_name_in_capitals_exists() {
    let known: BTreeSet<_> = settings().union(&carried_over()).cloned().collect();
    let shouts = |name: &str| {
        let is_capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        name.contains('_') && name.len() > 4 && name.chars().all(is_capital)
    };
    for text in in_backticks(PAGE) {
        let name = text.split('=').next().unwrap_or_default();
        // A beginning of names, such as `GUNICORN_`.
        if shouts(name) && !name.ends_with('_') {
            assert!(
                known.contains(name),
                "{name} is neither a setting nor one of the original's"
            );
        }
    }
}

#[test]
fn every_class_of_the_original_is_taken_or_refused_as_the_page_says() {
    let mut count = 0;
    for row in rows("### Classes and sets") {
        let [variable, value] = [row[1], row[2]].map(|column| column.trim_matches('`'));
        let settings = [
            (variable, value),
            ("CRASHMOVER_CRASHSTORAGE_BUCKET_NAME", "crashes"),
            ("CRASHMOVER_CRASHPUBLISH_QUEUE_NAME", "ids"),
        ];
        let is_rules = variable.starts_with("BREAKPAD_THROTTLER");
        let command: &[&str] = if is_rules {
            &["throttle", "-a", "A=1"]
        } else {
            &["config"]
        };
        let expected = if row[3] == "refused" { 78 } else { 0 };
        let said = antenna(&settings, command);
        assert_eq!(said.code, Some(expected), "{row:?}: {said:?}");
        if expected == 0 {
            let short = [
                (variable, row[3].trim_matches('`')),
                settings[1],
                settings[2],
            ];
            let short = antenna(&short, command).fine();
            let others = |text: &str| -> Vec<String> {
                let lines = text.lines().filter(|line| !line.starts_with(variable));
                lines.map(str::to_owned).collect()
            };
            assert_eq!(
                others(&short),
                others(&said.out),
                "the short name means the same: {row:?}"
            );
        }
        count += 1;
    }
    assert!(count > 10, "{count}");
}

#[test]
fn every_recorded_metric_is_listed_and_every_listed_one_exists() {
    let listed: BTreeSet<_> = in_backticks(section(PAGE, "## Metrics"));
    let mut lines = BTreeSet::new();
    recorded().for_each(|case| statsd(&case, &mut lines));
    let names: BTreeSet<_> = lines
        .iter()
        .filter_map(|line| line.split('|').next())
        .map(|name| name.strip_prefix("socorro.collector.").unwrap_or(name))
        .collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        assert!(listed.contains(name), "{name} is not in the page");
    }
    let existing = in_backticks(METRICS);
    for name in in_backticks(PAGE) {
        let is_metric = GROUPS.iter().any(|group| name.starts_with(group));
        assert!(
            !is_metric || existing.contains(&name),
            "{name} is no metric"
        );
    }
}
