//! The tokens of the corpus: what a recorded text leaves open, and what it turned out to be in this run.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use sha2::{Digest, Sha256};

/// `2026-07-14T03:33:20.000005+00:00`
const TIMESTAMP_LENGTH: usize = 32;

/// What the tokens of one case stand for.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    /// `<ID:0>` to the id that the collector made.
    ids: BTreeMap<String, String>,
    pub build_id: Option<String>,
    pub host: Option<String>,
}

impl Bindings {
    /// Compares an answer's text and learns the crash ids in it.
    ///
    /// # Errors
    /// The texts differ; the message shows how.
    pub fn learn(&mut self, pattern: &str, actual: &str) -> Result<(), String> {
        if let Some((before, token, after)) = split_id_token(pattern)
            && !self.ids.contains_key(token)
        {
            let id = actual.strip_prefix(before);
            let id = id.and_then(|rest| rest.strip_suffix(after));
            let id = id.ok_or_else(|| differ(pattern, actual))?;
            self.bind(token, id)?;
        }
        self.matches(pattern, actual)
    }

    /// Says what an id token stands for, after checking its digit and date.
    ///
    /// # Errors
    /// `id` is not a crash id of today with the token's throttle digit.
    pub fn bind(&mut self, token: &str, id: &str) -> Result<(), String> {
        let digit = token
            .chars()
            .nth("<ID:".len())
            .expect("a token has a digit");
        if !is_made_today(id, digit) {
            return Err(format!("{id} is no crash id of today with digit {digit}"));
        }
        self.ids.insert(token.to_owned(), id.to_owned());
        Ok(())
    }

    /// The id tokens in `texts` that are not known yet.
    pub fn unknown<'a>(&self, texts: impl Iterator<Item = &'a String>) -> Vec<String> {
        let tokens = texts.filter_map(|text| split_id_token(text));
        let mut unknown: Vec<String> = tokens
            .map(|(_, token, _)| token.to_owned())
            .filter(|token| !self.ids.contains_key(token))
            .collect();
        unknown.sort();
        unknown.dedup();
        unknown
    }

    /// The text with everything filled in that is known.
    pub fn fill(&self, pattern: &str) -> String {
        let mut text = pattern.to_owned();
        for (token, id) in &self.ids {
            text = text.replace(token, id);
        }
        if let Some(id) = self.ids.values().next() {
            let date = &id[id.len() - 6..];
            text = text.replace("<DATE>", &format!("20{date}"));
        }
        for (token, value) in [("<BUILDID>", &self.build_id), ("<HOST>", &self.host)] {
            if let Some(value) = value {
                text = text.replace(token, value);
            }
        }
        text
    }

    /// Whether `actual` is what `pattern` describes.
    ///
    /// # Errors
    /// It is not; the message shows both.
    pub fn matches(&self, pattern: &str, actual: &str) -> Result<(), String> {
        if let Some(described) = pattern.strip_prefix("<STR ") {
            return matches_description(described, actual);
        }
        let filled = self.fill(pattern);
        let mut rest = actual;
        for (number, literal) in filled.split("<TS>").enumerate() {
            if number > 0 {
                let stamp = rest.get(..TIMESTAMP_LENGTH).unwrap_or_default();
                if !is_recent(stamp) {
                    return Err(differ(&filled, actual));
                }
                rest = &rest[TIMESTAMP_LENGTH..];
            }
            rest = rest
                .strip_prefix(literal)
                .ok_or_else(|| differ(&filled, actual))?;
        }
        if rest.is_empty() {
            Ok(())
        } else {
            Err(differ(&filled, actual))
        }
    }
}

fn split_id_token(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find("<ID:")?;
    let end = start + text[start..].find('>')? + 1;
    Some((&text[..start], &text[start..end], &text[end..]))
}

fn is_made_today(id: &str, digit: char) -> bool {
    let shape = id.char_indices().all(|(at, c)| match at {
        8 | 13 | 18 | 23 => c == '-',
        _ => c.is_ascii_digit() || ('a'..='f').contains(&c),
    });
    let now = Utc::now();
    // Midnight may pass between the answer and this line.
    let days = [now, now - Duration::minutes(10)];
    let tails = days.map(|day| format!("{digit}{}", day.format("%y%m%d")));
    id.len() == 36 && shape && tails.iter().any(|tail| id.ends_with(tail))
}

fn is_recent(stamp: &str) -> bool {
    let parsed = NaiveDateTime::parse_from_str(stamp, "%Y-%m-%dT%H:%M:%S%.6f+00:00");
    parsed.is_ok_and(|time| {
        let age = Utc::now() - DateTime::<Utc>::from_naive_utc_and_offset(time, Utc);
        age > Duration::minutes(-1) && age < Duration::minutes(30)
    })
}

/// `len=… sha256=…>`: characters, and the hash of the text in UTF-8.
fn matches_description(described: &str, actual: &str) -> Result<(), String> {
    let hash: String = Sha256::digest(actual)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let found = format!("len={} sha256={hash}>", actual.chars().count());
    if found == described {
        Ok(())
    } else {
        Err(differ(described, &found))
    }
}

fn differ(expected: &str, actual: &str) -> String {
    format!("expected {:?}, got {:?}", short(expected), short(actual))
}

fn short(text: &str) -> String {
    let start: String = text.chars().take(700).collect();
    let left_out = text.len() - start.len();
    if left_out == 0 {
        start
    } else {
        format!("{start} … {left_out} bytes more")
    }
}
