//! The raw crash: one JSON document that holds everything about a report but its dumps. Schema version 2.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::python_json::to_python_json;
use super::{Annotations, CrashId, Dump};

/// Annotations that identify a person or an installation; they are never stored. In the order of the notes.
const REMOVED: [&str; 4] = [
    "Email",
    "TelemetryClientId",
    "TelemetryServerURL",
    "TelemetrySessionId",
];
const SCHEMA_VERSION: u32 = 2;

/// In what form the annotations came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    Multipart,
    Json,
}

impl Payload {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Multipart => "multipart",
            Self::Json => "json",
        }
    }
}

/// What the collector itself knows about a report.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// Remarks of the collector, in the order in which they came up.
    pub notes: Vec<String>,
    pub payload: Payload,
    pub payload_compressed: bool,
    /// Length of the body as sent, after de-chunking and before inflating.
    pub payload_bytes: u64,
    pub throttle_rule: String,
    pub user_agent: Option<String>,
    pub submitted: DateTime<Utc>,
}

/// The document as it is stored: one line of ASCII JSON with sorted keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawCrash(Bytes);

impl RawCrash {
    /// Removes what must not be stored, adds what the collector knows, and writes the document.
    ///
    /// The collector's own keys (`uuid`, `version`, `submitted_timestamp`, `metadata`) replace annotations of the same name.
    pub fn assemble(
        id: &CrashId,
        mut annotations: Annotations,
        mut metadata: Metadata,
        dumps: &[Dump],
    ) -> Self {
        for name in REMOVED {
            if annotations.remove(name) {
                metadata
                    .notes
                    .push(format!("Removed {name} from raw crash."));
            }
        }
        annotations.insert("uuid", id.as_str());
        annotations.insert("version", SCHEMA_VERSION);
        annotations.insert(
            "submitted_timestamp",
            metadata
                .submitted
                .format("%Y-%m-%dT%H:%M:%S%.6f+00:00")
                .to_string(),
        );
        annotations.insert("metadata", metadata.into_json(dumps));
        Self(to_python_json(annotations.as_map()).into())
    }

    /// Takes a document that was written before, for instance by the spool.
    pub fn written(json: Bytes) -> Self {
        Self(json)
    }

    pub fn json(&self) -> &Bytes {
        &self.0
    }
}

impl Metadata {
    fn into_json(self, dumps: &[Dump]) -> Value {
        let checksums: Map<String, Value> = dumps
            .iter()
            .map(|dump| (dump.name.to_string(), dump.sha256_hex().into()))
            .collect();
        json!({
            "collector_notes": self.notes,
            "dump_checksums": checksums,
            "payload": self.payload.as_str(),
            "payload_compressed": if self.payload_compressed { "1" } else { "0" },
            "payload_size": self.payload_bytes,
            "throttle_rule": self.throttle_rule,
            // The original writes the text of Python's None; processors know it.
            "user_agent": self.user_agent.as_deref().unwrap_or("None"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Metadata {
        Metadata {
            notes: vec!["first".into()],
            payload: Payload::Multipart,
            payload_compressed: false,
            payload_bytes: 7,
            throttle_rule: "accept_everything".into(),
            user_agent: None,
            submitted: DateTime::from_timestamp(1_784_000_000, 5_000).unwrap(),
        }
    }

    #[test]
    fn the_document_is_sorted_and_complete() {
        let id = CrashId::parse("de1bb258-cbbf-4589-a673-34f800160918").unwrap();
        let mut annotations = Annotations::default();
        annotations.insert("Email", "a@example.com");
        annotations.insert("ProductName", "Fenix");
        annotations.insert("version", "99");
        let raw = RawCrash::assemble(&id, annotations, metadata(), &[]);
        assert_eq!(
            std::str::from_utf8(raw.json()).unwrap(),
            concat!(
                r#"{"ProductName": "Fenix", "metadata": {"collector_notes": ["first", "Removed Email from raw crash."], "#,
                r#""dump_checksums": {}, "payload": "multipart", "payload_compressed": "0", "payload_size": 7, "#,
                r#""throttle_rule": "accept_everything", "user_agent": "None"}, "#,
                r#""submitted_timestamp": "2026-07-14T03:33:20.000005+00:00", "#,
                r#""uuid": "de1bb258-cbbf-4589-a673-34f800160918", "version": 2}"#
            )
        );
    }
}
