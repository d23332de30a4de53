//! Parts to annotations and dumps: which part is what, and what is remarked about it.

use bytes::Bytes;
use serde_json::Value;

use crate::crash::{Annotations, Buffer, Dump, DumpHasher, DumpName, Payload};

use super::current::Current;
use super::json::{self, Scale};
use super::part_head::PartHead;
use super::split::Event;
use super::text::{self, UnknownText};
use super::{Limits, Malformed, weight};

/// Gathers the parts of one body.
pub struct Parts {
    limits: Limits,
    parts: usize,
    annotations_bytes: u64,
    annotations: Annotations,
    annotations_weight: u64,
    dumps: Vec<Dump>,
    dumps_weight: u64,
    dumps_left_out: usize,
    notes: Vec<String>,
    notes_weight: u64,
    replaced_dumps: usize,
    has_json: bool,
    has_text: bool,
    current: Current,
    /// What is kept in memory if a piece of the current frame is kept as it is.
    frame_bytes: u64,
}

/// What was gathered.
pub struct Gathered {
    pub annotations: Annotations,
    pub dumps: Vec<Dump>,
    pub notes: Vec<String>,
    pub replaced_dumps: usize,
    pub payload: Payload,
    /// What the dumps go on weighing when the annotations are gone.
    pub dumps_weight: u64,
}

impl Parts {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            parts: 0,
            annotations_bytes: 0,
            annotations: Annotations::default(),
            annotations_weight: 0,
            dumps: Vec::new(),
            dumps_weight: 0,
            dumps_left_out: 0,
            notes: Vec::new(),
            notes_weight: 0,
            replaced_dumps: 0,
            has_json: false,
            has_text: false,
            current: Current::LeftOut,
            frame_bytes: 0,
        }
    }

    /// The next pieces belong to another frame, of which keeping one means keeping so many bytes.
    ///
    /// Frames that `are_shared` are pieces of one buffer, so that one of them keeps those before it, too.
    pub fn next_frame(&mut self, frame_bytes: u64, are_shared: bool) {
        let before = if are_shared { self.frame_bytes } else { 0 };
        self.frame_bytes = before + frame_bytes;
    }

    /// What all that was gathered weighs.
    pub fn weight(&self) -> u64 {
        self.annotations_weight + self.dumps_weight + self.notes_weight + self.current.weight()
    }

    /// The most by which taking the event can add to that, also in between.
    pub fn most(&self, event: &Event) -> u64 {
        match event {
            Event::Headers(block) => weight::head(block.len()),
            Event::Data(piece) => self.current.most_of_data(piece.len(), self.frame_bytes),
            Event::EndOfPart => self.current.most_at_end(),
        }
    }

    /// Takes what the splitter met.
    ///
    /// # Errors
    /// The first reason why this is no crash report.
    pub fn take(&mut self, event: Event) -> Result<(), Malformed> {
        match event {
            Event::Headers(block) => self.begin(&block),
            Event::Data(piece) => self.data(piece),
            Event::EndOfPart => self.end(),
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
            self.current = Current::LeftOut;
            return Ok(());
        };
        self.current = if head.is_type("application/json") {
            self.has_json = true;
            Current::Json {
                text: Buffer::default(),
                scale: Scale::default(),
            }
        } else if head.is_type("text/plain") && !head.is_file {
            self.has_text = true;
            Current::Text {
                name,
                charset: head.charset(),
                value: Buffer::default(),
                too_large: false,
            }
        } else {
            if !head
                .content_type
                .eq_ignore_ascii_case("application/octet-stream")
            {
                self.note(format!(
                    "unknown content type: {name} {}",
                    head.content_type
                ));
            }
            let name = DumpName::sanitise(&name).map_err(|_| Malformed::InvalidDumpName)?;
            self.begin_dump(name)
        };
        Ok(())
    }

    fn begin_dump(&mut self, name: DumpName) -> Current {
        if self.dumps.len() >= self.limits.dumps {
            self.dumps_left_out += 1;
            return Current::LeftOut;
        }
        Current::Dump {
            name,
            hasher: DumpHasher::default(),
            frames_weight: 0,
        }
    }

    fn note(&mut self, note: String) {
        self.notes_weight += weight::note(&note);
        self.notes.push(note);
    }

    fn data(&mut self, piece: Bytes) -> Result<(), Malformed> {
        match &mut self.current {
            Current::LeftOut
            | Current::Text {
                too_large: true, ..
            } => Ok(()),
            Current::Dump {
                hasher,
                frames_weight,
                ..
            } => {
                if !DumpHasher::copies(piece.len()) {
                    *frames_weight += std::mem::take(&mut self.frame_bytes);
                }
                hasher.take(piece);
                Ok(())
            }
            Current::Text {
                value, too_large, ..
            } => {
                let bytes = value.bytes().len() + piece.len();
                if bytes as u64 > self.limits.annotation_bytes {
                    *too_large = true;
                    *value = Buffer::default();
                } else {
                    value.extend(&piece);
                }
                Ok(())
            }
            Current::Json { text, scale } => {
                let piece_bytes = piece.len() as u64;
                count_annotations(&mut self.annotations_bytes, piece_bytes, &self.limits)?;
                scale.add(&piece);
                text.extend(&piece);
                Ok(())
            }
        }
    }

    fn end(&mut self) -> Result<(), Malformed> {
        match std::mem::replace(&mut self.current, Current::LeftOut) {
            Current::LeftOut => {}
            Current::Dump {
                name,
                hasher,
                frames_weight,
            } => {
                self.dumps_weight += frames_weight + weight::dump(&hasher);
                self.put_dump(hasher.finish(name));
            }
            Current::Text {
                too_large: true, ..
            } => {
                self.note("extract payload text part exception: body part is too large".to_owned());
            }
            Current::Text {
                name,
                charset,
                value,
                ..
            } => {
                // Not before its end: one that is left out does not count, however much of it had come.
                let value = value.into_vec();
                count_annotations(
                    &mut self.annotations_bytes,
                    value.len() as u64,
                    &self.limits,
                )?;
                self.put_text(name, &charset, value);
            }
            Current::Json { text, scale } => {
                // A JSON part replaces what was said before it; parts behind it add to it.
                self.annotations = Annotations::default();
                self.annotations = json::annotations(text.bytes(), &scale)?;
                self.annotations_weight = weight::tree(&scale);
            }
        }
        if self.annotations.len() > self.limits.annotations {
            return Err(Malformed::TooManyAnnotations);
        }
        Ok(())
    }

    fn put_text(&mut self, name: String, charset: &str, value: Vec<u8>) {
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

    /// The last of several dumps of one name is kept, as recorded. Who reads the log is told.
    fn put_dump(&mut self, dump: Dump) {
        let had = self.dumps.len();
        self.dumps.retain(|other| other.name != dump.name);
        self.replaced_dumps += had - self.dumps.len();
        self.dumps.push(dump);
    }

    /// The body ended inside a part. The original tries a JSON part before it notices, so that reason goes first.
    pub fn cut_short(&self) -> Malformed {
        let Current::Json { text, scale } = &self.current else {
            return Malformed::InvalidPayloadStructure;
        };
        json::check(text.bytes(), scale)
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
        if self.dumps_left_out > 0 {
            let (left_out, most) = (self.dumps_left_out, self.limits.dumps);
            self.notes
                .push(format!("{left_out} dumps beyond the first {most} left out"));
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
            dumps_weight: self.dumps_weight,
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
