//! A multipart body (RFC 2046) cut into its parts while it arrives, without copying their bytes.
//!
//! The grammar is the recorded one: the first delimiter may follow any text, a part's head ends at the first empty line
//! and is at most 8 KiB, the last delimiter needs no line end, and what follows it does not matter. Beyond the record,
//! spaces may follow a delimiter, and a part may have no head at all (RFC 2046, 5.1.1). A delimiter inside a part that is
//! followed by anything else breaks the body. Files of Breakpad's forms are the one exception: `file_data`.

use bytes::{Buf, Bytes};

use super::Malformed;
use super::file_data::{Ended, FileData};
use super::scan::{Scanner, find_short};

/// Head of one part, in bytes; the recorded limit.
const MAX_HEADERS_BYTES: usize = 8192;
const LINE_END: &[u8] = b"\r\n";

/// What is met in a body, in order: for each part its headers, its data in pieces, its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// The header block without the empty line that ends it.
    Headers(Vec<u8>),
    /// A piece of the part's data, never empty.
    Data(Bytes),
    EndOfPart,
}

/// Cuts one body.
pub struct Splitter {
    state: State,
    delimiter: Scanner,
    /// For Breakpad's forms; `None` for all others.
    file_data: Option<FileData>,
}

enum State {
    /// Before the first delimiter.
    Preamble(Box<Scanner>),
    /// Behind a delimiter: line end, or `--`; the last byte that was seen of it.
    BehindDelimiter(Option<u8>),
    /// The delimiter's line end, and what has come of the head.
    Headers(Vec<u8>),
    Data,
    /// Of a file, if there is `file_data`.
    FileData,
    /// Behind the last delimiter.
    Epilogue,
    /// No form: all of it is data.
    Bare,
}

impl Splitter {
    /// For a boundary of at least one byte.
    pub fn new(boundary: &[u8]) -> Self {
        let delimiter = [b"\r\n--", boundary].concat();
        Self {
            state: State::Preamble(Box::new(Scanner::new(&delimiter[2..]))),
            delimiter: Scanner::new(&delimiter),
            file_data: FileData::for_boundary(boundary),
        }
    }

    /// For a body that is one part's data and nothing else.
    pub fn bare() -> Self {
        Self {
            state: State::Bare,
            ..Self::new(b"-")
        }
    }

    /// Adds what comes first in the frame to `events`, and takes it off the frame. To be called until the frame is empty:
    /// a frame may hold thousands of parts, which need not be there at the same time.
    ///
    /// # Errors
    /// `InvalidPayloadStructure`; the splitter is of no use afterwards.
    pub fn split(&mut self, frame: &mut Bytes, events: &mut Vec<Event>) -> Result<(), Malformed> {
        match &mut self.state {
            State::Preamble(scanner) => {
                if scanner.scan(frame).found {
                    self.state = State::BehindDelimiter(None);
                }
            }
            State::BehindDelimiter(first) => {
                let byte = frame.get_u8();
                self.state = match (*first, byte) {
                    (None, b'-') => State::BehindDelimiter(Some(byte)),
                    (None | Some(b' ' | b'\t'), b'\r' | b' ' | b'\t') => {
                        State::BehindDelimiter(Some(byte))
                    }
                    (Some(b'\r'), b'\n') => State::Headers(LINE_END.to_vec()),
                    (Some(b'-'), b'-') => State::Epilogue,
                    _ => return Err(Malformed::InvalidPayloadStructure),
                };
            }
            State::Headers(block) => {
                if take_headers(block, frame)? {
                    let block = std::mem::take(block);
                    self.state = if self.file_data.is_some() && FileData::is_file(&block) {
                        State::FileData
                    } else {
                        State::Data
                    };
                    events.push(Event::Headers(block));
                }
            }
            State::Data => self.take_data(frame, events),
            State::FileData => self.take_file_data(frame, events),
            State::Epilogue => frame.clear(),
            State::Bare => events.push(Event::Data(std::mem::take(frame))),
        }
        Ok(())
    }

    fn take_data(&mut self, frame: &mut Bytes, events: &mut Vec<Event>) {
        let scanned = self.delimiter.scan(frame);
        events.extend(
            scanned
                .before
                .into_iter()
                .filter(|piece| !piece.is_empty())
                .map(Event::Data),
        );
        if scanned.found {
            events.push(Event::EndOfPart);
            self.state = State::BehindDelimiter(None);
        }
    }

    fn take_file_data(&mut self, frame: &mut Bytes, events: &mut Vec<Event>) {
        let Some(data) = &mut self.file_data else {
            self.state = State::Data;
            return;
        };
        let Some(ended) = data.take(frame, events) else {
            return;
        };
        events.push(Event::EndOfPart);
        self.state = match ended {
            Ended::Delimiter => State::BehindDelimiter(None),
            Ended::InHead(begun) => State::Headers(begun.to_vec()),
        };
    }

    /// The last delimiter has been seen, or none is awaited.
    pub fn is_complete(&self) -> bool {
        matches!(self.state, State::Epilogue | State::Bare)
    }

    /// The body is no form.
    pub fn is_bare(&self) -> bool {
        matches!(self.state, State::Bare)
    }
}

/// Moves bytes to the block up to the empty line; true when the head, now without line ends around it, is complete.
///
/// The block begins with the delimiter's line end: where the head is empty, that is the first half of the empty line.
fn take_headers(block: &mut Vec<u8>, frame: &mut Bytes) -> Result<bool, Malformed> {
    const EMPTY_LINE: &[u8] = b"\r\n\r\n";
    const MAX_BYTES: usize = LINE_END.len() + MAX_HEADERS_BYTES + EMPTY_LINE.len();
    let had = block.len();
    let searched = had.saturating_sub(EMPTY_LINE.len() - 1);
    let taken = frame.len().min(MAX_BYTES.saturating_sub(had));
    if had == LINE_END.len()
        && !frame.starts_with(LINE_END)
        && let Some(at) = find_short(&frame[..taken], EMPTY_LINE)
    {
        // Nearly always: the head is whole in this frame, and nothing behind it is copied.
        block.clear();
        block.extend_from_slice(&frame[..at]);
        frame.advance(at + EMPTY_LINE.len());
        return Ok(true);
    }
    block.extend_from_slice(&frame[..taken]);
    let Some(at) = find_short(&block[searched..], EMPTY_LINE).map(|at| searched + at) else {
        frame.advance(taken);
        return if block.len() < MAX_BYTES {
            Ok(false)
        } else {
            Err(Malformed::InvalidPayloadStructure)
        };
    };
    frame.advance(at + EMPTY_LINE.len() - had);
    block.truncate(at);
    block.drain(..LINE_END.len().min(at));
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Header blocks and data of the parts; an error if the body is broken or has no end.
    fn parts(body: &[u8], sizes: &[usize]) -> Result<Vec<(String, Vec<u8>)>, Malformed> {
        let mut splitter = Splitter::new(b"xyz");
        let (mut events, mut rest, mut sizes) = (Vec::new(), body, sizes.iter().cycle());
        while !rest.is_empty() {
            let (frame, more) = rest.split_at((*sizes.next().unwrap()).clamp(1, rest.len()));
            let mut frame = Bytes::copy_from_slice(frame);
            while !frame.is_empty() {
                splitter.split(&mut frame, &mut events)?;
            }
            rest = more;
        }
        let mut parts: Vec<(String, Vec<u8>)> = Vec::new();
        for event in events {
            match event {
                Event::Headers(block) => {
                    parts.push((String::from_utf8_lossy(&block).into_owned(), Vec::new()))
                }
                Event::Data(piece) => parts.last_mut().unwrap().1.extend_from_slice(&piece),
                Event::EndOfPart => {}
            }
        }
        if splitter.is_complete() {
            Ok(parts)
        } else {
            Err(Malformed::InvalidPayloadStructure)
        }
    }

    fn whole(body: &str) -> Result<Vec<(String, Vec<u8>)>, Malformed> {
        parts(body.as_bytes(), &[usize::MAX])
    }

    #[test]
    fn the_recorded_grammar_is_accepted() {
        let part = |headers: &str, data: &str| (headers.to_owned(), data.as_bytes().to_vec());
        for (body, expected) in [
            ("--xyz--", vec![]),
            (
                "--xyz\r\nA: b\r\n\r\nv\r\n--xyz--\r\n",
                vec![part("A: b", "v")],
            ),
            (
                "preamble--xyz\r\nA: b\r\n\r\n\r\n--xyz--epilogue",
                vec![part("A: b", "")],
            ),
            (
                "--xyz\r\nA: b\r\n\r\n--xyz\r\nv\r\n--xyz--\n--xyz\r\n",
                vec![part("A: b", "--xyz\r\nv")],
            ),
            (
                "--xyz\r\n\r\nv\r\n--xyz\r\n\r\n\r\n--xyz\r\nA: b\r\n\r\nw\r\n--xyz--",
                vec![part("", "v"), part("", ""), part("A: b", "w")],
            ),
            (
                "--xyz \t \r\nA: b\r\n\r\nv\r\n--xyz\t\r\n\r\nw\r\n--xyz--\t",
                vec![part("A: b", "v"), part("", "w")],
            ),
        ] {
            assert_eq!(whole(body), Ok(expected), "{body}");
        }
    }

    #[test]
    fn broken_bodies_are_refused() {
        for body in [
            "junk",
            "--xyz",
            "--xyz\r\n",
            "--xyz\r\nA: b\r\n\r\nv",
            "--xyz\r\nA: b\r\n\r\nv\r\n--xyz\r\n",
            "--xyz foo\r\nA: b\r\n\r\nv\r\n--xyz--",
            "--xyz\r\nA: b\r\n\r\nv\r\n--xyz --",
            "--xyz\r\nA: b\r\n\r\nv\r\n--xyz \n--xyz--",
            "--xyz\r\nA: b\r\n\r\nv\r\n--xyz7\r\n--xyz--",
            "--xyz\nA: b\n\nv\n--xyz--\n",
        ] {
            assert_eq!(
                whole(body),
                Err(Malformed::InvalidPayloadStructure),
                "{body}"
            );
        }
    }

    #[test]
    fn a_header_block_has_a_limit() {
        let body =
            |bytes: usize| format!("--xyz\r\nA: {}\r\n\r\nv\r\n--xyz--", "p".repeat(bytes - 3));
        for sizes in [&[usize::MAX][..], &[1], &[8000, 1, 2]] {
            assert!(parts(body(MAX_HEADERS_BYTES).as_bytes(), sizes).is_ok());
            assert!(parts(body(MAX_HEADERS_BYTES + 1).as_bytes(), sizes).is_err());
        }
    }

    proptest! {
        #[test]
        fn frames_make_no_difference(
            pieces in proptest::collection::vec(
                prop::sample::select(vec!["\r\n--xyz", "--xyz", "\r\n", "--", " ", "A: b", "\r\n\r\n", "v", "\r", "x"]), 0..40),
            sizes in proptest::collection::vec(1..9usize, 1..6),
        ) {
            let body = pieces.concat();
            prop_assert_eq!(parts(body.as_bytes(), &sizes), whole(&body));
        }
    }
}
