//! What becomes of the parts of one body: annotations, dumps and notes, and what they weigh.

use serde_json::Value;

use crate::crash::{Annotations, Dump, Payload};

use super::dumps::{self, Sent};
use super::json::{Document, Scale};
use super::text::{self, UnknownText};
use super::transfer_encoding::TransferEncoding;
use super::{Limits, Malformed, weight};

/// The part in which the original's clients send their annotations in JSON.
pub const EXTRA: &str = "extra";

/// Gathers what the parts are.
pub struct Gathering {
    limits: Limits,
    annotations_bytes: u64,
    annotations: Annotations,
    annotations_weight: u64,
    dumps: Vec<Sent>,
    dumps_weight: u64,
    dumps_left_out: usize,
    notes: Vec<String>,
    notes_weight: u64,
    has_json: bool,
    /// There was an annotation with a part of its own, whatever became of it.
    pub has_text: bool,
}

/// What was gathered.
pub struct Gathered {
    pub annotations: Annotations,
    pub dumps: Vec<Dump>,
    pub notes: Vec<String>,
    pub payload: Payload,
    /// What the dumps go on weighing when the annotations are gone.
    pub dumps_weight: u64,
}

impl Gathering {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            annotations_bytes: 0,
            annotations: Annotations::default(),
            annotations_weight: 0,
            dumps: Vec::new(),
            dumps_weight: 0,
            dumps_left_out: 0,
            notes: Vec::new(),
            notes_weight: 0,
            has_json: false,
            has_text: false,
        }
    }

    pub fn weight(&self) -> u64 {
        self.annotations_weight + self.dumps_weight + self.notes_weight
    }

    pub fn note(&mut self, note: String) {
        self.notes_weight += weight::note(&note);
        self.notes.push(note);
    }

    /// False if the dump that begins now is left out.
    pub fn has_room_for_a_dump(&mut self) -> bool {
        let has_room = self.dumps.len() < self.limits.dumps;
        self.dumps_left_out += usize::from(!has_room);
        has_room
    }

    /// # Errors
    /// `AnnotationsTooLarge`.
    pub fn count_annotations(&mut self, more_bytes: u64) -> Result<(), Malformed> {
        self.annotations_bytes += more_bytes;
        if self.annotations_bytes > self.limits.annotations_bytes {
            Err(Malformed::AnnotationsTooLarge)
        } else {
            Ok(())
        }
    }

    /// # Errors
    /// `TooManyAnnotations`.
    pub fn check_annotations(&self) -> Result<(), Malformed> {
        if self.annotations.len() > self.limits.annotations {
            Err(Malformed::TooManyAnnotations)
        } else {
            Ok(())
        }
    }

    /// The part's data if it came in a transfer encoding that changes it.
    pub fn decoded(
        &mut self,
        name: &str,
        encoding: TransferEncoding,
        data: impl Iterator<Item = u8>,
    ) -> Option<Vec<u8>> {
        if encoding == TransferEncoding::Identity {
            return None;
        }
        let decoded = encoding.decode(data);
        let (how, encoding) = match decoded {
            Some(_) => ("decoded from", encoding.as_str()),
            None => ("kept as it was sent, not decoded from", encoding.as_str()),
        };
        self.note(format!("{name}: {how} {encoding}"));
        decoded
    }

    pub fn put_text(&mut self, name: String, charset: &str, value: Vec<u8>) {
        match text::decode(charset, value) {
            Ok(mut value) => {
                if value.capacity() > value.len() + value.len() / 8 {
                    value.shrink_to_fit();
                }
                self.annotations_weight += weight::entry(name.capacity(), value.capacity());
                if let Some(Value::String(old)) = self.annotations.insert(name, value) {
                    self.annotations_weight -= weight::entry(0, old.capacity());
                }
            }
            Err(UnknownText) => {
                self.note(format!(
                    "extract payload text part exception: invalid text or charset: {charset}"
                ));
            }
        }
    }

    /// `extra` replaces what was said before it, as recorded; parts behind it add to it. An object in another part adds its
    /// members, and any other value is the annotation that the part is named after.
    pub fn put_json(&mut self, name: String, text: Vec<u8>, scale: Scale) -> Result<(), Malformed> {
        let document = self.document(&name, text, scale);
        if name == EXTRA {
            self.has_json = true;
            self.annotations = Annotations::default();
            self.annotations = document.annotations()?;
            self.annotations_weight = weight::tree(&document.scale);
            return Ok(());
        }
        self.annotations_weight += weight::tree(&document.scale) + weight::block(name.capacity());
        match document.value() {
            Ok(Value::Object(members)) => {
                self.has_json = true;
                for (name, value) in members {
                    self.annotations.insert(name, value);
                }
            }
            Ok(value) => {
                self.has_text = true;
                self.annotations.insert(name, value);
            }
            Err(_) => {
                self.has_text = true;
                self.note(format!("{name}: kept as text, it is no JSON"));
                self.put_text(name, "utf-8", document.into_text());
            }
        }
        Ok(())
    }

    fn document(&mut self, name: &str, text: Vec<u8>, scale: Scale) -> Document {
        let document = Document::new(text, scale);
        if document.is_mended {
            self.note(format!("{name}: U+FFFD is for half a character"));
        }
        document
    }

    /// Takes a dump, which weighs so much if it needs not be decoded.
    pub fn put_dump(
        &mut self,
        dump: Dump,
        is_exact: bool,
        json: Option<Scale>,
        weight_bytes: u64,
        encoding: TransferEncoding,
    ) {
        let data = dump.frames.iter().flatten().copied();
        let decoded = self.decoded(dump.name.as_str(), encoding, data);
        let (dump, json, weight_bytes) = match decoded {
            None => (dump, json, weight_bytes),
            Some(bytes) => {
                let weight_bytes = weight::DUMP + weight::block(bytes.len());
                let json = json.map(|_| Scale::of(&bytes));
                let bytes = bytes.into_boxed_slice().into();
                (Dump::whole(dump.name, bytes), json, weight_bytes)
            }
        };
        self.dumps_weight += weight_bytes;
        self.dumps.push(Sent {
            dump,
            is_exact,
            json,
        });
    }

    /// The JSON file that is the annotations, since there are no others: the first that looks like an object, else the first.
    fn only_json(&self) -> Option<usize> {
        let is = |matches: fn(&Scale) -> bool| {
            let mut all = self.dumps.iter();
            all.position(|sent| sent.json.as_ref().is_some_and(matches))
        };
        let found = is(|scale| scale.is_object).or_else(|| is(|_| true));
        found.filter(|_| self.annotations.is_empty())
    }

    /// The most by which [`Self::finish`] can add to the weight.
    pub fn most_at_finish(&self) -> u64 {
        self.only_json().map_or(0, |at| {
            let Sent { dump, json, .. } = &self.dumps[at];
            let bytes = usize::try_from(dump.length_bytes).unwrap_or(usize::MAX);
            json.as_ref().map_or(0, weight::tree) + weight::block(bytes)
        })
    }

    fn take_only_json(&mut self) -> Result<(), Malformed> {
        let Some(at) = self.only_json() else {
            return Ok(());
        };
        let Sent { dump, json, .. } = self.dumps.remove(at);
        if dump.length_bytes > self.limits.annotations_bytes {
            return Err(Malformed::AnnotationsTooLarge);
        }
        let text = dump.frames.concat();
        let document = self.document(dump.name.as_str(), text, json.unwrap_or_default());
        self.annotations = document.annotations()?;
        self.check_annotations()?;
        self.has_json = true;
        Ok(())
    }

    /// What was gathered, once the body is complete.
    ///
    /// # Errors
    /// `NoAnnotations`; what is wrong with the JSON file that must be the annotations.
    pub fn finish(mut self) -> Result<Gathered, Malformed> {
        self.take_only_json()?;
        if self.has_json && self.has_text {
            self.notes.push(
                "includes annotations in both json-encoded extra and formdata parts".to_owned(),
            );
        }
        if self.dumps_left_out > 0 {
            let (left_out, most) = (self.dumps_left_out, self.limits.dumps);
            self.notes
                .push(format!("{left_out} dumps beyond the first {most} left out"));
        }
        if self.annotations.is_empty() && !self.limits.takes_no_annotations {
            return Err(Malformed::NoAnnotations);
        }
        let payload = if self.has_json {
            Payload::Json
        } else {
            Payload::Multipart
        };
        Ok(Gathered {
            annotations: self.annotations,
            dumps: dumps::distinct(self.dumps, &mut self.notes),
            notes: self.notes,
            payload,
            dumps_weight: self.dumps_weight,
        })
    }
}
