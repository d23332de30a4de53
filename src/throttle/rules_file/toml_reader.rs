//! Takes typed values out of a TOML document and notes every mistake with its line. Knows nothing of rules.
//!
//! A function that returns `None` has noted a mistake; the caller goes on, so that all of them are found in one run.

use std::ops::Range;

use toml_edit::{Item, TableLike};

use crate::throttle::mistakes::Mistake;

/// Reads one file's text.
pub(super) struct Reader<'a> {
    path: &'a str,
    text: &'a str,
    mistakes: Vec<Mistake>,
}

/// A key and what stands behind it.
#[derive(Clone, Copy)]
pub(super) struct Entry<'d> {
    pub key: &'d str,
    pub item: &'d Item,
}

impl<'a> Reader<'a> {
    pub fn new(path: &'a str, text: &'a str) -> Self {
        Self {
            path,
            text,
            mistakes: Vec::new(),
        }
    }

    /// What was noted, from top to bottom.
    pub fn into_mistakes(mut self) -> Vec<Mistake> {
        self.mistakes.sort_by_key(|mistake| mistake.line);
        self.mistakes
    }

    /// Notes a mistake that starts where `span` does; without one, in the file's first line.
    pub fn note(
        &mut self,
        span: Option<Range<usize>>,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.mistakes.push(Mistake {
            path: self.path.to_owned(),
            line: Some(self.line(span)),
            what: what.into(),
            advice: advice.into(),
        });
    }

    /// From 1.
    pub fn line(&self, span: Option<Range<usize>>) -> usize {
        let start = span.map_or(0, |span| span.start).min(self.text.len());
        let before = &self.text.as_bytes()[..start];
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }

    /// Notes every key that is not in `known`; `place` is what the table is, such as "a rule".
    pub fn only(&mut self, table: &dyn TableLike, known: &[&str], place: &str) {
        for (key, item) in table.iter() {
            if !known.contains(&key) {
                let span = table.key(key).and_then(|key| key.span()).or(item.span());
                let advice = format!("known are {}", listed(known));
                self.note(span, format!("unknown key `{key}` in {place}"), advice);
            }
        }
    }

    pub fn string(&mut self, entry: Entry) -> Option<String> {
        match entry.item.as_str() {
            Some("") => {
                self.note(
                    entry.item.span(),
                    format!("`{}` is empty", entry.key),
                    "write the text that is meant between the quotes",
                );
                None
            }
            Some(text) => Some(text.to_owned()),
            None => self.wrong_type(entry, "a text in quotes"),
        }
    }

    /// A list of at least one text, each in it once.
    pub fn strings(&mut self, entry: Entry) -> Option<Vec<String>> {
        let wanted = "a list of texts, such as [\"a\", \"b\"]";
        let Some(list) = entry.item.as_array() else {
            return self.wrong_type(entry, wanted);
        };
        if list.is_empty() {
            self.note(
                entry.item.span(),
                format!("`{}` is an empty list", entry.key),
                "put at least one text into it, or remove it",
            );
            return None;
        }
        let mut texts = Vec::new();
        let mut sound = true;
        for value in list {
            match value.as_str() {
                Some(text) if !text.is_empty() && !texts.iter().any(|known| known == text) => {
                    texts.push(text.to_owned());
                }
                Some(text) => {
                    let what = format!("`{}` has \"{text}\" twice or an empty text", entry.key);
                    self.note(value.span(), what, "remove it");
                    sound = false;
                }
                None => {
                    let what = format!("`{}` has {} in it", entry.key, article(value.type_name()));
                    self.note(value.span(), what, format!("make it {wanted}"));
                    sound = false;
                }
            }
        }
        sound.then_some(texts)
    }

    pub fn boolean(&mut self, entry: Entry) -> Option<bool> {
        match entry.item.as_bool() {
            Some(value) => Some(value),
            None => self.wrong_type(entry, "true or false"),
        }
    }

    pub fn integer(&mut self, entry: Entry) -> Option<i64> {
        match entry.item.as_integer() {
            Some(value) => Some(value),
            None => self.wrong_type(entry, "a whole number"),
        }
    }

    /// Notes that the value is not what it should be.
    pub fn wrong_type<T>(&mut self, entry: Entry, wanted: &str) -> Option<T> {
        let found = article(entry.item.type_name());
        self.note(
            entry.item.span(),
            format!("`{}` is {found}", entry.key),
            format!("make it {wanted}"),
        );
        None
    }
}

/// `a`, `b` and `c`, each in back quotes.
pub(super) fn listed(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

fn article(noun: &str) -> String {
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use toml_edit::Document;

    fn noted(text: &str, read: impl Fn(&mut Reader, Entry)) -> Vec<String> {
        let document = Document::parse(text).unwrap();
        let mut reader = Reader::new("f.toml", text);
        let item = &document["k"];
        read(&mut reader, Entry { key: "k", item });
        let mistakes = reader.into_mistakes();
        mistakes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named_with_its_line() {
        let string = |reader: &mut Reader, entry: Entry| assert!(reader.string(entry).is_none());
        assert_eq!(
            noted("# x\n\nk = 5", string),
            ["f.toml:3: `k` is an integer; make it a text in quotes"]
        );
        assert_eq!(
            noted("k = \"\"", string),
            ["f.toml:1: `k` is empty; write the text that is meant between the quotes"]
        );
    }

    #[test]
    fn every_bad_text_of_a_list_is_noted() {
        let strings = |reader: &mut Reader, entry: Entry| assert!(reader.strings(entry).is_none());
        assert_eq!(
            noted("k = [\n\"a\",\n\"a\",\n1.5,\n\"\"]", strings),
            [
                "f.toml:3: `k` has \"a\" twice or an empty text; remove it",
                "f.toml:4: `k` has a float in it; make it a list of texts, such as [\"a\", \"b\"]",
                "f.toml:5: `k` has \"\" twice or an empty text; remove it",
            ]
        );
    }

    #[test]
    fn unknown_keys_are_noted_where_they_stand() {
        let text = "good = 1\nbad = 2\n";
        let document = Document::parse(text).unwrap();
        let mut reader = Reader::new("f.toml", text);
        reader.only(document.as_table(), &["good", "fine"], "a rule");
        assert_eq!(
            reader.into_mistakes()[0].to_string(),
            "f.toml:2: unknown key `bad` in a rule; known are `good` and `fine`"
        );
    }
}
