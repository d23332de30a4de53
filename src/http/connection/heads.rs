//! Where each request of a connection begins: every head is looked at, and mended where it has to be, before hyper sees it.
//!
//! Heads are read by hyper's own parser, and bodies are followed to the next head while their framing is plain: no body, one
//! `Content-Length`, or one `chunked` without trailers. Behind anything else nothing is looked at, and no request is served
//! there: hyper or `framing` ends the connection with that request.

use bytes::{Buf, BytesMut};
use tokio::io::ReadBuf;

use super::chunks::{Chunks, Followed};
use super::framed_head::{Framing, empty_lines, framing, head_end};
use super::{http10_chunked, odd_target};

/// Real clients send 1 KB, proxies add as much again; nginx's and Apache's limits for one line are 8 KiB.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;
/// hyper's limit.
const MAX_HEADERS: usize = 100;
/// What a header takes in hyper's map beside its text, with the map's spare room.
const HEADER_BYTES: usize = 160;

/// What comes next on a connection.
#[derive(Debug)]
enum Expected {
    Head,
    Body(u64),
    Chunks(Chunks),
    /// Framing that is not followed.
    Anything,
}

/// The requests of one connection, as far as they have come.
#[derive(Debug)]
pub struct Heads {
    expected: Expected,
    /// What was read and not handed on yet.
    held: BytesMut,
    /// How much of it may be handed on.
    ready_bytes: usize,
    /// How much of it was searched for the end of a head.
    searched_bytes: usize,
    is_too_large: bool,
    is_post: bool,
    cost_bytes: usize,
}

/// What the bytes of a head turn out to be.
enum Looked {
    Incomplete,
    TooLarge,
    /// hyper refuses it.
    Malformed,
    Whole(Head),
}

struct Head {
    bytes: usize,
    /// What hyper gets in its place, if that is something else.
    mended: Option<Vec<u8>>,
    behind: Expected,
}

impl Heads {
    pub fn new() -> Self {
        Self {
            expected: Expected::Head,
            held: BytesMut::new(),
            ready_bytes: 0,
            searched_bytes: 0,
            is_too_large: false,
            is_post: false,
            cost_bytes: 0,
        }
    }

    /// True between requests and while a head is incomplete.
    pub fn is_waiting(&self) -> bool {
        matches!(self.expected, Expected::Head)
    }

    /// True if part of a head is here.
    pub fn has_begun(&self) -> bool {
        !self.held.is_empty()
    }

    /// A head is longer than allowed, or has too many lines; nothing is handed on any more.
    pub fn is_too_large(&self) -> bool {
        self.is_too_large
    }

    /// Whether the last head is, or begins like, that of a POST.
    pub fn is_post(&self) -> bool {
        self.is_post
    }

    /// Memory that the last head takes while its request is served, or takes by now.
    pub fn cost_bytes(&self) -> u64 {
        self.cost_bytes as u64
    }

    /// The last request is answered.
    pub fn settle(&mut self) {
        self.cost_bytes = 0;
    }

    /// Takes bytes from the connection. As many from their beginning as it returns may be handed on as they are; the rest is
    /// kept for [`Self::hand_out`].
    pub fn take(&mut self, bytes: &[u8]) -> usize {
        let passed = if self.held.is_empty() {
            self.pass(bytes)
        } else {
            0
        };
        self.held.extend_from_slice(&bytes[passed..]);
        passed
    }

    /// Hands on what is kept and was looked at. True if that was anything.
    pub fn hand_out(&mut self, out: &mut ReadBuf<'_>) -> bool {
        if self.ready_bytes == 0 && !self.held.is_empty() {
            self.look_at_held();
        }
        let length = self.ready_bytes.min(out.remaining());
        out.put_slice(&self.held[..length]);
        self.held.advance(length);
        self.ready_bytes -= length;
        if self.held.is_empty() {
            // Not to keep the room of a large head through a long body.
            self.held = BytesMut::new();
        }
        length > 0
    }

    /// One request's bytes that need no mending: its head if it is complete, and what has come of its body.
    fn pass(&mut self, bytes: &[u8]) -> usize {
        let mut head_bytes = 0;
        if self.is_waiting() {
            match self.look_at(bytes) {
                Looked::Whole(head) if head.mended.is_none() => {
                    head_bytes = head.bytes;
                    self.expected = head.behind;
                }
                Looked::Malformed => self.expected = Expected::Anything,
                Looked::Whole(_) | Looked::Incomplete | Looked::TooLarge => return 0,
            }
        }
        head_bytes + self.follow_body(&bytes[head_bytes..])
    }

    fn look_at_held(&mut self) {
        let mut held = std::mem::take(&mut self.held);
        let mut head_bytes = 0;
        if self.is_waiting() {
            match self.look_at(&held) {
                Looked::Whole(head) => {
                    head_bytes = head.bytes;
                    self.expected = head.behind;
                    if let Some(mended) = head.mended {
                        held = [&mended, &held[head.bytes..]].concat()[..].into();
                        head_bytes = mended.len();
                    }
                }
                Looked::Malformed => self.expected = Expected::Anything,
                Looked::Incomplete | Looked::TooLarge => {
                    self.held = held;
                    return;
                }
            }
        }
        self.ready_bytes = head_bytes + self.follow_body(&held[head_bytes..]);
        self.held = held;
    }

    /// How many of the bytes belong to the body.
    fn follow_body(&mut self, bytes: &[u8]) -> usize {
        let (length, is_last) = match &mut self.expected {
            Expected::Head => (0, false),
            Expected::Anything => (bytes.len(), false),
            Expected::Body(left) => {
                let length = usize::try_from(*left).map_or(bytes.len(), |it| it.min(bytes.len()));
                *left -= length as u64;
                (length, *left == 0)
            }
            Expected::Chunks(chunks) => match chunks.follow(bytes) {
                Followed::All => (bytes.len(), false),
                Followed::End(at) => (at, true),
                Followed::Unknown => {
                    self.expected = Expected::Anything;
                    (bytes.len(), false)
                }
            },
        };
        if is_last {
            self.expected = Expected::Head;
        }
        length
    }

    fn look_at(&mut self, bytes: &[u8]) -> Looked {
        let start = empty_lines(bytes);
        self.is_post = bytes[start..].starts_with(b"POST ");
        let end = head_end(bytes, start.max(self.searched_bytes));
        self.is_too_large = end.unwrap_or(bytes.len()) > MAX_HEAD_BYTES;
        if self.is_too_large {
            return Looked::TooLarge;
        }
        self.cost_bytes = 2 * end.unwrap_or(bytes.len());
        let Some(end) = end else {
            self.searched_bytes = bytes.len().saturating_sub(2);
            return Looked::Incomplete;
        };
        self.searched_bytes = 0;
        self.look_at_head(&bytes[..end], start)
    }

    /// A whole head behind `start` bytes of empty lines.
    fn look_at_head(&mut self, head: &[u8], start: usize) -> Looked {
        let target = odd_target::mended(&head[start..]);
        let whole = target.as_deref().unwrap_or(head);
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(whole) {
            Ok(httparse::Status::Complete(end)) if end == whole.len() => {}
            Err(httparse::Error::TooManyHeaders) => {
                self.is_too_large = true;
                return Looked::TooLarge;
            }
            _ => return Looked::Malformed,
        }
        self.cost_bytes += HEADER_BYTES * request.headers.len();
        let framing = framing(request.headers);
        let version = match request.version {
            // Behind empty lines it is not the first line, and others may see none.
            Some(0) if framing.is_chunked() && start == 0 => http10_chunked::mended(whole),
            _ => None,
        };
        let behind = match (framing, request.version) {
            (Framing::Length(0), _) => Expected::Head,
            (Framing::Length(length), _) => Expected::Body(length),
            (Framing::Chunked, Some(1)) => Expected::Chunks(Chunks::default()),
            (Framing::Chunked, _) if version.is_some() => Expected::Chunks(Chunks::default()),
            (Framing::Chunked | Framing::Odd, _) => Expected::Anything,
        };
        Looked::Whole(Head {
            bytes: head.len(),
            mended: version.or(target),
            behind,
        })
    }
}

#[cfg(test)]
mod tests;
