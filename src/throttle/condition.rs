//! When a rule applies: conditions over annotations, products and packages. Not how they are written in a file.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde_json::{Number, Value};

use super::json_path;
use super::supported::Supported;
use super::value_test::{IntegerTest, TextTest};
use crate::crash::{Annotations, text_of};

/// All that a condition may look at.
pub(super) struct Facts<'a> {
    pub annotations: &'a Annotations,
    pub now: DateTime<Utc>,
    pub supported: &'a Supported,
}

/// True or false for every submission; it cannot fail.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Present {
        annotation: String,
        present: bool,
    },
    Text {
        place: Place,
        test: TextTest,
    },
    Integer {
        place: Place,
        test: IntegerTest,
    },
    ProductSupported(bool),
    PackageSupported(bool),
    /// The configured list has this product. An empty list (every product is supported) has none.
    ProductListHas(String),
}

/// Where a value is found: an annotation, or, with a path, inside the JSON text of one.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub annotation: String,
    pub path: Vec<String>,
}

impl Condition {
    pub fn holds(&self, facts: &Facts) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(facts)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(facts)),
            Self::Not(condition) => !condition.holds(facts),
            Self::Present {
                annotation,
                present,
            } => facts.annotations.contains(annotation) == *present,
            Self::Text { place, test } => place
                .text(facts.annotations)
                .is_some_and(|text| test.holds(&text, facts.now)),
            Self::Integer { place, test } => place
                .integer(facts.annotations)
                .is_some_and(|number| test.holds(number)),
            Self::ProductSupported(wanted) => {
                let product = annotation_text(facts.annotations, "ProductName");
                facts.supported.has_product(product.as_deref()) == *wanted
            }
            Self::PackageSupported(wanted) => {
                let product = annotation_text(facts.annotations, "ProductName");
                let package = annotation_text(facts.annotations, "Android_PackageName");
                facts
                    .supported
                    .has_package(product.as_deref(), package.as_deref())
                    == *wanted
            }
            Self::ProductListHas(product) => facts.supported.products.contains(product),
        }
    }

    /// Whether the list of products has a say in it.
    pub fn asks_for_product(&self) -> bool {
        self.has(&|condition| matches!(condition, Self::ProductSupported(_)))
    }

    /// Whether the lists of package names have a say in it.
    pub fn asks_for_package(&self) -> bool {
        self.has(&|condition| matches!(condition, Self::PackageSupported(_)))
    }

    fn has(&self, is_it: &dyn Fn(&Self) -> bool) -> bool {
        match self {
            Self::All(inner) | Self::Any(inner) => inner.iter().any(|inner| inner.has(is_it)),
            Self::Not(inner) => inner.has(is_it),
            leaf => is_it(leaf),
        }
    }
}

/// The annotation as rules see it: Python's `str()` of it, as in the original.
///
/// Lists and objects have no text: no rule can compare one, and writing it out would let a client set the cost.
pub(super) fn annotation_text<'a>(
    annotations: &'a Annotations,
    name: &str,
) -> Option<Cow<'a, str>> {
    match annotations.get(name)? {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Array(_) | Value::Object(_) => None,
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_)) => {
            Some(Cow::Owned(text_of(scalar)))
        }
    }
}

impl Place {
    fn text<'a>(&self, annotations: &'a Annotations) -> Option<Cow<'a, str>> {
        let text = annotation_text(annotations, &self.annotation)?;
        if self.path.is_empty() {
            Some(text)
        } else {
            json_path::find::<String>(&text, &self.path).map(Cow::Owned)
        }
    }

    /// In an annotation its decimal digits count, inside JSON only a number does.
    fn integer(&self, annotations: &Annotations) -> Option<i128> {
        let text = annotation_text(annotations, &self.annotation)?;
        if self.path.is_empty() {
            text.parse().ok()
        } else {
            json_path::find::<Number>(&text, &self.path)?.as_i128()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex_lite::Regex;
    use serde_json::json;

    fn now() -> DateTime<Utc> {
        DateTime::parse_from_rfc3339("2026-07-14T03:33:20Z")
            .unwrap()
            .to_utc()
    }

    fn holds(condition: &Condition, annotations: &[(&str, Value)]) -> bool {
        let annotations = annotations
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        condition.holds(&Facts {
            annotations: &annotations,
            now: now(),
            supported: &Supported::default(),
        })
    }

    fn text(test: TextTest) -> Condition {
        Condition::Text {
            place: Place {
                annotation: "A".into(),
                path: Vec::new(),
            },
            test,
        }
    }

    fn integer(path: &[&str], test: IntegerTest) -> Condition {
        Condition::Integer {
            place: Place {
                annotation: "A".into(),
                path: path.iter().map(|step| (*step).to_owned()).collect(),
            },
            test,
        }
    }

    #[test]
    fn a_missing_annotation_answers_every_test_with_no() {
        for condition in [
            text(TextTest::Equals(String::new())),
            text(TextTest::StartsWith(vec![String::new()])),
            text(TextTest::Matches(Regex::new("").unwrap())),
            text(TextTest::Before("z".into())),
            integer(&[], IntegerTest::AtLeast(0)),
        ] {
            assert!(!holds(&condition, &[("B", json!("0"))]), "{condition:?}");
        }
    }

    #[test]
    fn present_does_not_ask_for_the_value() {
        let present = |present| Condition::Present {
            annotation: "A".into(),
            present,
        };
        for value in [json!(""), json!(null), json!([]), json!({})] {
            assert!(holds(&present(true), &[("A", value.clone())]));
            assert!(!holds(&present(false), &[("A", value)]));
        }
        assert!(holds(&present(false), &[("a", json!("x"))]));
    }

    #[test]
    fn json_scalars_are_compared_as_python_prints_them() {
        for (value, seen) in [
            (json!(0), "0"),
            (json!(true), "True"),
            (json!(null), "None"),
            (json!(1.0), "1.0"),
        ] {
            assert!(
                holds(
                    &text(TextTest::Equals(seen.into())),
                    &[("A", value.clone())]
                ),
                "{value}"
            );
        }
    }

    #[test]
    fn lists_and_objects_have_no_text() {
        let anything = text(TextTest::Matches(Regex::new("").unwrap()));
        assert!(holds(&anything, &[("A", json!(""))]));
        assert!(!holds(&anything, &[("A", json!(["beta"]))]));
        assert!(!holds(&anything, &[("A", json!({}))]));
    }

    #[test]
    fn a_build_id_may_be_a_number() {
        let old = text(TextTest::OlderThanDays(730));
        assert!(holds(&old, &[("A", json!(20_100_101_000_000_u64))]));
        assert!(!holds(&old, &[("A", json!(20_100_101_000_000.0))]));
        assert!(!holds(&old, &[("A", json!(["20100101000000"]))]));
    }

    #[test]
    fn integers_are_read_from_texts_and_from_json() {
        assert!(holds(
            &integer(&[], IntegerTest::Equals(9600)),
            &[("A", json!("9600"))]
        ));
        assert!(holds(
            &integer(&["os", "build"], IntegerTest::AtMost(9600)),
            &[("A", json!(r#"{"os": {"build": 7601}}"#))]
        ));
        assert!(!holds(
            &integer(&["os", "build"], IntegerTest::AtLeast(7602)),
            &[("A", json!(r#"{"os": {"build": 7601}}"#))]
        ));
        // An object's text is Python's, which is not JSON: the original finds nothing in it either.
        assert!(!holds(
            &integer(&["os", "build"], IntegerTest::AtMost(9600)),
            &[("A", json!({"os": {"build": 7601}}))]
        ));
    }
}
