//! One event, taken apart: when, how bad, from where, what, and with which fields.

use std::fmt;
use std::time::SystemTime;

use serde_json::{Map, Value};
use tracing::Level;
use tracing::field::{Field, Visit};

/// An event as the formats need it.
#[derive(Debug)]
pub struct Event {
    pub when: SystemTime,
    pub level: Level,
    /// The module it comes from, as `antenna.http.submit`.
    pub origin: String,
    pub message: String,
    /// In order of their names.
    pub fields: Map<String, Value>,
}

impl Event {
    /// What is said now.
    pub fn of(event: &tracing::Event<'_>) -> Self {
        let metadata = event.metadata();
        let mut taken = Self {
            when: SystemTime::now(),
            level: *metadata.level(),
            origin: metadata.target().replace("::", "."),
            message: String::new(),
            fields: Map::new(),
        };
        event.record(&mut taken);
        taken
    }

    /// Said by the log itself: how many lines it lost.
    pub fn lost_lines(lost: u64) -> Self {
        Self {
            when: SystemTime::now(),
            level: Level::WARN,
            origin: "antenna.logging".to_owned(),
            message: "log lines lost: the output was too slow".to_owned(),
            fields: Map::from_iter([("lost".to_owned(), lost.into())]),
        }
    }

    fn take(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(message)) => self.message = message,
            (name, value) => {
                self.fields.insert(name.to_owned(), value);
            }
        }
    }
}

impl Visit for Event {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.take(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.take(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.take(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.take(field, value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

    #[derive(Clone, Default)]
    struct Seen(Arc<Mutex<Vec<Event>>>);

    impl<S: tracing::Subscriber> Layer<S> for Seen {
        fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) {
            self.0.lock().unwrap().push(Event::of(event));
        }
    }

    #[test]
    fn fields_keep_their_types() {
        let seen = Seen::default();
        let subscriber = tracing_subscriber::registry().with(seen.clone());
        tracing::subscriber::with_default(subscriber, || {
            let path = std::path::Path::new("/a");
            tracing::warn!(
                text = "a b",
                whole = -3,
                seconds = 1.5,
                yes = true,
                ?path,
                "said {}",
                1
            );
        });
        let events = seen.0.lock().unwrap();
        let event = &events[0];
        assert_eq!(
            (event.level, event.message.as_str()),
            (Level::WARN, "said 1")
        );
        assert_eq!(event.origin, "antenna.logging.event.tests");
        assert_eq!(
            Value::from(event.fields.clone()),
            json!({"text": "a b", "whole": -3, "seconds": 1.5, "yes": true, "path": "\"/a\""})
        );
    }
}
