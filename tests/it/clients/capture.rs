//! One capture: the bytes that a client put on the wire, and what must be stored when they arrive.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::canonical_json::parse;
use crate::support::stored::{Objects, objects_of};
use crate::support::wire::Response;

/// Keys of the raw crash that are the collector's own, not annotations.
const OWN: [&str; 4] = ["metadata", "submitted_timestamp", "uuid", "version"];

pub struct Capture {
    pub name: String,
    pub bytes: Vec<u8>,
    pub expected: Expected,
}

/// What the original's payload code makes of a capture.
#[derive(Debug, Default, Deserialize)]
pub struct Expected {
    /// The reason code, if it is no crash report.
    pub malformed: Option<String>,
    #[serde(default)]
    annotations: BTreeMap<String, Value>,
    #[serde(default)]
    dumps: BTreeMap<String, Value>,
    #[serde(default)]
    notes: Vec<String>,
    #[serde(default)]
    payload: String,
    #[serde(default)]
    payload_compressed: String,
    #[serde(default)]
    payload_size: u64,
    #[serde(default)]
    user_agent: String,
    #[serde(default)]
    pub has_uuid_field: bool,
}

/// The folder of the captures, of `expected.json` and of two real minidumps.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/clients")
}

/// All captures, in the order of their names.
pub fn captures() -> Vec<Capture> {
    let expected = std::fs::read(folder().join("expected.json")).expect("expected.json");
    let expected: BTreeMap<String, Expected> =
        serde_json::from_slice(&expected).expect("expected.json is as described");
    expected
        .into_iter()
        .map(|(name, expected)| Capture {
            bytes: std::fs::read(folder().join(&name)).expect("a capture"),
            name,
            expected,
        })
        .collect()
}

impl Capture {
    /// The request with one more header.
    pub fn with_header(&self, header: &str) -> Vec<u8> {
        let line_end = self.bytes.windows(2).position(|w| w == b"\r\n");
        let (line, rest) = self.bytes.split_at(line_end.expect("a request line"));
        [line, b"\r\n", header.as_bytes(), rest].concat()
    }

    /// Where the body begins.
    pub fn body_offset(&self) -> usize {
        let head_end = self.bytes.windows(4).position(|w| w == b"\r\n\r\n");
        head_end.expect("a head") + 4
    }

    /// Compares the answer and what is stored with what is expected.
    pub fn problems(&self, answer: &Response, stored: &Objects) -> Vec<String> {
        let found = match answer.crash_id() {
            Some(id) => self.differences(&id, &objects_of(stored, &id)),
            None => self.refusal(answer).into_iter().collect(),
        };
        let name = &self.name;
        found.iter().map(|text| format!("{name}: {text}")).collect()
    }

    fn refusal(&self, answer: &Response) -> Option<String> {
        let (status, body) = match &self.expected.malformed {
            Some(reason) => (400, format!("Discarded=malformed_{reason}")),
            None if self.expected.has_uuid_field => (401, "Discarded=unauthorized_uuid".to_owned()),
            None => return Some(format!("was refused: {answer:?}")),
        };
        let is_expected = answer.status == status && answer.text() == body;
        (!is_expected).then(|| format!("expected {status} {body}, got {answer:?}"))
    }

    fn differences(&self, id: &str, objects: &Objects) -> Vec<String> {
        let expected = &self.expected;
        if expected.malformed.is_some() || expected.has_uuid_field {
            return vec!["should have been refused".to_owned()];
        }
        let raw_crash = objects
            .iter()
            .find(|(path, _)| path.contains("/raw_crash/"));
        let Some((_, raw_crash)) = raw_crash else {
            return vec![format!("no raw crash of {id} is stored")];
        };
        let raw_crash = parse(raw_crash).expect("the raw crash is JSON");
        let checksums = expected.dumps.iter();
        let checksums = checksums.map(|(name, dump)| (name.clone(), dump["sha256"].clone()));
        let metadata = json!({
            "collector_notes": expected.notes,
            "dump_checksums": checksums.collect::<serde_json::Map<_, _>>(),
            "payload": expected.payload,
            "payload_compressed": expected.payload_compressed,
            "payload_size": expected.payload_size,
            "throttle_rule": "accept_everything",
            "user_agent": expected.user_agent,
        });
        let pairs = [
            (
                "annotations",
                json!(expected.annotations),
                annotations(&raw_crash),
            ),
            ("metadata", metadata, raw_crash["metadata"].clone()),
            ("dumps", json!(expected.dumps), dumps(objects)),
        ];
        let different = pairs
            .into_iter()
            .filter(|(_, expected, actual)| expected != actual);
        different
            .map(|(what, expected, actual)| format!("{what}: expected {expected}, got {actual}"))
            .collect()
    }
}

fn annotations(raw_crash: &Value) -> Value {
    let mut annotations = raw_crash.as_object().expect("an object").clone();
    for own in OWN {
        annotations.remove(own);
    }
    annotations.into()
}

/// Length and hash of each dump by its name, in the shape of `expected.json`.
fn dumps(objects: &Objects) -> Value {
    let dumps = objects.iter().filter(|(path, _)| !path.ends_with(".json"));
    let described = dumps.map(|(path, content)| {
        let name = path.split('/').nth(1).unwrap_or_default().to_owned();
        let hash: String = Sha256::digest(content)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        (name, json!({"len": content.len(), "sha256": hash}))
    });
    described.collect::<serde_json::Map<_, _>>().into()
}
