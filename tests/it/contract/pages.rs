//! `docs/compatibility.md` lists every case in which we differ: its tables are rendered from `expectations.jsonl`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::case::{Case, ExpectedAnswer, Outcome, corpus};
use super::expectations::{Expectations, Source};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/compatibility.md");
const START: &str = "<!-- rendered from tests/data/contract/expectations.jsonl: start -->\n";
const END: &str = "<!-- rendered from tests/data/contract/expectations.jsonl: end -->\n";

#[test]
fn the_compatibility_page_lists_every_expectation() {
    let page = std::fs::read_to_string(PAGE).expect("the page");
    let (before, rest) = page.split_once(START).expect("the page has a start mark");
    let (_, after) = rest.split_once(END).expect("the page has an end mark");
    let rendered = format!("{before}{START}{}{END}{after}", tables());
    if rendered != page {
        let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/compatibility.md");
        std::fs::write(path, rendered).expect("a writable target folder");
        panic!("the page is out of date: cp {path} docs/compatibility.md");
    }
}

fn tables() -> String {
    let corpus = corpus();
    let expectations = Expectations::read();
    let titles = [
        ("Different on purpose", Source::Improvement),
        ("Deviations", Source::Deviation),
        ("Warts of the original that we share", Source::Recorded),
    ];
    let table = |(title, source)| {
        let rows = rows(&corpus, &expectations, source);
        format!(
            "\n### {title}\n\n| cases | the original | Antenna | why |\n|---|---|---|---|\n{rows}\n"
        )
    };
    titles.map(table).concat()
}

/// One row for all cases that share their reason and answers, in the order of the corpus.
fn rows(corpus: &[Case], expectations: &Expectations, source: Source) -> String {
    let mut rows: BTreeMap<String, (usize, Vec<String>)> = BTreeMap::new();
    for (number, case) in corpus.iter().enumerate() {
        let Some(expectation) = expectations.of(case) else {
            continue;
        };
        let (outcomes, of) = expectations.outcomes(case);
        if of != source {
            continue;
        }
        let (theirs, ours) = (told(&case.recorded()), told(&outcomes));
        let row = format!("{theirs} | {ours} | {}", expectation.reason);
        let (_, names) = rows.entry(row).or_insert((number, Vec::new()));
        names.push(format!("`{}`", case.name));
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by_key(|(_, (number, _))| *number);
    let line = |(row, (_, names)): (String, (_, Vec<String>))| {
        format!("| {} | {row} |\n", names.join(", "))
    };
    rows.into_iter().map(line).collect()
}

fn told(outcomes: &[Outcome]) -> String {
    let mut told: Vec<String> = outcomes.iter().map(tell).collect();
    told.dedup();
    told.join(", or ")
}

fn tell(outcome: &Outcome) -> String {
    let answers: Vec<String> = outcome.responses.iter().map(tell_answer).collect();
    answers.join(", then ")
}

fn tell_answer(answer: &ExpectedAnswer) -> String {
    let Some(status) = answer.status else {
        return match answer.outcome.as_str() {
            "timeout" => "no answer".to_owned(),
            _ => "connection closed".to_owned(),
        };
    };
    let from_server = answer.origin.is_some();
    match answer.body.as_ref().and_then(Value::as_str) {
        Some(body) if body.starts_with("CrashID=") => format!("{status}, kept"),
        Some(body) if body.starts_with("Discarded=") => format!("{status} `{body}`"),
        _ if from_server => format!("{status} by its HTTP server"),
        _ => status.to_string(),
    }
}
