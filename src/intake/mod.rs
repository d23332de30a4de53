//! Bytes to a submission: one POST's headers and body become annotations and dumps, or a reason why not.
//!
//! Knows no web framework and no clock. Limits arrive as a plain struct, memory is asked for at the body ([`Upload`]).
//! The body is read once, front to back; dumps keep the frames in which they arrived.

mod bare;
mod content_type;
mod current;
mod decode;
mod dumps;
mod file_data;
mod form;
mod gathering;
mod header_field;
mod heavy;
mod json;
mod json_text;
mod malformed;
mod part_head;
mod parts;
mod scan;
mod split;
mod text;
mod transfer_encoding;
mod weight;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod spellings;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};

pub use decode::{Encoding, Encodings, ExtraEncodings};
pub use heavy::Heavy;
pub use malformed::Malformed;

use crate::crash::{Annotations, Dump, Payload};
use form::Form;

/// Annotations from a JSON text, as from a part with annotations in JSON: for documents that lie on a disk.
///
/// # Errors
/// As [`parse`]: `InvalidJson`, `InvalidJsonValue`.
pub fn annotations_in_json(text: &[u8]) -> Result<Annotations, Malformed> {
    json::Document::new(text.to_vec(), json::Scale::of(text)).annotations()
}

/// What intake wants to know of a request's head. Header values are raw bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Head<'a> {
    pub content_type: Option<&'a [u8]>,
    pub encodings: Encodings,
    /// `None` where the body is chunked or there is none.
    pub content_length_bytes: Option<u64>,
    pub is_chunked: bool,
    /// As it stands in the request's target.
    pub query: Option<&'a str>,
}

/// How much one submission may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Body after inflating, in bytes.
    pub inflated_bytes: u64,
    pub parts: usize,
    /// Further ones are left out, with a note: each costs a file or a request where it is stored.
    pub dumps: usize,
    pub annotations: usize,
    /// One text annotation, in bytes; a larger one is left out and noted, as recorded.
    pub annotation_bytes: u64,
    /// All annotations of a submission together, in bytes.
    pub annotations_bytes: u64,
    pub extra_encodings: ExtraEncodings,
    /// A form without a single annotation is a submission as well.
    pub takes_no_annotations: bool,
    /// A body that is a minidump and no form is a submission as well, if its length was announced: else nobody could tell
    /// that it was cut.
    pub takes_bare_dumps: bool,
}

/// What was made of one POST.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission {
    pub annotations: Annotations,
    pub dumps: Vec<Dump>,
    /// Remarks for the raw crash, in the order in which they came up.
    pub notes: Vec<String>,
    pub payload: Payload,
    /// The outermost encoding in which the body really came.
    pub encoding: Option<Encoding>,
    /// Length of the body as sent: de-chunked, not inflated.
    pub payload_bytes: u64,
    pub weight: Weight,
}

/// What a submission occupies, in bytes of memory: what the body's [`Upload::hold`] was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    pub all_bytes: u64,
    /// What stays when the annotations are gone.
    pub dumps_bytes: u64,
}

/// A body on its way, and the memory for what is kept of it.
pub trait Upload: Stream<Item = Result<Bytes, Self::Error>> + Unpin {
    /// Why there is no more of it, or no memory for it.
    type Error;

    /// From now on `bytes` are needed for what was kept of the body, in all. Asked before more is kept, and told when it
    /// is less again; needing less never fails.
    ///
    /// # Errors
    /// There is no memory for so much.
    fn hold(&mut self, bytes: u64) -> Result<(), Self::Error>;
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
/// What takes long is done in `heavy`'s turn.
///
/// # Errors
/// See [`Failed`]. Headers are checked before the body is touched, in the recorded order. A malformed body is read to its
/// end all the same, so that a client gets to read the answer, and because damaged gzip is the better reason.
pub async fn parse<U: Upload>(
    head: Head<'_>,
    body: &mut U,
    limits: &Limits,
    heavy: &Heavy,
) -> Result<Submission, Failed<U::Error>> {
    let is_bare = limits.takes_bare_dumps && bare::is_bare(head.content_type);
    let boundary = match is_bare {
        true => Vec::new(),
        false => content_type::boundary_of(head.content_type)?,
    };
    if (!head.is_chunked || is_bare) && head.content_length_bytes.unwrap_or(0) == 0 {
        return Err(Malformed::NoContentLength.into());
    }
    // Not before its first bytes: a client that sends nothing takes nothing.
    let mut next = body.next().await;
    body.hold(weight::FORM).map_err(Failed::Body)?;
    let mut form = match is_bare {
        true => {
            let query = head.query.unwrap_or_default();
            Form::bare(query, head.encodings, *limits, heavy, body).await?
        }
        false => Form::new(&boundary, head.encodings, *limits, heavy),
    };
    let mut wire_bytes = 0;
    while let Some(frame) = next {
        let frame = frame.map_err(Failed::Body)?;
        wire_bytes += frame.len() as u64;
        form.take_frame(frame, body).await?;
        next = body.next().await;
    }
    if head.is_chunked && wire_bytes == 0 {
        return Err(Malformed::NoContentLength.into());
    }
    if is_bare && head.content_length_bytes != Some(wire_bytes) {
        return Err(Malformed::InvalidPayloadStructure.into());
    }
    let encoding = form.encoding();
    let (gathered, all_bytes) = form.finish(body).await?;
    // The form itself is gone now.
    body.hold(all_bytes).map_err(Failed::Body)?;
    Ok(Submission {
        annotations: gathered.annotations,
        dumps: gathered.dumps,
        notes: gathered.notes,
        payload: gathered.payload,
        encoding,
        payload_bytes: head.content_length_bytes.unwrap_or(wire_bytes),
        weight: Weight {
            all_bytes,
            dumps_bytes: gathered.dumps_weight,
        },
    })
}
