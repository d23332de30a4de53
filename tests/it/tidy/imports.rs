//! Who may import whom among the modules of the crate: borders as hard as those of a workspace.

use std::collections::{BTreeMap, BTreeSet};

use super::{assert_none, sources};

/// Module, and what it imports: this, all of it, and nothing else. What is not listed may import nothing.
const TABLE: [(&str, &[&str]); 18] = [
    ("crash", &[]),
    ("intake", &["crash"]),
    ("throttle", &["crash"]),
    ("settings", &["intake"]),
    ("spool", &["crash", "disk", "settings"]),
    ("crash_storage", &["aws", "crash", "disk", "settings"]),
    ("crash_publish", &["aws", "crash", "settings"]),
    (
        "crashmover",
        &[
            "crash",
            "crash_publish",
            "crash_storage",
            "metrics",
            "settings",
            "spool",
        ],
    ),
    (
        "http",
        &[
            "crash",
            "crashmover",
            "intake",
            "logging",
            "metrics",
            "settings",
            "throttle",
        ],
    ),
    (
        "admin",
        &["crashmover", "logging", "metrics", "settings", "spool"],
    ),
    ("metrics", &["settings"]),
    ("logging", &["settings"]),
    ("sentry", &["logging", "settings"]),
    ("aws", &["settings"]),
    ("disk", &[]),
    ("version", &[]),
    ("fail_point", &[]),
    ("lib", &[]),
];
/// These put everything together.
const ABOVE_ALL: [&str; 3] = ["app", "cli", "main"];
/// Of no consequence in production, so anybody may use it.
const FOR_ALL: &str = "fail_point";
/// What the crashmovers must not know: behind the seams is what differs.
const BACKENDS: [&str; 6] = [
    "FsStore",
    "S3Store",
    "MemoryStore",
    "NoStore",
    "SqsPublisher",
    "MemoryPublisher",
];

#[test]
fn every_module_imports_what_the_table_says_and_nothing_else() {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources("src") {
        let module = source.module().to_owned();
        let imports = imports(&source.product_code());
        found.entry(module).or_default().extend(imports);
    }
    let mut problems = Vec::new();
    for (module, mut imports) in found {
        if ABOVE_ALL.contains(&&*module) {
            continue;
        }
        imports.retain(|import| *import != module && import != FOR_ALL);
        let listed = TABLE.iter().find(|(name, _)| *name == module);
        let listed = listed.map(|(_, names)| names.iter().map(|name| (*name).to_owned()));
        if listed.map(BTreeSet::from_iter) != Some(imports.clone()) {
            problems.push(format!("{module} imports {imports:?}"));
        }
    }
    assert_none(&problems);
}

#[test]
fn the_crashmover_knows_no_backend() {
    let mut problems = Vec::new();
    for source in sources("src") {
        let code = source.product_code();
        if source.module() == "crashmover" {
            let named = BACKENDS.iter().filter(|name| code.contains(*name));
            problems.extend(named.map(|name| format!("{}: {name}", source.path)));
        }
    }
    assert_none(&problems);
}

/// The modules that stand after `crate::`, alone or in braces.
fn imports(code: &str) -> BTreeSet<String> {
    let mut imports = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => imports.extend(first_names(group)),
            None => imports.extend([name_at_start(rest)]),
        }
    }
    imports
}

/// The first name of each item in a group, up to the brace that closes it.
fn first_names(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut names = Vec::new();
    let mut item = String::new();
    for character in group.chars() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(std::mem::take(&mut item)),
            _ => {}
        }
        if character != ',' {
            item.push(character);
        }
    }
    names.push(item);
    let names = names.iter().map(|item| name_at_start(item.trim()));
    names.filter(|name| !name.is_empty()).collect()
}

fn name_at_start(text: &str) -> String {
    let name = text
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_');
    name.collect()
}

#[test]
fn grouped_and_single_imports_are_found() {
    let code = "use crate::{crash::{Dump, CrashId}, settings};\nuse crate::http;\ncrate::aws::x()";
    let expected = ["aws", "crash", "http", "settings"].map(str::to_owned);
    assert_eq!(imports(code), BTreeSet::from(expected));
}
