//! Other names under which clients send an annotation: data of rules files. None is built in.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::crash::Annotations;

/// A longer text is no product, version or channel: it stays where it is, so that no client has large texts doubled.
const LONGEST_BYTES: usize = 1024;

/// For each annotation the names that stand for it where it is missing, the first to be sent counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Aliases(BTreeMap<String, Vec<String>>);

impl Aliases {
    /// Adds an annotation with its aliases, if it has none yet.
    pub fn add(&mut self, annotation: String, aliases: Vec<String>) {
        self.0.entry(annotation).or_insert(aliases);
    }

    /// Adds those of another file.
    pub fn extend(&mut self, other: &Self) {
        for (annotation, aliases) in &other.0 {
            self.add(annotation.clone(), aliases.clone());
        }
    }

    /// Gives every annotation that is missing the text of its alias, which stays as well. Says what was done.
    pub fn apply(&self, annotations: &mut Annotations) -> Vec<String> {
        let mut notes = Vec::new();
        for (annotation, aliases) in &self.0 {
            if annotations.contains(annotation) {
                continue;
            }
            let sent = |alias: &String| Some((alias.clone(), short_text(annotations.get(alias)?)?));
            if let Some((alias, text)) = aliases.iter().find_map(sent) {
                notes.push(format!("{annotation} is taken from {alias}"));
                annotations.insert(annotation.clone(), text);
            }
        }
        notes
    }
}

fn short_text(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    (text.len() <= LONGEST_BYTES).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aliases() -> Aliases {
        let mut aliases = Aliases::default();
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        aliases.add("ProductName".to_owned(), names(&["_productName", "prod"]));
        aliases.add("Version".to_owned(), names(&["ver"]));
        aliases.add("Version".to_owned(), names(&["never"]));
        aliases
    }

    fn applied(sent: &[(&str, Value)]) -> (Vec<String>, Option<String>) {
        let sent = sent.iter();
        let sent = sent.map(|(name, value)| ((*name).to_owned(), value.clone()));
        let mut annotations: Annotations = sent.collect();
        let notes = aliases().apply(&mut annotations);
        (notes, annotations.text("ProductName"))
    }

    #[test]
    fn the_first_alias_that_was_sent_counts() {
        let (notes, product) = applied(&[
            ("prod", "Electron".into()),
            ("_productName", "Editor".into()),
            ("never", "1".into()),
        ]);
        assert_eq!(product.as_deref(), Some("Editor"));
        assert_eq!(notes, ["ProductName is taken from _productName"]);
    }

    #[test]
    fn what_was_sent_itself_is_not_touched() {
        let sent = [("ProductName", "".into()), ("prod", "Electron".into())];
        assert_eq!(applied(&sent), (Vec::new(), Some(String::new())));
    }

    #[test]
    fn only_short_texts_stand_for_something_else() {
        for value in [
            Value::from(1),
            Value::Null,
            "x".repeat(LONGEST_BYTES + 1).into(),
        ] {
            assert_eq!(applied(&[("prod", value)]), (Vec::new(), None));
        }
    }
}
