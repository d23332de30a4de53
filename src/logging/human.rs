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
    let mut line = format!("{when} {level} {origin}: {}", event.message);
    for (name, value) in &event.fields {
        // Writing to a string cannot fail.
        let _ = match value {
            Value::String(text) if !text.contains(' ') => write!(line, " {name}={text}"),
            value => write!(line, " {name}={value}"),
        };
    }
    line.push('\n');
    line
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
}
