//! Parts to annotations and dumps: which part is what, and what is remarked about it.
//!
//! The rule with the client that forces each clause is in `docs/submitting.md`.

use bytes::Bytes;

use crate::crash::{Buffer, DumpHasher, DumpName, ReservedDumpName};

use super::current::Current;
use super::gathering::{EXTRA, Gathering};
use super::json::{self, Scale};
use super::part_head::PartHead;
use super::split::Event;
use super::transfer_encoding::TransferEncoding;
use super::{Limits, Malformed, weight};

/// How much larger than all annotations may be as text they may be as the tree of a JSON document.
const TREE_TO_TEXT: u64 = 4;

/// Reads the parts of one body.
pub struct Parts {
    limits: Limits,
    parts: usize,
    pub gathering: Gathering,
    current: Current,
    transfer_encoding: TransferEncoding,
    /// What is kept in memory if a piece of the current frame is kept as it is.
    frame_bytes: u64,
}

impl Parts {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            parts: 0,
            gathering: Gathering::new(limits),
            current: Current::LeftOut,
            transfer_encoding: TransferEncoding::Identity,
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
        self.gathering.weight() + self.current.weight()
    }

    /// The most by which taking the event can add to that, also in between.
    pub fn most(&self, event: &Event) -> u64 {
        match event {
            Event::Headers(block) => weight::head(block.len()),
            Event::Data(piece) => self.current.most_of_data(piece.len(), self.frame_bytes),
            Event::EndOfPart => self.current.most_at_end() + self.most_of_decoding(),
        }
    }

    fn most_of_decoding(&self) -> u64 {
        let bytes = self.current.data_bytes();
        match (self.transfer_encoding, &self.current) {
            (TransferEncoding::Identity, _) => 0,
            (_, Current::Json { .. }) => weight::recoded(bytes) + weight::any_tree(bytes),
            _ => weight::recoded(bytes),
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

    fn begin(&mut self, block: &[u8]) -> Result<(), Malformed> {
        self.parts += 1;
        if self.parts > self.limits.parts {
            return Err(Malformed::TooManyParts);
        }
        let mut head = PartHead::parse(block);
        self.transfer_encoding = head.transfer_encoding;
        let name = head.name.take().filter(|name| !name.is_empty());
        if head.has_odd_name {
            let note = format!("the name of part {} is not UTF-8", self.parts);
            self.gathering.note(note);
        }
        self.current = match name {
            None => {
                let note = format!("part {} has no name: left out", self.parts);
                self.gathering.note(note);
                Current::LeftOut
            }
            Some(name) if head.is_type("application/json") && (name == EXTRA || !head.is_file) => {
                Current::Json {
                    name,
                    text: Buffer::default(),
                    scale: Scale::default(),
                }
            }
            Some(name) if head.is_type("text/plain") && !head.is_file => {
                self.gathering.has_text = true;
                Current::Text {
                    name,
                    charset: head.charset(),
                    value: Buffer::default(),
                }
            }
            Some(name) => self.begin_dump(&name, &head),
        };
        Ok(())
    }

    fn begin_dump(&mut self, name: &str, head: &PartHead) -> Current {
        let is_json = head.is_type("application/json");
        let (content_type, known) = (&head.content_type, "application/octet-stream");
        if !is_json && !content_type.eq_ignore_ascii_case(known) {
            self.gathering
                .note(format!("unknown content type: {name} {content_type}"));
        }
        if !self.gathering.has_room_for_a_dump() {
            return Current::LeftOut;
        }
        let sanitised = DumpName::sanitise(name).unwrap_or_else(|reserved| {
            let ReservedDumpName(own) = &reserved;
            let note = format!("a file named {own}, as a document of the collector: ");
            let new = reserved.numbered();
            self.gathering.note(note + &format!("kept as {new}"));
            new
        });
        Current::Dump {
            is_exact: sanitised.as_str() == name,
            name: sanitised,
            json: is_json.then(Scale::default),
            hasher: DumpHasher::default(),
            frames_weight: 0,
        }
    }

    fn data(&mut self, piece: Bytes) -> Result<(), Malformed> {
        match &mut self.current {
            Current::LeftOut => Ok(()),
            Current::Dump {
                hasher,
                frames_weight,
                json,
                ..
            } => {
                if !DumpHasher::copies(piece.len()) {
                    *frames_weight += std::mem::take(&mut self.frame_bytes);
                }
                if let Some(scale) = json {
                    scale.add(&piece);
                }
                hasher.take(piece);
                Ok(())
            }
            Current::Text { value, .. } => {
                let bytes = value.bytes().len() + piece.len();
                if bytes as u64 <= self.limits.annotation_bytes {
                    value.extend(&piece);
                } else {
                    let note = "extract payload text part exception: body part is too large";
                    self.gathering.note(note.to_owned());
                    self.current = Current::LeftOut;
                }
                Ok(())
            }
            Current::Json { text, scale, .. } => {
                let piece_bytes = piece.len() as u64;
                self.gathering.count_annotations(piece_bytes)?;
                scale.add(&piece);
                text.extend(&piece);
                // No document that says something is larger as a tree; more is refused before it is built.
                if weight::tree(scale) > TREE_TO_TEXT * self.limits.annotations_bytes {
                    return Err(Malformed::AnnotationsTooLarge);
                }
                Ok(())
            }
        }
    }

    fn end(&mut self) -> Result<(), Malformed> {
        let (gathering, encoding) = (&mut self.gathering, self.transfer_encoding);
        match std::mem::replace(&mut self.current, Current::LeftOut) {
            Current::LeftOut => {}
            Current::Dump {
                name,
                is_exact,
                json,
                hasher,
                frames_weight,
            } => {
                let weight_bytes = frames_weight + weight::dump(&hasher);
                let dump = hasher.finish(name);
                gathering.put_dump(dump, is_exact, json, weight_bytes, encoding);
            }
            Current::Text {
                name,
                charset,
                value,
            } => {
                let value = value.into_vec();
                let decoded = gathering.decoded(&name, encoding, value.iter().copied());
                let value = decoded.unwrap_or(value);
                // Not before its end: one that is left out does not count, however much of it had come.
                gathering.count_annotations(value.len() as u64)?;
                gathering.put_text(name, &charset, value);
            }
            Current::Json { name, text, scale } => {
                let text = text.into_vec();
                let decoded = gathering.decoded(&name, encoding, text.iter().copied());
                let scale = decoded.as_deref().map_or(scale, Scale::of);
                gathering.put_json(name, decoded.unwrap_or(text), scale)?;
            }
        }
        gathering.check_annotations()
    }

    /// The body ended inside a part. The original tries a JSON part before it notices, so that reason goes first.
    pub fn cut_short(&self) -> Malformed {
        let Current::Json { text, scale, .. } = &self.current else {
            return Malformed::InvalidPayloadStructure;
        };
        json::check(text.bytes(), scale)
            .err()
            .unwrap_or(Malformed::InvalidPayloadStructure)
    }
}
