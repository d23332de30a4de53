//! One recorded case: the request, the circumstances, and what the two versions of the original made of it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A file of `tests/data/contract`.
pub fn data(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/contract/");
    std::fs::read_to_string(format!("{folder}{name}")).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// A line of the corpus.
#[derive(Debug, Deserialize)]
pub struct Case {
    pub name: String,
    pub request_b64: Option<String>,
    pub generate: Option<Generate>,
    /// Settings besides the defaults; `@files` in a value stands for a folder with `files`.
    pub config: BTreeMap<String, String>,
    /// File name to content in base64.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    #[serde(default)]
    pub send: Send,
    pub n_responses: Option<usize>,
    #[serde(default)]
    pub setup: Setup,
    pub fault: Option<Fault>,
    /// Storage modes that the case applies to: `fs`, `s3`; both when absent.
    pub modes: Option<Vec<String>>,
    #[serde(default)]
    pub improve: bool,
    /// The two versions behave differently.
    #[serde(default)]
    pub refs_differ: bool,
    /// `heartbeat`: of the body only `errors` counts.
    pub body_compare: Option<String>,
    ref_2024: Option<Value>,
    ref_2026: Option<Value>,
}

/// A request too large to be written down.
#[derive(Debug, Deserialize)]
pub struct Generate {
    pub head_b64: String,
    pub body: Vec<Segment>,
}

/// One piece of a generated body; exactly one kind of content is given.
#[derive(Debug, Deserialize)]
pub struct Segment {
    pub b64: Option<String>,
    pub text: Option<String>,
    pub repeat_b64: Option<String>,
    pub count: Option<usize>,
    pub prng: Option<String>,
    pub len: Option<usize>,
    pub gzip: Option<Vec<Segment>>,
    pub level: Option<u32>,
    pub buildid_days_ago: Option<i64>,
    pub hms: Option<String>,
}

/// How the request is put on the wire.
#[derive(Debug, Default, Deserialize)]
pub struct Send {
    /// `half_close` or `close` once everything is sent.
    pub then: Option<String>,
    /// Pauses: before the byte at an offset, for so many seconds.
    #[serde(default)]
    pub split: Vec<(usize, f64)>,
    /// Seconds to wait for an answer.
    pub read_timeout: Option<f64>,
}

/// Obstacles in the storage folder.
#[derive(Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord, Clone)]
pub struct Setup {
    /// Files where the collector wants folders.
    #[serde(default)]
    pub fs_file: Vec<String>,
}

/// An outage of storage or queue.
#[derive(Debug, Deserialize)]
pub struct Fault {
    /// `bucket_missing`, `queue_missing`, or `down`.
    pub kind: String,
    /// Seconds until it is over; for ever when absent.
    pub hold: Option<f64>,
}

/// What is seen from outside when a case is played.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    pub responses: Vec<ExpectedAnswer>,
    pub fs: BTreeMap<String, Value>,
    /// As recorded, or as an expectation of ours says; else it follows from `fs`.
    pub s3: Option<BTreeMap<String, Value>>,
    pub sqs: Option<Vec<String>>,
    pub statsd: Option<Vec<String>>,
}

/// One answer as recorded. What is absent does not matter.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct ExpectedAnswer {
    /// `response`, `closed`, `timeout`, or `client_closed`.
    pub outcome: String,
    pub status: Option<u16>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Text with tokens, or `{"b64": …}`.
    pub body: Option<Value>,
    #[serde(default)]
    pub interim: Vec<u16>,
    /// `http_server`: not the original's own code answered, only the status counts.
    pub origin: Option<String>,
}

/// All cases of the corpus, in its order.
pub fn corpus() -> Vec<Case> {
    let corpus = data("corpus_visible.jsonl");
    let lines = corpus.lines().enumerate();
    lines
        .map(|(number, line)| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("line {number}: {error}"))
        })
        .collect()
}

impl Case {
    pub fn applies_to(&self, mode: &str) -> bool {
        let modes = self.modes.as_ref();
        modes.is_none_or(|modes| modes.iter().any(|m| m == mode))
    }

    /// The outcomes of the contract, one of which must come true; the older version's where the newer has none.
    pub fn recorded(&self) -> Vec<Outcome> {
        let reference = self.ref_2026.as_ref().or(self.ref_2024.as_ref());
        outcomes(reference.expect("a case has a reference"))
    }

    /// What the older version did, which is the contract for S3 and SQS; nothing if it was not asked.
    pub fn recorded_2024(&self) -> Vec<Outcome> {
        self.ref_2024.as_ref().map(outcomes).unwrap_or_default()
    }

    pub fn has_2026(&self) -> bool {
        self.ref_2026.is_some()
    }
}

fn outcomes(reference: &Value) -> Vec<Outcome> {
    match reference.get("any_of").and_then(Value::as_array) {
        Some(alternatives) => alternatives.iter().map(Outcome::read).collect(),
        None => vec![Outcome::read(reference)],
    }
}

impl Outcome {
    /// Reads the shape that the corpus and our own expectations share.
    pub fn read(value: &Value) -> Self {
        Self {
            responses: field(value, "responses").unwrap_or_default(),
            fs: field(value, "fs").unwrap_or_default(),
            s3: field(value, "s3"),
            sqs: field(value, "sqs"),
            statsd: field(value, "statsd"),
        }
    }
}

fn field<T: serde::de::DeserializeOwned>(value: &Value, name: &str) -> Option<T> {
    let content = value.get(name)?.clone();
    Some(serde_json::from_value(content).unwrap_or_else(|error| panic!("{name}: {error}: {value}")))
}
