//! Parts to annotations and dumps: which part is what, and what is remarked about it.

use bytes::Bytes;

use crate::crash::{Annotations, Dump, DumpHasher, DumpName, Payload};

use super::json::{self, Weight};
use super::part_head::PartHead;
use super::split::Event;
use super::text::{self, UnknownText};
use super::{Failed, Limits, Malformed};

/// Gathers the parts of one body.
pub struct Parts {
    limits: Limits,
    parts: usize,
    annotations_bytes: u64,
    annotations: Annotations,
    dumps: Vec<Dump>,
    notes: Vec<String>,
    replaced_dumps: usize,
    has_json: bool,
    has_text: bool,
    current: Current,
}

/// The part whose data is arriving.
enum Current {
    /// It has no name: nothing can be made of it.
    Nameless,
    Text {
        name: String,
        charset: String,
        value: Vec<u8>,
        too_large: bool,
    },
    Json {
        text: Vec<u8>,
    },
    Dump {
        name: DumpName,
        hasher: DumpHasher,
    },
}

/// What was gathered.
pub struct Gathered {
    pub annotations: Annotations,
    pub dumps: Vec<Dump>,
    pub notes: Vec<String>,
    pub replaced_dumps: usize,
    pub payload: Payload,
}

impl Parts {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            parts: 0,
            annotations_bytes: 0,
            annotations: Annotations::default(),
            dumps: Vec::new(),
            notes: Vec::new(),
            replaced_dumps: 0,
            has_json: false,
            has_text: false,
            current: Current::Nameless,
        }
    }

    /// Takes what the splitter met. `keep` is asked before bytes are kept in memory.
    ///
    /// # Errors
    /// The first reason why this is no crash report, or what `keep` says.
    pub fn take<E>(
        &mut self,
        event: Event,
        keep: &mut impl FnMut(u64) -> Result<(), E>,
    ) -> Result<(), Failed<E>> {
        match event {
            Event::Headers(block) => Ok(self.begin(&block)?),
            Event::Data(piece) => self.data(piece, keep),
            Event::EndOfPart => self.end(keep),
        }
    }

    /// A part is annotations if its type begins with `application/json`, one annotation if it is `text/plain` (also by
    /// default) and no file, and a dump otherwise.
    fn begin(&mut self, block: &[u8]) -> Result<(), Malformed> {
        self.parts += 1;
        if self.parts > self.limits.parts {
            return Err(Malformed::TooManyParts);
        }
        let head = PartHead::parse(block)?;
        let Some(name) = head.name.clone().filter(|name| !name.is_empty()) else {
            self.current = Current::Nameless;
            return Ok(());
        };
        self.current = if head.content_type.starts_with("application/json") {
            self.has_json = true;
            Current::Json { text: Vec::new() }
        } else if head.content_type.starts_with("text/plain") && !head.is_file()? {
            self.has_text = true;
            Current::Text {
                name,
                charset: head.charset(),
                value: Vec::new(),
                too_large: false,
            }
        } else {
            if !head.content_type.starts_with("application/octet-stream") {
                self.notes.push(format!(
                    "unknown content type: {name} {}",
                    head.content_type
                ));
            }
            let name = DumpName::sanitise(&name).map_err(|_| Malformed::InvalidDumpName)?;
            Current::Dump {
                name,
                hasher: DumpHasher::default(),
            }
        };
        Ok(())
    }

    fn data<E>(
        &mut self,
        piece: Bytes,
        keep: &mut impl FnMut(u64) -> Result<(), E>,
    ) -> Result<(), Failed<E>> {
        let piece_bytes = piece.len() as u64;
        match &mut self.current {
            Current::Nameless
            | Current::Text {
                too_large: true, ..
            } => Ok(()),
            Current::Dump { hasher, .. } => {
                keep(piece_bytes).map_err(Failed::Body)?;
                hasher.take(piece);
                Ok(())
            }
            Current::Text {
                value, too_large, ..
            } if value.len() as u64 + piece_bytes > self.limits.annotation_bytes => {
                *too_large = true;
                *value = Vec::new();
                Ok(())
            }
            Current::Text { value, .. } => {
                keep(piece_bytes).map_err(Failed::Body)?;
                value.extend_from_slice(&piece);
                Ok(())
            }
            Current::Json { text } => {
                count_annotations(&mut self.annotations_bytes, piece_bytes, &self.limits)?;
                keep(piece_bytes).map_err(Failed::Body)?;
                text.extend_from_slice(&piece);
                Ok(())
            }
        }
    }

    fn end<E>(&mut self, keep: &mut impl FnMut(u64) -> Result<(), E>) -> Result<(), Failed<E>> {
        match std::mem::replace(&mut self.current, Current::Nameless) {
            Current::Nameless => {}
            Current::Dump { name, hasher } => self.put_dump(hasher.finish(name)),
            Current::Text {
                too_large: true, ..
            } => {
                self.notes
                    .push("extract payload text part exception: body part is too large".to_owned());
            }
            Current::Text {
                name,
                charset,
                value,
                ..
            } => {
                // Not before its end: one that is left out does not count, however much of it had come.
                let value_bytes = value.len() as u64;
                count_annotations(&mut self.annotations_bytes, value_bytes, &self.limits)?;
                keep(2 * value_bytes).map_err(Failed::Body)?;
                self.put_text(name, &charset, value);
            }
            Current::Json { text } => {
                let weight = Weight::of(&text);
                keep(weight.bytes()).map_err(Failed::Body)?;
                // A JSON part replaces what was said before it; parts behind it add to it.
                self.annotations = json::annotations(&text, &weight)?;
            }
        }
        if self.annotations.len() > self.limits.annotations {
            return Err(Malformed::TooManyAnnotations.into());
        }
        Ok(())
    }

    fn put_text(&mut self, name: String, charset: &str, value: Vec<u8>) {
        match text::decode(charset, value) {
            Ok(value) => self.annotations.insert(name, value),
            Err(UnknownText) => {
                self.notes.push(format!(
                    "extract payload text part exception: invalid text or charset: {charset}"
                ));
            }
        }
    }

    /// The last of several dumps of one name is kept, as recorded. Who reads the log is told.
    fn put_dump(&mut self, dump: Dump) {
        let had = self.dumps.len();
        self.dumps.retain(|other| other.name != dump.name);
        self.replaced_dumps += had - self.dumps.len();
        self.dumps.push(dump);
    }

    /// The body ended inside a part. The original tries a JSON part before it notices, so that reason goes first.
    pub fn cut_short(self) -> Malformed {
        let Current::Json { text } = &self.current else {
            return Malformed::InvalidPayloadStructure;
        };
        json::annotations(text, &Weight::of(text))
            .err()
            .unwrap_or(Malformed::InvalidPayloadStructure)
    }

    /// What was gathered, once the body is complete.
    ///
    /// # Errors
    /// `NoAnnotations`.
    pub fn finish(mut self) -> Result<Gathered, Malformed> {
        if self.has_json && self.has_text {
            self.notes.push(
                "includes annotations in both json-encoded extra and formdata parts".to_owned(),
            );
        }
        if self.annotations.is_empty() {
            return Err(Malformed::NoAnnotations);
        }
        let payload = if self.has_json {
            Payload::Json
        } else {
            Payload::Multipart
        };
        Ok(Gathered {
            annotations: self.annotations,
            dumps: self.dumps,
            notes: self.notes,
            replaced_dumps: self.replaced_dumps,
            payload,
        })
    }
}

/// # Errors
/// `AnnotationsTooLarge`.
fn count_annotations(
    had_bytes: &mut u64,
    more_bytes: u64,
    limits: &Limits,
) -> Result<(), Malformed> {
    *had_bytes += more_bytes;
    if *had_bytes > limits.annotations_bytes {
        Err(Malformed::AnnotationsTooLarge)
    } else {
        Ok(())
    }
}
