//! Log lines for people: `2026-07-14T03:33:20.000Z INFO  http.submit: message name=value`.

use std::fmt::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;
use tracing::Level;

use super::event::Event;

/// The line, with its end.
pub fn line(event: &Event, has_colours: bool) -> String {
    let when = DateTime::<Utc>::from(event.when).to_rfc3339_opts(SecondsFormat::Millis, true);
    let origin = event
        .origin
        .strip_prefix("antenna.")
        .unwrap_or(&event.origin);
    let level = if has_colours {
        coloured(event.level)
    } else {
        format!("{:5}", event.level.as_str())
    };
    let mut said = event.message.clone();
    for (name, value) in &event.fields {
        // Writing to a string cannot fail.
        let _ = match value {
            Value::String(text) if is_word(text) => write!(said, " {name}={text}"),
            value => write!(said, " {name}={value}"),
        };
    }
    format!("{when} {level} {origin}: {}\n", harmless(&said))
}

/// Whether a text can be told from what stands around it without quotes.
fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"')
}

/// Nothing that is said can look like a line of the log or speak to the terminal: further lines are indented.
fn harmless(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' {
            safe.push_str("\n    ");
        } else if c.is_control() {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

fn coloured(level: Level) -> String {
    let colour = match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        Level::DEBUG | Level::TRACE => 34,
    };
    format!("\x1b[{colour}m{:5}\x1b[0m", level.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Map;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_line_says_when_how_bad_where_and_what() {
        let event = Event {
            when: UNIX_EPOCH + Duration::from_secs(1_784_000_000),
            level: Level::INFO,
            origin: "antenna.http.submit".to_owned(),
            message: "kept".to_owned(),
            fields: Map::from_iter([
                ("rule".to_owned(), "is_nightly".into()),
                ("error".to_owned(), "no space".into()),
                ("attempts".to_owned(), 2.into()),
            ]),
        };
        assert_eq!(
            line(&event, false),
            "2026-07-14T03:33:20.000Z INFO  http.submit: kept attempts=2 error=\"no space\" rule=is_nightly\n"
        );
        assert!(line(&event, true).contains("\x1b[32mINFO \x1b[0m"));
    }

    #[test]
    fn nothing_said_looks_like_another_line_or_speaks_to_the_terminal() {
        let event = Event {
            when: UNIX_EPOCH,
            level: Level::ERROR,
            origin: "antenna.http".to_owned(),
            message: "first\nsecond \x1b[2J\u{9b}".to_owned(),
            fields: Map::from_iter([
                ("a".to_owned(), "x\ty".into()),
                ("b".to_owned(), "".into()),
                ("c".to_owned(), "say\"no\"".into()),
            ]),
        };
        assert_eq!(
            line(&event, false),
            "1970-01-01T00:00:00.000Z ERROR http: first\n    second \\u{1b}[2J\\u{9b} \
             a=\"x\\ty\" b=\"\" c=\"say\\\"no\\\"\"\n"
        );
    }
}
