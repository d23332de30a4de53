//! Bytes to a submission: one POST's headers and body become annotations and dumps, or a reason why not.
//!
//! Knows no web framework and no clock. Limits arrive as a plain struct, memory is asked for through a function.
//! The body is read once, front to back; dumps keep the frames in which they arrived.

mod content_type;
mod decode;
mod file_data;
mod json;
mod malformed;
mod part_head;
mod parts;
mod scan;
mod split;
mod text;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};

pub use malformed::Malformed;

use crate::crash::{Annotations, Dump, Payload};
use decode::{Decoder, Hint, Next, Undecodable};
pub use decode::{Encoding, ExtraEncodings};
use parts::Parts;
use split::{Event, Splitter};

/// Decoding this much of the wire at once cannot hold up a thread for long, nor take much memory before it is asked for,
/// whatever the ratio.
const DECODE_STEP_BYTES: usize = 2 * 1024;

/// Annotations from a JSON text, as from a part with annotations in JSON: for documents that lie on a disk.
///
/// # Errors
/// As [`parse`]: `InvalidJson`, `InvalidJsonValue`.
pub fn annotations_in_json(text: &[u8]) -> Result<Annotations, Malformed> {
    json::annotations(text, &json::Weight::of(text))
}

/// What intake wants to know of a request's head. Header values are raw bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Head<'a> {
    pub content_type: Option<&'a [u8]>,
    pub content_encoding: Option<&'a [u8]>,
    /// `None` where the body is chunked or there is none.
    pub content_length_bytes: Option<u64>,
    pub is_chunked: bool,
}

/// How much one submission may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Body after inflating, in bytes.
    pub inflated_bytes: u64,
    pub parts: usize,
    pub annotations: usize,
    /// One text annotation, in bytes; a larger one is left out and noted, as recorded.
    pub annotation_bytes: u64,
    /// All annotations of a submission together, in bytes.
    pub annotations_bytes: u64,
    pub extra_encodings: ExtraEncodings,
}

/// What was made of one POST.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission {
    pub annotations: Annotations,
    pub dumps: Vec<Dump>,
    /// Remarks for the raw crash, in the order in which they came up.
    pub notes: Vec<String>,
    /// Dumps that a later one of the same name, once sanitised, took the place of.
    pub replaced_dumps: usize,
    pub payload: Payload,
    pub is_compressed: bool,
    /// Length of the body as sent: de-chunked, not inflated.
    pub payload_bytes: u64,
}

/// Why there is no submission. `E` is what the body's stream or the memory said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed<E> {
    Malformed(Malformed),
    /// The inflated body is larger than the limit.
    TooLarge,
    Body(E),
}

impl<E> From<Malformed> for Failed<E> {
    fn from(reason: Malformed) -> Self {
        Self::Malformed(reason)
    }
}

/// Reads a body to its end and makes a submission of it.
///
/// The stream ends where the client's bytes end, even if that is too early: a form that is complete by then is taken.
/// `keep` is asked before bytes are kept in memory, with how many more; what it refuses ends the matter.
///
/// # Errors
/// See [`Failed`]. Headers are checked before the body is touched, in the recorded order. A malformed body is read to its
/// end all the same, so that a client gets to read the answer, and because damaged gzip is the better reason.
pub async fn parse<E>(
    head: Head<'_>,
    mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    limits: &Limits,
    mut keep: impl FnMut(u64) -> Result<(), E>,
) -> Result<Submission, Failed<E>> {
    let boundary = content_type::boundary_of(head.content_type)?;
    if !head.is_chunked && head.content_length_bytes.unwrap_or(0) == 0 {
        return Err(Malformed::NoContentLength.into());
    }
    let encoding = Encoding::of(head.content_encoding, limits.extra_encodings);
    let mut form = Form::new(&boundary, encoding, *limits);
    let mut wire_bytes = 0;
    while let Some(frame) = body.next().await {
        let frame = frame.map_err(Failed::Body)?;
        wire_bytes += frame.len() as u64;
        form.take_frame(frame, &mut keep).await?;
    }
    if head.is_chunked && wire_bytes == 0 {
        return Err(Malformed::NoContentLength.into());
    }
    let gathered = form.finish(&mut keep).await?;
    Ok(Submission {
        annotations: gathered.annotations,
        dumps: gathered.dumps,
        notes: gathered.notes,
        replaced_dumps: gathered.replaced_dumps,
        payload: gathered.payload,
        is_compressed: encoding.is_some(),
        payload_bytes: head.content_length_bytes.unwrap_or(wire_bytes),
    })
}

/// A body on its way: decoder, splitter and parts.
struct Form {
    decoder: Option<(Encoding, Decoder)>,
    splitter: Splitter,
    /// The parts until the body turns out to be malformed, then the reason.
    parts: Result<Parts, Malformed>,
    events: Vec<Event>,
    inflated: Vec<Bytes>,
    inflated_bytes: u64,
    inflated_limit_bytes: u64,
}

impl Form {
    fn new(boundary: &[u8], encoding: Option<Encoding>, limits: Limits) -> Self {
        Self {
            decoder: encoding.map(|encoding| (encoding, Decoder::new(encoding))),
            splitter: Splitter::new(boundary),
            parts: content_type::check_length(boundary).map(|()| Parts::new(limits)),
            events: Vec::new(),
            inflated: Vec::new(),
            inflated_bytes: 0,
            inflated_limit_bytes: limits.inflated_bytes,
        }
    }

    async fn take_frame<E>(
        &mut self,
        frame: Bytes,
        keep: &mut impl FnMut(u64) -> Result<(), E>,
    ) -> Result<(), Failed<E>> {
        if self.decoder.is_none() {
            return self.take_plain(frame, keep);
        }
        for step in frame.chunks(DECODE_STEP_BYTES) {
            self.decode(step, false, keep).await?;
        }
        Ok(())
    }

    async fn decode<E>(
        &mut self,
        mut input: &[u8],
        is_end: bool,
        keep: &mut impl FnMut(u64) -> Result<(), E>,
    ) -> Result<(), Failed<E>> {
        while let Some((encoding, decoder)) = &mut self.decoder {
            let hint = Hint {
                wants_more: !self.splitter.is_complete(),
                is_end,
            };
            let result = decoder.decode(input, hint, &mut self.inflated);
            let encoding = *encoding;
            self.take_inflated(keep)?;
            let step = result.map_err(|Undecodable| encoding.malformed())?;
            input = &input[step.done_bytes..];
            tokio::task::consume_budget().await;
            match step.next {
                Next::Memory(bytes) => keep(bytes).map_err(Failed::Body)?,
                Next::Input if input.is_empty() => break,
                Next::Input | Next::Again => {}
            }
        }
        Ok(())
    }

    fn take_inflated<E>(
        &mut self,
        keep: &mut impl FnMut(u64) -> Result<(), E>,
    ) -> Result<(), Failed<E>> {
        let mut pieces = std::mem::take(&mut self.inflated);
        for piece in pieces.drain(..) {
            self.inflated_bytes += piece.len() as u64;
            if self.inflated_bytes > self.inflated_limit_bytes {
                return Err(Failed::TooLarge);
            }
            self.take_plain(piece, keep)?;
        }
        self.inflated = pieces;
        Ok(())
    }

    fn take_plain<E>(
        &mut self,
        frame: Bytes,
        keep: &mut impl FnMut(u64) -> Result<(), E>,
    ) -> Result<(), Failed<E>> {
        let Ok(parts) = &mut self.parts else {
            return Ok(());
        };
        let split = self.splitter.feed(frame, &mut self.events);
        // What was met before the break counts first: the original looks at one part after the other.
        let taken = self
            .events
            .drain(..)
            .try_for_each(|event| parts.take(event, keep));
        match taken.and_then(|()| Ok(split?)) {
            Err(Failed::Malformed(reason)) => {
                self.parts = Err(reason);
                Ok(())
            }
            other => other,
        }
    }

    async fn finish<E>(
        mut self,
        keep: &mut impl FnMut(u64) -> Result<(), E>,
    ) -> Result<parts::Gathered, Failed<E>> {
        self.decode(&[], true, keep).await?;
        if let Some((encoding, decoder)) = &mut self.decoder {
            let finished = decoder.finish(&mut self.inflated);
            finished.map_err(|Undecodable| encoding.malformed())?;
            self.take_inflated(keep)?;
        }
        let parts = self.parts?;
        let gathered = if self.splitter.is_complete() {
            parts.finish()
        } else {
            Err(parts.cut_short())
        };
        Ok(gathered?)
    }
}
