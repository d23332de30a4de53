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

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.take(field, value.into());
    }
}
