//! Mozilla's mozlog 2.0: one JSON object a line, as the log pipelines of Mozilla's services read it.

use std::time::UNIX_EPOCH;

use serde_json::json;
use tracing::Level;

use super::event::Event;

const ENV_VERSION: &str = "2.0";
const LOGGER: &str = "antenna";

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
        let mut fields = event.fields.clone();
        fields.insert("msg".to_owned(), event.message.as_str().into());
        let line = json!({
            "Timestamp": u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX),
            "Type": event.origin,
            "Logger": LOGGER,
            "Hostname": self.hostname,
            "EnvVersion": ENV_VERSION,
            "Severity": severity(event.level),
            "Pid": self.pid,
            "Fields": fields,
        });
        format!("{line}\n")
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
            fields: Map::from_iter([("attempts".to_owned(), Value::from(2))]),
        };
        let line = Mozlog {
            hostname: "h".to_owned(),
            pid: 7,
        }
        .line(&event);
        assert_eq!(
            line,
            concat!(
                r#"{"EnvVersion":"2.0","Fields":{"attempts":2,"msg":"a \"quoted\"\nmessage"},"Hostname":"h","Logger":"antenna","#,
                r#""Pid":7,"Severity":4,"Timestamp":1784000000000000001,"Type":"antenna.http.submit"}"#,
                "\n"
            )
        );
    }
}
