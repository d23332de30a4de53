//! Finds one value inside the JSON text of an annotation without building the whole document.
//!
//! Clients choose that text: whatever is not on the path is skipped, so no text costs more than one pass and no memory.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

/// A telemetry environment, the largest document that rules look into, has some tens of kilobytes.
const LONGEST_BYTES: usize = 1024 * 1024;

/// The value at `path`, member name by member name; of members with the same name the last counts.
///
/// `None` if the text is not JSON or too long, if a step is missing or not an object, or if the value is not a `T`.
pub(super) fn find<T: DeserializeOwned>(text: &str, path: &[String]) -> Option<T> {
    if text.len() > LONGEST_BYTES {
        return None;
    }
    let mut document = serde_json::Deserializer::from_str(text);
    let found = Step::new(path).deserialize(&mut document).ok()?;
    document.end().ok()?;
    found
}

/// The rest of the path, to be followed from the value at hand.
struct Step<'p, T> {
    path: &'p [String],
    found: PhantomData<T>,
}

impl<'p, T> Step<'p, T> {
    fn new(path: &'p [String]) -> Self {
        Self {
            path,
            found: PhantomData,
        }
    }
}

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for Step<'_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        if self.path.is_empty() {
            T::deserialize(value).map(Some)
        } else {
            value.deserialize_map(self)
        }
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Step<'_, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = members.next_key::<String>()? {
            match self.path.split_first() {
                Some((wanted, rest)) if *wanted == name => {
                    found = members.next_value_seed(Step::new(rest))?;
                }
                _ => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Number;

    fn path(dotted: &str) -> Vec<String> {
        dotted.split('.').map(str::to_owned).collect()
    }

    fn integer(text: &str) -> Option<i128> {
        find::<Number>(text, &path("system.os.build")).and_then(|number| number.as_i128())
    }

    #[test]
    fn a_value_is_found_at_its_path() {
        assert_eq!(
            integer(
                r#" {"a": [{}], "system": {"x": "\ud800", "os": {"build": 9600}}, "b": null} "#
            ),
            Some(9600)
        );
        assert_eq!(
            find::<String>(r#"{"name": "Windows_NT"}"#, &path("name")).as_deref(),
            Some("Windows_NT")
        );
    }

    #[test]
    fn the_last_of_several_members_counts() {
        assert_eq!(
            integer(r#"{"system": {"os": {"build": 1, "build": 2}}}"#),
            Some(2)
        );
        assert_eq!(
            integer(r#"{"system": {"os": {"build": 1}}, "system": {}}"#),
            None
        );
    }

    #[test]
    fn what_does_not_fit_is_not_found() {
        for text in [
            "",
            "{",
            "None",
            "42",
            "\"x\"",
            "[]",
            "{}",
            r#"{"system": 1}"#,
            r#"{"system": [1]}"#,
            r#"{"system": null}"#,
            r#"{"system": {"os": "Windows_NT"}}"#,
            r#"{"system": {"os": {"build": "9600"}}}"#,
            r#"{"system": {"os": {"build": true}}}"#,
            r#"{"system": {"os": {"build": 9600.0}}}"#,
            r#"{"system": {"os": {"build": {}}}}"#,
            r#"{"system": {"os": {"build": 9600}}} x"#,
            r#"{"system": {"os": {"build": 9600}}"#,
        ] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn deep_and_long_texts_cost_nothing() {
        let deep = format!(r#"{{"a": {}"#, "[{\"a\":".repeat(100_000));
        assert_eq!(integer(&deep), None);
        let long = format!(
            r#"{{"a": "{}", "system": {{"os": {{"build": 1}}}}}}"#,
            "x".repeat(LONGEST_BYTES)
        );
        assert_eq!(integer(&long), None);
    }

    proptest! {
        #[test]
        fn no_text_can_panic(text in "[ {}\\[\\]:,\"\\\\a-z0-9.eE+-]{0,60}") {
            let _ = integer(&text);
        }

        #[test]
        fn every_integer_is_read_as_it_was_written(number: i64) {
            let text = format!(r#"{{"system": {{"os": {{"build": {number}}}}}}}"#);
            prop_assert_eq!(integer(&text), Some(number.into()));
        }
    }
}
