//! What the client said about its crash: names and JSON values, sorted by name.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::python_json::number_text;

/// Annotations by name. A key/value part gives a string, a JSON part any JSON value.
///
/// Sorted by code point, the order in which the raw crash is written.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Annotations(BTreeMap<String, Value>);

impl Annotations {
    /// The annotation as it was sent.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The annotation as the throttle rules see it: the text Python's `str()` makes of a JSON value.
    pub fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).map(text_of)
    }

    /// Keeps the last value of a name, as the original does; the one before it, if there was one.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        self.0.insert(name.into(), value.into())
    }

    /// True if there was such an annotation; it is gone now.
    pub fn remove(&mut self, name: &str) -> bool {
        self.0.remove(name).is_some()
    }

    /// Gives an annotation another name, `client_` before its own, which is free; the new name.
    pub fn set_aside(&mut self, name: &str) -> Option<String> {
        let value = self.0.remove(name)?;
        let mut free = format!("client_{name}");
        while self.0.contains_key(&free) {
            free.insert_str(0, "client_");
        }
        self.0.insert(free.clone(), value);
        Some(free)
    }

    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// In order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter()
    }
}

impl From<BTreeMap<String, Value>> for Annotations {
    fn from(by_name: BTreeMap<String, Value>) -> Self {
        Self(by_name)
    }
}

impl FromIterator<(String, Value)> for Annotations {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl IntoIterator for Annotations {
    type Item = (String, Value);
    type IntoIter = std::collections::btree_map::IntoIter<String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// The text Python's `str()` makes of a JSON value (`true` is `True`, `null` is `None`).
///
/// Throttle conditions were written against this text, so rules keep their meaning for JSON annotations.
/// Lists and objects look as in Python for plain content; no rule compares those.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => python_repr(other),
    }
}

fn python_repr(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number_text(number.as_str()),
        Value::String(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(python_repr).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(name, value)| {
                    format!(
                        "{}: {}",
                        python_repr(&Value::from(name.as_str())),
                        python_repr(value)
                    )
                })
                .collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_see_what_python_prints() {
        for (value, text) in [
            (json!("Firefox"), "Firefox"),
            (json!(0), "0"),
            (json!(1.5), "1.5"),
            (json!(true), "True"),
            (json!(null), "None"),
            (json!(["a", 1]), "['a', 1]"),
            (json!({"a": false}), "{'a': False}"),
        ] {
            assert_eq!(text_of(&value), text);
        }
    }

    #[test]
    fn what_is_set_aside_takes_nobodys_name() {
        let pairs = ["version", "client_version"].map(|name| (name.to_owned(), name.into()));
        let mut annotations: Annotations = pairs.into_iter().collect();
        let new = annotations.set_aside("version");
        assert_eq!(new.as_deref(), Some("client_client_version"));
        assert_eq!(annotations.text(&new.unwrap()).as_deref(), Some("version"));
        assert_eq!(
            (annotations.len(), annotations.set_aside("version")),
            (2, None)
        );
    }

    #[test]
    fn the_last_value_of_a_name_wins() {
        let mut annotations = Annotations::default();
        annotations.insert("A", "1");
        annotations.insert("A", "2");
        assert_eq!(annotations.text("A").as_deref(), Some("2"));
        assert_eq!(annotations.len(), 1);
    }
}
