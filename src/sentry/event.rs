//! One line of the log as an event of Sentry.

use std::collections::BTreeMap;

use ::sentry::protocol::{Event, Exception, Level, Mechanism};
use serde_json::Value;

use super::request::Request;
use crate::logging;

/// Longer texts are cut; Sentry itself cuts at 8 KiB.
const LONGEST_CHARS: usize = 8000;
/// Of the text by which events are told apart.
const LONGEST_KIND_CHARS: usize = 300;
/// The field in which the log's panic hook says where it was.
const LOCATION: &str = "location";
/// The field for what a panic said in words that were put together, which may quote what a client sent: for the log only.
const DETAIL: &str = "detail";
const CRASH_ID: &str = "crash_id";

/// What was said.
pub struct Said {
    /// The module, `antenna.crashmover.mover`.
    origin: String,
    message: String,
    fields: BTreeMap<String, String>,
    pub is_panic: bool,
}

impl Said {
    pub fn of(event: &tracing::Event<'_>) -> Self {
        let event = logging::Event::of(event);
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let fields = event.fields.into_iter();
        let fields: BTreeMap<_, _> = fields.map(|(name, value)| (name, text(value))).collect();
        Self {
            origin: event.origin,
            message: event.message,
            is_panic: std::thread::panicking() && fields.contains_key(LOCATION),
            fields,
        }
    }

    /// Equal for events that differ in their particulars only. Words with a digit in them are particulars: crash ids,
    /// request ids, counts, ports. A panic is known by its place.
    pub fn kind(&self) -> String {
        if self.is_panic {
            return format!("panic at {}", self.fields[LOCATION]);
        }
        let is_of_word = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        let mut kind = format!("{}: ", self.origin);
        let mut rest = self.message.as_str();
        while let Some(first) = rest.chars().next() {
            let end = if is_of_word(first) {
                rest.find(|c| !is_of_word(c)).unwrap_or(rest.len())
            } else {
                first.len_utf8()
            };
            let (word, after) = rest.split_at(end);
            let is_particular = word.contains(|c: char| c.is_ascii_digit());
            kind.push_str(if is_particular { "#" } else { word });
            rest = after;
        }
        cut(&kind, LONGEST_KIND_CHARS)
    }

    /// The event, a panic without its stack. `suppressed` is the number of its kind that were not sent before it.
    pub fn into_event(
        mut self,
        kind: String,
        suppressed: u64,
        request: Option<&Request>,
    ) -> Event<'static> {
        let mut event = Event {
            level: Level::Error,
            logger: Some(self.origin.clone()),
            transaction: request.map(Request::title),
            request: request.map(Request::told),
            ..Event::default()
        };
        if let Some(id) = self.fields.remove(CRASH_ID) {
            event.tags.insert(CRASH_ID.to_owned(), cut(&id, 200));
        }
        if suppressed > 0 {
            let name = "suppressed_before".to_owned();
            event.extra.insert(name, suppressed.into());
        }
        if self.is_panic {
            event.exception = vec![self.exception()].into();
        } else {
            event.message = Some(cut(&self.message, LONGEST_CHARS));
            event.fingerprint = vec![kind.into()].into();
        }
        self.fields.remove(DETAIL);
        let fields = self.fields.iter();
        let fields = fields.map(|(name, text)| (name.clone(), cut(text, LONGEST_CHARS).into()));
        event.extra.extend(fields);
        event
    }

    /// Still without its stack, by which Sentry groups: that outlives the line numbers of a release.
    fn exception(&self) -> Exception {
        Exception {
            ty: "panic".to_owned(),
            value: Some(cut(&self.message, LONGEST_CHARS)),
            mechanism: Some(Mechanism {
                ty: "panic".to_owned(),
                handled: Some(false),
                ..Mechanism::default()
            }),
            ..Exception::default()
        }
    }
}

/// At most this many characters, and a sign that there were more.
pub fn cut(text: &str, most_chars: usize) -> String {
    match text.char_indices().nth(most_chars) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(message: &str) -> String {
        let said = Said {
            origin: "antenna.x".to_owned(),
            message: message.to_owned(),
            fields: BTreeMap::new(),
            is_panic: false,
        };
        said.kind()
    }

    #[test]
    fn particulars_do_not_make_another_kind() {
        for (one, other) in [
            (
                "95cb0486-acbb-46ae-8d2e-727da0261123 dropped: it could not be saved",
                "00000000-acbb-46ae-8d2e-727da0261124 dropped: it could not be saved",
            ),
            (
                "cannot listen on 0.0.0.0:80",
                "cannot listen on 127.0.0.1:8000",
            ),
        ] {
            assert_eq!(kind(one), kind(other));
        }
        assert_ne!(kind("1 saved, but not published"), kind("1 dropped"));
        assert_eq!(kind("1-a dropped: ü"), "antenna.x: # dropped: ü");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut("üüü", 3), "üüü");
        assert_eq!(cut("üüüü", 3), "üüü…");
    }
}
