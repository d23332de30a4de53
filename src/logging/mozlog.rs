//! Mozilla's mozlog 2.0: one JSON object a line, as the log pipelines of Mozilla's services read it.

use std::time::UNIX_EPOCH;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use tracing::Level;

use super::event::Event;

const ENV_VERSION: &str = "2.0";
const LOGGER: &str = "antenna";
const MESSAGE: &str = "msg";

/// What is the same in every line.
pub struct Mozlog {
    hostname: String,
    pid: u32,
}

impl Mozlog {
    pub fn new(hostname: &str) -> Self {
        Self {
            hostname: hostname.to_owned(),
            pid: std::process::id(),
        }
    }

    /// The line, with its end.
    pub fn line(&self, event: &Event) -> String {
        let since_epoch = event.when.duration_since(UNIX_EPOCH).unwrap_or_default();
        let line = Line {
            env_version: ENV_VERSION,
            fields: Fields(event),
            hostname: &self.hostname,
            logger: LOGGER,
            pid: self.pid,
            severity: severity(event.level),
            timestamp: u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX),
            origin: &event.origin,
        };
        let mut line = serde_json::to_string(&line).expect("texts and numbers written to memory");
        line.push('\n');
        line
    }
}

/// Keys in the order of their names.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Line<'a> {
    env_version: &'a str,
    fields: Fields<'a>,
    hostname: &'a str,
    logger: &'a str,
    pid: u32,
    severity: u8,
    timestamp: u64,
    #[serde(rename = "Type")]
    origin: &'a str,
}

/// The event's fields with the message among them, as `msg`.
struct Fields<'a>(&'a Event);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Event {
            fields, message, ..
        } = self.0;
        let mut map = serializer.serialize_map(None)?;
        let before = fields.iter().filter(|(name, _)| name.as_str() < MESSAGE);
        for (name, value) in before {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry(MESSAGE, message)?;
        let behind = fields.iter().filter(|(name, _)| name.as_str() > MESSAGE);
        for (name, value) in behind {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Severities of syslog (RFC 5424).
fn severity(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, Value};
    use std::time::Duration;

    #[test]
    fn a_line_is_one_json_object() {
        let event = Event {
            when: UNIX_EPOCH + Duration::from_nanos(1_784_000_000_000_000_001),
            level: Level::WARN,
            origin: "antenna.http.submit".to_owned(),
            message: "a \"quoted\"\nmessage".to_owned(),
            fields: Map::from_iter([
                ("attempts".to_owned(), Value::from(2)),
                ("msg".to_owned(), Value::from("not this one")),
                ("took".to_owned(), Value::from(1.5)),
            ]),
        };
        let line = Mozlog {
            hostname: "h".to_owned(),
            pid: 7,
        }
        .line(&event);
        assert_eq!(
            line,
            concat!(
                r#"{"EnvVersion":"2.0","Fields":{"attempts":2,"msg":"a \"quoted\"\nmessage","took":1.5},"Hostname":"h","Logger":"antenna","#,
                r#""Pid":7,"Severity":4,"Timestamp":1784000000000000001,"Type":"antenna.http.submit"}"#,
                "\n"
            )
        );
    }
}
