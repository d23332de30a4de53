//! The raw crash: one JSON document that holds everything about a report but its dumps. Schema version 2.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::pieces::Pieces;
use super::python_json::write_python_json;
use super::{Annotations, CrashId, Dump};

/// Annotations that identify a person or an installation; they are never stored. In the order of the notes.
const REMOVED: [&str; 4] = [
    "Email",
    "TelemetryClientId",
    "TelemetryServerURL",
    "TelemetrySessionId",
];
/// The collector's own keys beside `uuid`, which never is a client's by now. BugSplat's recipes send a `version`.
const OWN: [&str; 3] = ["metadata", "submitted_timestamp", "version"];
const SCHEMA_VERSION: u32 = 2;
const TIMESTAMP: &str = "%Y-%m-%dT%H:%M:%S%.6f+00:00";

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

/// The document as it is stored: one line of ASCII JSON with sorted keys, in the pieces in which it was written.
#[derive(Clone, Debug)]
pub struct RawCrash(Vec<Bytes>);

impl RawCrash {
    /// Removes what must not be stored, adds what the collector knows, and writes the document.
    ///
    /// Annotations that have the names of the collector's own keys (`version`, `submitted_timestamp`, `metadata`) get
    /// another one. `room` is asked before memory is taken, with the bytes that the document takes by then.
    ///
    /// # Errors
    /// [`NoMemory`] if `room` says no.
    pub fn assemble(
        id: &CrashId,
        mut annotations: Annotations,
        mut metadata: Metadata,
        dumps: &[Dump],
        room: impl FnMut(u64) -> bool,
    ) -> Result<Self, NoMemory> {
        for name in REMOVED {
            if annotations.remove(name) {
                metadata
                    .notes
                    .push(format!("Removed {name} from raw crash."));
            }
        }
        for name in OWN {
            if let Some(new) = annotations.set_aside(name) {
                let note = format!("{name} is the collector's own: the client's is kept as {new}");
                metadata.notes.push(note);
            }
        }
        let submitted = metadata.submitted.format(TIMESTAMP).to_string();
        annotations.insert("submitted_timestamp", submitted);
        annotations.insert("uuid", id.as_str());
        annotations.insert("version", SCHEMA_VERSION);
        annotations.insert("metadata", metadata_member(metadata, dumps));
        let mut pieces = Pieces::new(room);
        // Writing ends in an error for want of memory only: all keys are strings.
        write_python_json(&mut pieces, &annotations).map_err(|_| NoMemory)?;
        pieces.finish().map(Self).map_err(|_| NoMemory)
    }

    /// Takes a document that was written before, for instance by the spool.
    pub fn written(json: Bytes) -> Self {
        Self(vec![json])
    }

    /// The document, piece by piece.
    pub fn pieces(&self) -> &[Bytes] {
        &self.0
    }

    /// The document in one piece; copied if it has several.
    pub fn json(&self) -> Bytes {
        match self.0.as_slice() {
            [whole] => whole.clone(),
            pieces => pieces.concat().into(),
        }
    }

    pub fn length_bytes(&self) -> u64 {
        self.0.iter().map(|piece| piece.len() as u64).sum()
    }
}

/// How it was cut is no part of the document.
impl PartialEq for RawCrash {
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().flatten().eq(other.0.iter().flatten())
    }
}

impl Eq for RawCrash {}

/// There is no memory for the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory;

/// The member `metadata`. Notes may be long: they are moved.
fn metadata_member(metadata: Metadata, dumps: &[Dump]) -> Value {
    let checksums = dumps.iter();
    let checksums = checksums.map(|dump| (dump.name.to_string(), dump.sha256_hex().into()));
    let compressed = if metadata.payload_compressed {
        "1"
    } else {
        "0"
    };
    // The original writes the text of Python's None; processors know it.
    let user_agent = metadata.user_agent.unwrap_or_else(|| "None".to_owned());
    let members = [
        ("collector_notes", metadata.notes.into()),
        ("dump_checksums", Value::Object(checksums.collect())),
        ("payload", metadata.payload.as_str().into()),
        ("payload_compressed", compressed.into()),
        ("payload_size", metadata.payload_bytes.into()),
        ("throttle_rule", metadata.throttle_rule.into()),
        ("user_agent", user_agent.into()),
    ];
    let members = members.into_iter();
    Value::Object(
        members
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
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
        let raw = RawCrash::assemble(&id, annotations, metadata(), &[], |_| true).unwrap();
        assert_eq!(
            std::str::from_utf8(&raw.json()).unwrap(),
            concat!(
                r#"{"ProductName": "Fenix", "client_version": "99", "#,
                r#""metadata": {"collector_notes": ["first", "Removed Email from raw crash.", "#,
                r#""version is the collector's own: the client's is kept as client_version"], "#,
                r#""dump_checksums": {}, "payload": "multipart", "payload_compressed": "0", "payload_size": 7, "#,
                r#""throttle_rule": "accept_everything", "user_agent": "None"}, "#,
                r#""submitted_timestamp": "2026-07-14T03:33:20.000005+00:00", "#,
                r#""uuid": "de1bb258-cbbf-4589-a673-34f800160918", "version": 2}"#
            )
        );
    }
    #[test]
    fn a_long_document_is_written_in_pieces_and_only_where_there_is_room() {
        let id = CrashId::parse("de1bb258-cbbf-4589-a673-34f800160918").unwrap();
        let mut annotations = Annotations::default();
        annotations.insert("Value", "\u{7f}".repeat(100_000));
        let assembled = |most_bytes: u64| {
            let room = |bytes| bytes <= most_bytes;
            RawCrash::assemble(&id, annotations.clone(), metadata(), &[], room)
        };
        let raw = assembled(800_000).unwrap();
        assert!(raw.pieces().len() > 9);
        assert!(raw.json().starts_with(b"{\"Value\": \"\\u007f\\u007f"));
        assert_eq!(raw.length_bytes(), raw.json().len() as u64);
        assert_eq!(raw, RawCrash::written(raw.json()));
        assert_eq!(assembled(600_000), Err(NoMemory));
    }
}
