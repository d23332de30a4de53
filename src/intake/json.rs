//! A JSON part: annotations as one object, within bounds of depth and memory.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::crash::Annotations;

use super::Malformed;
use super::json_text::{WIDEST, is_wide, readable};

/// Deeper documents end the original's recursion as well; ours stays far from a thread's stack.
const DEEPEST: usize = 900;

/// What a document consists of, found while it arrives and before anything is built of it.
#[derive(Debug, Default)]
pub struct Scale {
    /// Inside of strings, and outside.
    pub quoted_bytes: u64,
    pub other_bytes: u64,
    /// Backslashes in strings.
    pub escapes: u64,
    pub objects: u64,
    pub lists: u64,
    pub members: u64,
    pub commas: u64,
    /// It is in UTF-16 or UTF-32: what was counted is not what it consists of.
    pub is_wide: bool,
    /// It begins as an object does, and nothing stands beside that.
    pub is_object: bool,
    /// Bytes that are not inside of anything, of a byte order mark none.
    outer_bytes: u64,
    depth: usize,
    deepest: usize,
    is_quoted: bool,
    is_escaped: bool,
}

impl Scale {
    pub fn of(text: &[u8]) -> Self {
        let mut scale = Self::default();
        scale.add(text);
        scale
    }

    /// The next piece of the document.
    pub fn add(&mut self, text: &[u8]) {
        // The first character is ASCII, and in UTF-8 it is no NUL (RFC 4627, 3).
        let seen = usize::try_from(self.bytes()).unwrap_or(WIDEST);
        let beginning = WIDEST.saturating_sub(seen);
        self.is_wide |= is_wide(&text[..beginning.min(text.len())]);
        for byte in text {
            if self.is_quoted {
                self.quoted_bytes += 1;
                self.is_quoted = *byte != b'"' || self.is_escaped;
                self.is_escaped = *byte == b'\\' && !self.is_escaped;
                self.escapes += u64::from(self.is_escaped);
                continue;
            }
            self.other_bytes += 1;
            if self.depth == 0 && byte.is_ascii_graphic() {
                self.outer_bytes += 1;
                self.is_object = self.outer_bytes == 1 && *byte == b'{';
            }
            match byte {
                b'"' => self.is_quoted = true,
                b'[' | b'{' => {
                    *(if *byte == b'[' {
                        &mut self.lists
                    } else {
                        &mut self.objects
                    }) += 1;
                    self.depth += 1;
                    self.deepest = self.deepest.max(self.depth);
                }
                b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                b',' => self.commas += 1,
                b':' => self.members += 1,
                _ => {}
            }
        }
    }

    pub fn bytes(&self) -> u64 {
        self.quoted_bytes + self.other_bytes
    }

    /// Values at the most.
    pub fn values(&self) -> u64 {
        1 + self.objects + self.lists + self.commas
    }
}

/// A document that is there whole, in UTF-8.
pub struct Document {
    text: Vec<u8>,
    pub scale: Scale,
    /// Halves of characters in it became U+FFFD.
    pub is_mended: bool,
}

impl Document {
    pub fn new(text: Vec<u8>, scale: Scale) -> Self {
        let (text, is_mended) = readable(text);
        let scale = if scale.is_wide {
            Scale::of(&text)
        } else {
            scale
        };
        Self {
            text,
            scale,
            is_mended,
        }
    }

    /// Annotations, of an object. The last of several equal keys wins.
    ///
    /// # Errors
    /// `InvalidJson`: not JSON, or nested too deeply. `InvalidJsonValue`: not an object.
    pub fn annotations(&self) -> Result<Annotations, Malformed> {
        object::<BTreeMap<String, Value>>(&self.text, &self.scale).map(Annotations::from)
    }

    /// Any value, as of a part that is one annotation.
    ///
    /// # Errors
    /// `InvalidJson`.
    pub fn value(&self) -> Result<Value, Malformed> {
        whole(&self.text, &self.scale)
    }

    pub fn into_text(self) -> Vec<u8> {
        self.text
    }
}

/// Why a document that was cut short is none, if it is not a whole object all the same. Builds nothing.
///
/// # Errors
/// As [`Document::annotations`].
pub fn check(text: &[u8], scale: &Scale) -> Result<(), Malformed> {
    object::<IgnoredAny>(text, scale).map(|_| ())
}

fn object<'a, T: Deserialize<'a>>(text: &'a [u8], scale: &Scale) -> Result<T, Malformed> {
    let trimmed = without_mark(text).trim_ascii_start();
    if trimmed.first() != Some(&b'{') {
        // Whatever it is, it is no object; nothing is built of it.
        whole::<IgnoredAny>(text, scale)?;
        return Err(Malformed::InvalidJsonValue);
    }
    whole(text, scale)
}

fn whole<'a, T: Deserialize<'a>>(text: &'a [u8], scale: &Scale) -> Result<T, Malformed> {
    if scale.deepest > DEEPEST {
        return Err(Malformed::InvalidJson);
    }
    let mut parser = serde_json::Deserializer::from_slice(without_mark(text));
    parser.disable_recursion_limit();
    let value = T::deserialize(&mut parser).and_then(|value| parser.end().map(|()| value));
    value.map_err(|_| Malformed::InvalidJson)
}

/// A byte order mark is passed over.
fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Annotations, Malformed> {
        Document::new(text.into(), Scale::of(text.as_bytes())).annotations()
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
    fn text_does_not_count_as_structure_however_it_is_cut() {
        let text = br#"{"a": [1,2,3], "b": ",,,[[\",:{["}"#;
        for cut in 0..text.len() {
            let mut scale = Scale::default();
            scale.add(&text[..cut]);
            scale.add(&text[cut..]);
            let counted = (scale.objects, scale.lists, scale.members, scale.commas);
            assert_eq!(counted, (1, 1, 2, 3), "{cut}");
        }
    }
}
