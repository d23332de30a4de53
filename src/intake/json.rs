//! A JSON part: annotations as one object, within bounds of depth and memory.

use serde::Deserialize;
use serde_json::Value;

use crate::crash::Annotations;

use super::Malformed;

/// Deeper documents end the original's recursion as well; ours stays far from a thread's stack.
const DEEPEST: usize = 900;
/// What one JSON value occupies while it is looked at, at the worst: a tree node and its heap block.
const VALUE_BYTES: u64 = 96;

/// What a document will cost, found by one pass over its bytes before anything is built.
pub struct Weight {
    depth: usize,
    values: u64,
    text_bytes: u64,
}

impl Weight {
    pub fn of(text: &[u8]) -> Self {
        let (mut depth, mut deepest, mut values, mut quoted, mut escaped) =
            (0_usize, 0, 1, false, false);
        for byte in text {
            match byte {
                b'\\' if quoted && !escaped => {
                    escaped = true;
                    continue;
                }
                b'"' if !escaped => quoted = !quoted,
                b'[' | b'{' if !quoted => {
                    depth += 1;
                    deepest = deepest.max(depth);
                    values += 1;
                }
                b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
                b',' if !quoted => values += 1,
                _ => {}
            }
            escaped = false;
        }
        Self {
            depth: deepest,
            values,
            text_bytes: text.len() as u64,
        }
    }

    /// Bytes to be had before the document is parsed: its tree, and the raw crash that will be written from it.
    pub fn bytes(&self) -> u64 {
        self.values * VALUE_BYTES + 2 * self.text_bytes
    }
}

/// Annotations from a JSON part. A byte order mark is passed over, the last of several equal keys wins.
///
/// # Errors
/// `InvalidJson`: not JSON in UTF-8, or nested too deeply. `InvalidJsonValue`: not an object.
pub fn annotations(text: &[u8], weight: &Weight) -> Result<Annotations, Malformed> {
    if weight.depth > DEEPEST {
        return Err(Malformed::InvalidJson);
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut parser = serde_json::Deserializer::from_slice(text);
    parser.disable_recursion_limit();
    let value = Value::deserialize(&mut parser).and_then(|value| parser.end().map(|()| value));
    match value.map_err(|_| Malformed::InvalidJson)? {
        Value::Object(members) => Ok(members.into_iter().collect()),
        _ => Err(Malformed::InvalidJsonValue),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Annotations, Malformed> {
        annotations(text.as_bytes(), &Weight::of(text.as_bytes()))
    }

    #[test]
    fn objects_become_annotations() {
        let annotations =
            parsed("\u{feff} {\"A\": \"1\", \"A\": \"2\", \"N\": 18446744073709551616}\n").unwrap();
        assert_eq!(annotations.text("A").as_deref(), Some("2"));
        assert_eq!(
            annotations.text("N").as_deref(),
            Some("18446744073709551616")
        );
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "{",
            "{} x",
            "{'a': 1}",
            "{\"a\": NaN}",
            "{\"a\": \"\\ud800\"}",
            "{\"a\": \"\t\"}",
        ] {
            assert_eq!(parsed(text), Err(Malformed::InvalidJson), "{text}");
        }
        for text in ["[]", "null", "42", "\"a\""] {
            assert_eq!(parsed(text), Err(Malformed::InvalidJsonValue), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded_before_anything_is_built() {
        let nested =
            |depth: usize| format!("{{\"a\": {}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(parsed(&nested(DEEPEST - 1)).is_ok());
        assert_eq!(parsed(&nested(DEEPEST)), Err(Malformed::InvalidJson));
        assert_eq!(parsed(&"[".repeat(1_000_000)), Err(Malformed::InvalidJson));
    }

    #[test]
    fn the_weight_counts_values_but_not_text() {
        assert_eq!(Weight::of(br#"{"a": [1,2,3], "b": ",,,[[\",["}"#).values, 6);
    }
}
