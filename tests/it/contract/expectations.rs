//! What we expect of ourselves where the original is not the model: `expectations.jsonl`, one line per case.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::case::{Case, Outcome, data};

/// A line of `expectations.jsonl`.
#[derive(Debug, Deserialize)]
pub struct Expectation {
    pub name: String,
    /// `recorded`, one outcome, or a list of which one must come true; see [`outcome`].
    expect: Value,
    /// Settings that the case needs besides its own, for instance a short deadline.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// The case is not marked `improve`; we differ nevertheless, on purpose.
    #[serde(default)]
    pub deviation: bool,
    pub reason: String,
}

/// Where a case's expected outcomes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Recorded,
    Improvement,
    Deviation,
}

/// All expectations by the name of their case.
pub struct Expectations(BTreeMap<String, Expectation>);

impl Expectations {
    pub fn read() -> Self {
        let mut all = BTreeMap::new();
        for line in data("expectations.jsonl").lines() {
            let expectation: Expectation =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let name = expectation.name.clone();
            let twice = all.insert(name, expectation);
            assert!(twice.is_none(), "two expectations: {line}");
        }
        Self(all)
    }

    pub fn of(&self, case: &Case) -> Option<&Expectation> {
        self.0.get(&case.name)
    }

    pub fn all(&self) -> impl Iterator<Item = &Expectation> {
        self.0.values()
    }

    /// What must happen when `case` is played, and who says so.
    pub fn outcomes(&self, case: &Case) -> (Vec<Outcome>, Source) {
        let recorded = case.recorded();
        let Some(expectation) = self.of(case) else {
            return (recorded, Source::Recorded);
        };
        let alternatives = match &expectation.expect {
            Value::String(word) if word == "recorded" => return (recorded, Source::Recorded),
            Value::Array(alternatives) => alternatives.clone(),
            one => vec![one.clone()],
        };
        let source = if expectation.deviation {
            Source::Deviation
        } else {
            Source::Improvement
        };
        let read = |alternative| outcome(alternative, &recorded[0]);
        (alternatives.iter().map(read).collect(), source)
    }

    /// What is wrong with the file itself, seen against the corpus.
    pub fn problems(&self, corpus: &[Case]) -> Vec<String> {
        let names: BTreeSet<&String> = corpus.iter().map(|case| &case.name).collect();
        let stale = self.all().filter(|e| !names.contains(&e.name));
        let mut problems: Vec<String> = stale
            .map(|e| format!("{}: an expectation for no case", e.name))
            .collect();
        for case in corpus {
            problems.extend(self.problem(case).map(|p| format!("{}: {p}", case.name)));
        }
        problems
    }

    fn problem(&self, case: &Case) -> Option<&'static str> {
        match self.of(case) {
            None if case.improve => Some("is to be improved, but has no expectation"),
            Some(e) if case.improve && e.deviation => Some("is an improvement, not a deviation"),
            Some(e) if !case.improve && !e.deviation => Some("deviates, but does not say so"),
            Some(e) if e.deviation && self.outcomes(case).0 == case.recorded() => {
                Some("is no deviation: it expects what is recorded")
            }
            _ => None,
        }
    }
}

/// Reads `{"status", "content_type", "body", "fs", "s3", …}`, short for one answer, or the shape of the corpus with
/// `responses`. `"fs": "recorded"` stands for the recorded objects, no `fs` for none.
fn outcome(expect: &Value, recorded: &Outcome) -> Outcome {
    let mut expect = expect.clone();
    let keeps_recorded = expect["fs"] == "recorded";
    if keeps_recorded {
        expect["fs"] = json!({});
    }
    if expect.get("responses").is_none() {
        let mut answer = json!({"outcome": "response", "headers": {}});
        for name in ["outcome", "status", "body", "interim"] {
            if let Some(value) = expect.get(name) {
                answer[name] = value.clone();
            }
        }
        if let Some(content_type) = expect.get("content_type") {
            answer["headers"]["content-type"] = content_type.clone();
        }
        expect["responses"] = json!([answer]);
    }
    let mut outcome = Outcome::read(&expect);
    if keeps_recorded {
        outcome.fs = recorded.fs.clone();
    }
    outcome
}
