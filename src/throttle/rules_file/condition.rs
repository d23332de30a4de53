//! The `when` of a rule: TOML -> condition. Each condition is a table whose keys say what it asks.

use std::ops::Range;

use regex_lite::RegexBuilder;
use toml_edit::{Item, TableLike};

use super::toml_reader::{Entry, Reader, listed};
use crate::throttle::condition::{Condition, Place};
use crate::throttle::value_test::{IntegerTest, TextTest};

/// Conditions that stand alone in their table.
const WHOLE: [&str; 6] = [
    "all",
    "any",
    "not",
    "product_supported",
    "package_supported",
    "product_list_has",
];
/// What can be asked of an annotation, one thing per table.
const TESTS: [&str; 9] = [
    "present",
    "equals",
    "one_of",
    "starts_with",
    "matches",
    "before",
    "older_than_days",
    "at_least",
    "at_most",
];
/// What stands beside a test.
const BESIDE: [&str; 3] = ["annotation", "path", "ignore_case"];
const EXAMPLE: &str = "a condition, such as { annotation = \"Comments\", present = true }";
/// Two hundred years; nobody means more.
const MOST_DAYS: u32 = 73_000;
/// Keeps the cost of searching low whatever pattern an operator writes.
const LARGEST_REGEX_BYTES: usize = 256 * 1024;

/// Reads the condition that is the value of `entry`; `None` if there is a mistake in it.
pub(super) fn condition(reader: &mut Reader, entry: Entry) -> Option<Condition> {
    match entry.item.as_table_like() {
        Some(table) => condition_table(reader, table, entry.item.span()),
        None => reader.wrong_type(entry, EXAMPLE),
    }
}

fn condition_table(
    reader: &mut Reader,
    table: &dyn TableLike,
    span: Option<Range<usize>>,
) -> Option<Condition> {
    let known = [&TESTS[..], &WHOLE, &BESIDE].concat();
    let unknown = table.iter().any(|(key, _)| !known.contains(&key));
    reader.only(table, &known, "a condition");
    let kinds: Vec<Entry> = table
        .iter()
        .filter(|(key, _)| !BESIDE.contains(key) && known.contains(key))
        .map(|(key, item)| Entry { key, item })
        .collect();
    match kinds[..] {
        [kind] if WHOLE.contains(&kind.key) => {
            let alone = nothing_beside(reader, table, &BESIDE, kind.key);
            whole(reader, kind).filter(|_| alone)
        }
        [kind] => test(reader, table, kind, span),
        // The key that was meant is the one that was noted as unknown.
        [] if unknown => None,
        [] => {
            let advice = format!("add one of {} to it", listed(&TESTS));
            reader.note(span, "this condition asks nothing", advice);
            None
        }
        [_, second, ..] => {
            let keys: Vec<_> = kinds.iter().map(|kind| kind.key).collect();
            reader.note(
                second.item.span(),
                format!("this condition has {} at once", listed(&keys)),
                "give each a table of its own and join them, such as when.all = [{ … }, { … }]",
            );
            None
        }
    }
}

/// Notes those of `keys` that are in the table; true if there are none.
fn nothing_beside(reader: &mut Reader, table: &dyn TableLike, keys: &[&str], kind: &str) -> bool {
    let mut nothing = true;
    for key in keys {
        if let Some(item) = table.get(key) {
            let what = format!("`{key}` means nothing beside `{kind}`");
            reader.note(item.span(), what, "remove it");
            nothing = false;
        }
    }
    nothing
}

fn whole(reader: &mut Reader, kind: Entry) -> Option<Condition> {
    match kind.key {
        "all" => conditions(reader, kind).map(Condition::All),
        "any" => conditions(reader, kind).map(Condition::Any),
        "not" => condition(reader, kind).map(|inner| Condition::Not(Box::new(inner))),
        "product_supported" => reader.boolean(kind).map(Condition::ProductSupported),
        "package_supported" => reader.boolean(kind).map(Condition::PackageSupported),
        _ => reader.string(kind).map(Condition::ProductListHas),
    }
}

fn conditions(reader: &mut Reader, entry: Entry) -> Option<Vec<Condition>> {
    let Some(list) = entry.item.as_array().filter(|list| !list.is_empty()) else {
        return reader.wrong_type(entry, "a list of at least one condition, each in { }");
    };
    let read: Vec<Option<Condition>> = list
        .iter()
        .map(|value| match value.as_inline_table() {
            Some(table) => condition_table(reader, table, value.span()),
            None => {
                let what = format!("`{}` has a value that is not a condition in it", entry.key);
                reader.note(value.span(), what, format!("make it {EXAMPLE}"));
                None
            }
        })
        .collect();
    read.into_iter().collect()
}

fn test(
    reader: &mut Reader,
    table: &dyn TableLike,
    kind: Entry,
    span: Option<Range<usize>>,
) -> Option<Condition> {
    let place = place(reader, table, kind.key, span);
    let ignores_case = ignores_case(reader, table, kind);
    if kind.key == "present" {
        let present = reader.boolean(kind)?;
        let alone = nothing_beside(reader, table, &["path"], kind.key);
        let annotation = place?.annotation;
        return alone.then_some(Condition::Present {
            annotation,
            present,
        });
    }
    if let Some(test) = integer_test(reader, kind) {
        let (test, place) = (test?, place?);
        return Some(Condition::Integer { place, test });
    }
    let test = text_test(reader, kind, ignores_case?)?;
    let place = place?;
    Some(Condition::Text { place, test })
}

fn place(
    reader: &mut Reader,
    table: &dyn TableLike,
    kind: &str,
    span: Option<Range<usize>>,
) -> Option<Place> {
    let entry = |key| table.get(key).map(|item: &Item| Entry { key, item });
    let annotation = match entry("annotation") {
        Some(entry) => reader.string(entry),
        None => {
            let what = format!("`{kind}` does not say of which annotation");
            reader.note(span, what, "add annotation = \"…\" to the condition");
            None
        }
    };
    let path = match entry("path") {
        Some(entry) => path(reader, entry),
        None => Some(Vec::new()),
    };
    Some(Place {
        annotation: annotation?,
        path: path?,
    })
}

fn path(reader: &mut Reader, entry: Entry) -> Option<Vec<String>> {
    let dotted = reader.string(entry)?;
    let steps: Vec<String> = dotted.split('.').map(str::to_owned).collect();
    if steps.iter().any(String::is_empty) {
        let what = format!("`path` has an empty step in \"{}\"", dotted.escape_debug());
        reader.note(
            entry.item.span(),
            what,
            "write member names joined by single dots, such as \"system.os.name\"",
        );
        return None;
    }
    Some(steps)
}

fn ignores_case(reader: &mut Reader, table: &dyn TableLike, kind: Entry) -> Option<bool> {
    let key = "ignore_case";
    let Some(item) = table.get(key) else {
        return Some(false);
    };
    if kind.key != "equals" || !kind.item.is_str() {
        nothing_beside(reader, table, &[key], kind.key);
        return None;
    }
    reader.boolean(Entry { key, item })
}

/// `None` if the key does not ask for a number, `Some(None)` if there is a mistake in the number.
fn integer_test(reader: &mut Reader, kind: Entry) -> Option<Option<IntegerTest>> {
    let make = match kind.key {
        "at_least" => IntegerTest::AtLeast,
        "at_most" => IntegerTest::AtMost,
        "equals" if kind.item.is_integer() => IntegerTest::Equals,
        _ => return None,
    };
    Some(reader.integer(kind).map(make))
}

fn text_test(reader: &mut Reader, kind: Entry, ignores_case: bool) -> Option<TextTest> {
    match kind.key {
        "one_of" => {
            let texts = reader.strings(kind)?;
            Some(TextTest::OneOf(texts.into_iter().collect()))
        }
        "starts_with" if kind.item.is_array() => reader.strings(kind).map(TextTest::StartsWith),
        "starts_with" => {
            let prefix = reader.string(kind)?;
            Some(TextTest::StartsWith(vec![prefix]))
        }
        "matches" => regex(reader, kind),
        "before" => reader.string(kind).map(TextTest::Before),
        "older_than_days" => days(reader, kind).map(TextTest::OlderThanDays),
        _ if ignores_case => reader.string(kind).map(TextTest::EqualsIgnoringCase),
        _ => reader.string(kind).map(TextTest::Equals),
    }
}

fn regex(reader: &mut Reader, entry: Entry) -> Option<TextTest> {
    let pattern = reader.string(entry)?;
    match RegexBuilder::new(&pattern)
        .size_limit(LARGEST_REGEX_BYTES)
        .build()
    {
        Ok(regex) => Some(TextTest::Matches(regex)),
        Err(error) => {
            let what = format!("`matches` is not a regular expression: {error}");
            let advice = "correct the pattern; TOML's single quotes leave backslashes alone";
            reader.note(entry.item.span(), what.replace('\n', " "), advice);
            None
        }
    }
}

fn days(reader: &mut Reader, entry: Entry) -> Option<u32> {
    let days = reader.integer(entry)?;
    let sound = u32::try_from(days)
        .ok()
        .filter(|days| (1..=MOST_DAYS).contains(days));
    if sound.is_none() {
        let what = format!("`older_than_days` is {days}");
        reader.note(
            entry.item.span(),
            what,
            format!("make it a number of days from 1 to {MOST_DAYS}"),
        );
    }
    sound
}
