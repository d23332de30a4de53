//! A rules file: TOML text -> rules, product list, package names, aliases. Every mistake is noted, none is guessed away.
//!
//! `when` is read in `condition.rs`, `result` in `outcome.rs`. `docs/throttling.md` describes the
//! format for operators.

mod condition;
mod outcome;
#[cfg(test)]
mod tests;
mod toml_reader;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use toml_edit::{Document, Table};

use super::aliases::Aliases;
use super::condition::Condition;
use super::mistakes::Mistake;
use super::rule::{CatchAll, Rule, RuleOutcome, RuleSet};
use super::supported::PackageNames;
use condition::condition;
use outcome::outcome;
use toml_reader::{Entry, Reader};

const LONGEST_NAME: usize = 64;
/// No setting asks for this section: it is read from every file that one names.
const ALIASES: &str = "aliases";

/// The sections that were found in a file. A file may hold any of them.
#[derive(Clone, Debug, Default)]
pub(super) struct RulesFile {
    pub rules: Option<RuleSet>,
    pub products: Option<BTreeSet<String>>,
    pub package_names: Option<PackageNames>,
    pub aliases: Aliases,
}

/// A part of a rules file, by the key it has there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Section {
    Rules,
    Products,
    PackageNames,
}

impl Section {
    pub fn key(self) -> &'static str {
        match self {
            Self::Rules => "rule",
            Self::Products => "products",
            Self::PackageNames => "package_names",
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Rules => "add rules, each under its own [[rule]] line",
            Self::Products => "add a line such as products = [\"Firefox\"]",
            Self::PackageNames => {
                "add a table such as [package_names] with lines such as Fenix = [\"org.mozilla.fenix\"]"
            }
        }
    }
}

/// Reads a whole file, of which the sections in `wanted` must be there.
///
/// # Errors
/// All mistakes, from top to bottom. `path` is only for their texts.
pub(super) fn parse(path: &str, text: &str, wanted: &[Section]) -> Result<RulesFile, Vec<Mistake>> {
    let mut reader = Reader::new(path, text);
    let file = match Document::parse(text) {
        Ok(document) => sections(&mut reader, document.as_table(), wanted),
        Err(error) => {
            let what = format!("this is not TOML: {}", error.message().replace('\n', ", "));
            reader.note(error.span(), what, "correct the line");
            RulesFile::default()
        }
    };
    let mistakes = reader.into_mistakes();
    if mistakes.is_empty() {
        Ok(file)
    } else {
        Err(mistakes)
    }
}

fn sections(reader: &mut Reader, table: &Table, wanted: &[Section]) -> RulesFile {
    let [rules, products, packages] =
        [Section::Rules, Section::Products, Section::PackageNames].map(Section::key);
    reader.only(table, &[rules, products, packages, ALIASES], "a rules file");
    for section in wanted {
        if !table.contains_key(section.key()) {
            let what = format!("there is no `{}` in this file", section.key());
            reader.note(None, what, section.example());
        }
    }
    let entry = |section: Section| {
        let (key, item) = (section.key(), table.get(section.key())?);
        Some(Entry { key, item })
    };
    RulesFile {
        rules: entry(Section::Rules).and_then(|entry| rule_set(reader, entry)),
        products: entry(Section::Products)
            .and_then(|entry| reader.strings(entry))
            .map(|products| products.into_iter().collect()),
        package_names: entry(Section::PackageNames).and_then(|entry| package_names(reader, entry)),
        aliases: aliases(reader, table),
    }
}

fn package_names(reader: &mut Reader, entry: Entry) -> Option<PackageNames> {
    let example =
        "a table: a line [package_names], then lines such as Fenix = [\"org.mozilla.fenix\"]";
    let lists = lists(reader, entry, example)?.into_iter();
    Some(
        lists
            .map(|(product, names)| (product, names.into_iter().collect()))
            .collect(),
    )
}

fn aliases(reader: &mut Reader, table: &Table) -> Aliases {
    let mut aliases = Aliases::default();
    if let Some(item) = table.get(ALIASES) {
        let entry = Entry { key: ALIASES, item };
        let example = "a table: a line [aliases], then lines such as ProductName = [\"prod\"]";
        for (annotation, names) in lists(reader, entry, example).unwrap_or_default() {
            aliases.add(annotation, names);
        }
    }
    aliases
}

/// A table of lists of texts.
fn lists(reader: &mut Reader, entry: Entry, example: &str) -> Option<Vec<(String, Vec<String>)>> {
    let Some(table) = entry.item.as_table_like() else {
        return reader.wrong_type(entry, example);
    };
    let mut lists = Vec::new();
    for (key, item) in table.iter() {
        let texts = reader.strings(Entry { key, item });
        lists.push((key.to_owned(), texts.unwrap_or_default()));
    }
    Some(lists)
}

/// A rule as far as it could be read: what is missing is a mistake that was noted.
struct Read {
    name: Option<Arc<str>>,
    when: Option<Option<Condition>>,
    outcome: Option<RuleOutcome>,
    span: Option<Range<usize>>,
}

impl Read {
    /// True if no report gets past it: it asks nothing and its result settles.
    fn settles_all(&self) -> bool {
        matches!(self.when, Some(None))
            && self.outcome.is_some_and(|outcome| !outcome.can_continue())
    }

    /// False if it cannot stand last. A result with a mistake in it is given the benefit of the doubt.
    fn can_be_last(&self) -> bool {
        matches!(self.when, Some(None)) && !matches!(self.outcome, Some(RuleOutcome::Chance { .. }))
    }

    fn shown(&self) -> String {
        match &self.name {
            Some(name) => format!("rule `{name}`"),
            None => "this rule".to_owned(),
        }
    }
}

fn rule_set(reader: &mut Reader, entry: Entry) -> Option<RuleSet> {
    let Some(tables) = entry.item.as_array_of_tables() else {
        return reader.wrong_type(
            entry,
            "a section: [[rule]] on a line of its own before each rule",
        );
    };
    unique_names(reader, tables.iter());
    let mut read: Vec<Read> = tables.iter().map(|table| rule(reader, table)).collect();
    let last = read.pop()?;
    for read in read.iter().filter(|read| read.settles_all()) {
        let what = format!("no report gets past {}", read.shown());
        let advice = "give it a `when`, or move it to the end of the file";
        reader.note(read.span.clone(), what, advice);
    }
    let catch_all = catch_all(reader, last);
    let rules: Option<Vec<Rule>> = read.into_iter().map(complete).collect();
    Some(RuleSet {
        rules: rules?,
        catch_all: catch_all?,
    })
}

fn complete(read: Read) -> Option<Rule> {
    Some(Rule {
        name: read.name?,
        when: read.when?,
        outcome: read.outcome?,
    })
}

/// The last rule settles what no other did, so it must match everything and leave nothing to chance.
fn catch_all(reader: &mut Reader, last: Read) -> Option<CatchAll> {
    if !last.can_be_last() {
        let what = format!("{}, the last, does not settle every report", last.shown());
        let advice = "add after it a [[rule]] without `when`: name = \"accept_everything\", result = \"accept\"";
        reader.note(last.span, what, advice);
        return None;
    }
    match (last.when?, last.outcome?) {
        (None, RuleOutcome::Settle(result)) => Some(CatchAll {
            name: last.name?,
            result,
        }),
        _ => None,
    }
}

fn unique_names<'d>(reader: &mut Reader, tables: impl Iterator<Item = &'d Table>) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for table in tables {
        let Some((name, item)) = table
            .get("name")
            .and_then(|item| Some((item.as_str()?, item)))
        else {
            continue;
        };
        let line = reader.line(item.span());
        if let Some(first) = seen.get(name) {
            let what = format!("rule `{name}` is already in line {first}");
            reader.note(item.span(), what, "give one of them another name");
        } else {
            seen.insert(name, line);
        }
    }
}

fn rule(reader: &mut Reader, table: &Table) -> Read {
    reader.only(table, &["name", "when", "result"], "a rule");
    let name = required(reader, table, "name", "name = \"has_comments\"")
        .and_then(|entry| rule_name(reader, entry));
    let when = match table.get("when") {
        Some(item) => condition(reader, Entry { key: "when", item }).map(Some),
        None => Some(None),
    };
    let outcome = required(reader, table, "result", "result = \"reject\"")
        .and_then(|entry| outcome(reader, entry));
    Read {
        name,
        when,
        outcome,
        span: table.span(),
    }
}

fn required<'d>(
    reader: &mut Reader,
    table: &'d Table,
    key: &'static str,
    example: &str,
) -> Option<Entry<'d>> {
    let item = table.get(key);
    if item.is_none() {
        let what = format!("this rule has no `{key}`");
        reader.note(table.span(), what, format!("add a line such as {example}"));
    }
    item.map(|item| Entry { key, item })
}

/// The name goes into answers to clients and into metric tags, so it is kept to what is safe in both.
fn rule_name(reader: &mut Reader, entry: Entry) -> Option<Arc<str>> {
    let name = reader.string(entry)?;
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.len() <= LONGEST_NAME && name.bytes().all(safe) {
        return Some(name.into());
    }
    reader.note(
        entry.item.span(),
        format!("`{}` cannot be a rule's name", name.escape_debug()),
        format!("use ASCII letters, digits and _ only, {LONGEST_NAME} at most"),
    );
    None
}
