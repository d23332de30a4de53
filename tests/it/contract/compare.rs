//! Compares what happened with what should have happened. Every difference becomes one line of text.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::case::{ExpectedAnswer, Outcome};
use super::request::decode;
use super::tokens::Bindings;
use crate::support::canonical_json::{canonical, parse};
use crate::support::stored::Objects;
use crate::support::wire::{Answer, Response};

/// Headers that the original's own code sets, so that clients may rely on them.
const HEADERS: [&str; 3] = ["content-type", "allow", "vary"];

/// Compares the answers and learns from them what the tokens stand for.
pub fn answers(
    expected: &Outcome,
    actual: &[Answer],
    heartbeat: bool,
    bindings: &mut Bindings,
) -> Vec<String> {
    let mut differences = Vec::new();
    for (expected, actual) in expected.responses.iter().zip(actual) {
        differences.extend(answer(expected, actual, heartbeat, bindings));
    }
    if expected.responses.len() != actual.len() {
        let (expected, actual) = (expected.responses.len(), actual.len());
        differences.push(format!("{expected} answers expected, {actual} came"));
    }
    differences
}

fn answer(
    expected: &ExpectedAnswer,
    actual: &Answer,
    heartbeat: bool,
    bindings: &mut Bindings,
) -> Vec<String> {
    match (expected.outcome.as_str(), actual) {
        ("response", Answer::Response(response)) => {
            self::response(expected, response, heartbeat, bindings)
        }
        ("closed", Answer::Closed)
        | ("timeout", Answer::TimedOut)
        | ("client_closed", Answer::ClientClosed) => vec![],
        (outcome, actual) => vec![format!("{outcome} expected, got {actual:?}")],
    }
}

fn response(
    expected: &ExpectedAnswer,
    actual: &Response,
    heartbeat: bool,
    bindings: &mut Bindings,
) -> Vec<String> {
    let mut differences = Vec::new();
    if let Some(status) = expected.status
        && status != actual.status
    {
        let (is, text) = (actual.status, actual.text());
        differences.push(format!("status {status} expected, got {is}: {text:.200}"));
    }
    if expected.origin.as_deref() == Some("http_server") {
        return differences;
    }
    for name in HEADERS {
        let expected = expected.headers.get(name).map(String::as_str);
        let actual = actual.header(name);
        // Without an expectation a header is nobody's business, but for those that change an answer's meaning.
        if expected.is_some() && expected != actual {
            differences.push(format!("{name}: expected {expected:?}, got {actual:?}"));
        }
    }
    if !expected.interim.is_empty() && expected.interim != actual.interim {
        let (expected, actual) = (&expected.interim, &actual.interim);
        differences.push(format!("interim {expected:?} expected, got {actual:?}"));
    }
    if let Some(expected) = &expected.body {
        differences.extend(body(expected, &actual.body, heartbeat, bindings).err());
    }
    differences
}

fn body(
    expected: &Value,
    actual: &[u8],
    heartbeat: bool,
    bindings: &mut Bindings,
) -> Result<(), String> {
    match expected {
        Value::String(text) if heartbeat => {
            let (expected, actual) = (parse(text.as_bytes())?, parse(actual)?);
            let (expected, actual) = (&expected["errors"], &actual["errors"]);
            same_json(expected, actual, "body.errors", bindings)
        }
        Value::String(text) => {
            let actual = String::from_utf8_lossy(actual);
            bindings
                .learn(text, &actual)
                .map_err(|problem| format!("body: {problem}"))
        }
        other => object(other, actual, bindings).map_err(|problem| format!("body: {problem}")),
    }
}

/// Compares stored objects with the recorded ones, both ways.
pub fn objects(
    expected: &BTreeMap<String, Value>,
    actual: &Objects,
    bindings: &Bindings,
) -> Vec<String> {
    let expected: BTreeMap<String, &Value> = expected
        .iter()
        .map(|(path, object)| (bindings.fill(path), object))
        .collect();
    let paths: BTreeSet<&String> = expected.keys().chain(actual.keys()).collect();
    let compare = |path: &&String| match (expected.get(*path), actual.get(*path)) {
        (Some(expected), Some(actual)) => object(expected, actual, bindings).err(),
        (Some(_), None) => Some("is missing".to_owned()),
        (None, _) => Some("should not be there".to_owned()),
    };
    paths
        .iter()
        .filter_map(|path| Some(format!("{path}: {}", compare(path)?)))
        .collect()
}

fn object(expected: &Value, actual: &[u8], bindings: &Bindings) -> Result<(), String> {
    if let Some(value) = expected.get("json") {
        let document = parse(actual)?;
        if canonical(&document).as_bytes() != actual {
            return Err(format!(
                "not in the stored form: {}",
                String::from_utf8_lossy(actual)
            ));
        }
        same_json(value, &document, "", bindings)
    } else if let Some(Value::String(text)) = expected.get("json_text") {
        bindings.matches(text, &String::from_utf8_lossy(actual))
    } else if let Some(Value::String(text)) = expected.get("text") {
        same_bytes(text.as_bytes(), actual)
    } else if let Some(Value::String(b64)) = expected.get("b64") {
        same_bytes(&decode(b64), actual)
    } else {
        let hash: String = Sha256::digest(actual)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let found = serde_json::json!({"len": actual.len(), "sha256": hash});
        same_json(expected, &found, "", bindings)
    }
}

fn same_bytes(expected: &[u8], actual: &[u8]) -> Result<(), String> {
    if expected == actual {
        return Ok(());
    }
    let show = |bytes: &[u8]| bytes[..bytes.len().min(300)].escape_ascii().to_string();
    Err(format!("expected {}, got {}", show(expected), show(actual)))
}

/// Compares values; numbers as numbers, texts with their tokens. `at` is where in the document we are.
pub fn same_json(
    expected: &Value,
    actual: &Value,
    at: &str,
    bindings: &Bindings,
) -> Result<(), String> {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            let keys: BTreeSet<&String> = expected.keys().chain(actual.keys()).collect();
            for key in keys {
                let at = format!("{at}.{key}");
                match (expected.get(key), actual.get(key)) {
                    (Some(expected), Some(actual)) => same_json(expected, actual, &at, bindings)?,
                    (Some(expected), None) => return Err(format!("{at}: {expected} is missing")),
                    (None, actual) => return Err(format!("{at}: unexpected {actual:?}")),
                }
            }
            Ok(())
        }
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            for (number, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                same_json(expected, actual, &format!("{at}[{number}]"), bindings)?;
            }
            Ok(())
        }
        (Value::String(expected), Value::String(actual)) => bindings
            .matches(expected, actual)
            .map_err(|problem| format!("{at}: {problem}")),
        (Value::Number(expected), Value::Number(actual)) if same_number(expected, actual) => Ok(()),
        (expected, actual) if expected == actual => Ok(()),
        (expected, actual) => Err(format!("{at}: expected {expected}, got {actual}")),
    }
}

/// Integers digit by digit, others by value: `1e3` and `1000.0` are written differently by different languages.
fn same_number(expected: &serde_json::Number, actual: &serde_json::Number) -> bool {
    let (expected, actual) = (expected.to_string(), actual.to_string());
    let is_float = |text: &str| text.contains(['.', 'e', 'E']);
    if is_float(&expected) && is_float(&actual) {
        expected.parse::<f64>() == actual.parse::<f64>()
    } else {
        expected == actual
    }
}
