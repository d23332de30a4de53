//! Rules for every Rust file: its head, its length, and words that belong in one module or in none.

use super::{Source, assert_none, sources};

const LONGEST: usize = 300;
/// Word, the modules that may use it, and why the others may not.
const RESERVED: [(&str, &[&str], &str); 3] = [
    (
        "StatusCode",
        &["http", "admin"],
        "statuses are decided in http and admin",
    ),
    (
        "std::env",
        &["settings", "main"],
        "the environment is read in settings",
    ),
    (
        "env::var",
        &["settings", "main"],
        "the environment is read in settings",
    ),
];
/// Not in the product: a failure has a type, and nothing is left half done.
const FORBIDDEN: [&str; 7] = [
    ".unwrap()",
    "panic!(",
    "todo!(",
    "unimplemented!(",
    "dbg!(",
    // These panic when nobody reads any more (`antenna check | head -1`); `say` and `complain` do not.
    "print!(",
    "println!(",
];
/// Failing on purpose is what `/__broken__` is for.
const EXCUSED: [(&str, &str); 1] = [("src/http/dockerflow.rs", "panic!(")];
/// Names that say nothing.
const EMPTY_NAMES: [&str; 8] = [
    "utils", "util", "helpers", "helper", "common", "manager", "handler", "core",
];

fn all() -> Vec<Source> {
    [sources("src"), sources("tests")]
        .into_iter()
        .flatten()
        .collect()
}

#[test]
fn every_file_opens_with_what_it_is() {
    let without = all().into_iter().filter(|s| !s.text.starts_with("//! "));
    assert_none(
        &without
            .map(|s| format!("{}: no //! at its top", s.path))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let long = all()
        .into_iter()
        .filter(|s| s.text.lines().count() > LONGEST);
    let tell = |s: Source| format!("{}: {} lines", s.path, s.text.lines().count());
    assert_none(&long.map(tell).collect::<Vec<_>>());
}

#[test]
fn no_file_has_an_empty_name() {
    let empty = all().into_iter().filter(|source| {
        let mut names = source.path.trim_end_matches(".rs").split('/');
        names.any(|name| EMPTY_NAMES.contains(&name))
    });
    assert_none(&empty.map(|s| s.path).collect::<Vec<_>>());
}

#[test]
fn reserved_words_stay_where_they_belong() {
    let mut problems = Vec::new();
    for source in sources("src") {
        let code = source.product_code();
        for (word, modules, reason) in RESERVED {
            if code.contains(word) && !modules.contains(&source.module()) {
                problems.push(format!("{}: {word}: {reason}", source.path));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn the_product_neither_panics_nor_is_left_half_done() {
    let mut problems = Vec::new();
    for source in sources("src") {
        let code = source.product_code();
        let is_excused = |word: &str| EXCUSED.contains(&(source.path.as_str(), word));
        let found = FORBIDDEN
            .iter()
            .filter(|word| code.contains(*word) && !is_excused(word));
        problems.extend(found.map(|word| format!("{}: {word}", source.path)));
    }
    assert_none(&problems);
}
