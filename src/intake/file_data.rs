//! Data of a file in a form whose boundary is of Breakpad's make: there a delimiter may lack its line end.
//!
//! Breakpad on macOS writes no line end behind a file, so that the second file's delimiter follows the first one's last
//! byte; Fenix writes none behind the head of a minidump that it cannot read. What is taken for such a delimiter cannot be
//! anything else: the whole boundary, which has 64 bits made for this form, and the beginning of a part's head as both
//! write it, byte for byte.

use bytes::{Buf, Bytes};

use super::scan::Scanner;
use super::split::Event;

/// What both write behind the boundary of every part; Fenix has no quotes around most names.
const BEHIND: &[u8] = b"\r\nContent-Disposition: form-data; name=";
const LINE_END: &[u8] = b"\r\n";

/// What ended the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A delimiter; what follows it is not known yet.
    Delimiter,
    /// One without its line end. The part's head has begun, with this behind the delimiter.
    InHead(&'static [u8]),
}

/// Data on its way. Looks for the boundary once, as for any other form.
pub struct FileData {
    delimiter: Bytes,
    scanner: Scanner,
    /// The end of what was seen, if it may be a delimiter's line end.
    line_end: &'static [u8],
    /// Behind a delimiter without a line end: how much of [`BEHIND`] has come.
    matched_bytes: Option<usize>,
}

impl FileData {
    /// For a boundary as Breakpad on macOS and Windows and Fenix make them: 27 dashes and 16 digits. No other client
    /// leaves the line end out.
    pub fn for_boundary(boundary: &[u8]) -> Option<Self> {
        let (dashes, digits) = boundary.split_at_checked(27)?;
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
        let is_breakpad = dashes.iter().all(|byte| *byte == b'-')
            && digits.len() == 16
            && digits.iter().all(is_digit);
        let delimiter = [b"--", boundary].concat();
        is_breakpad.then(|| Self {
            scanner: Scanner::new(&delimiter),
            delimiter: delimiter.into(),
            line_end: b"",
            matched_bytes: None,
        })
    }

    /// The part came as a file, as Breakpad says that.
    pub fn is_file(head: &[u8]) -> bool {
        memchr::memmem::find(head, b"; filename=\"").is_some()
    }

    /// Adds the frame's data to `events`, up to what ends it.
    pub fn take(&mut self, frame: &mut Bytes, events: &mut Vec<Event>) -> Option<Ended> {
        if let Some(matched_bytes) = self.matched_bytes {
            return self.take_behind(matched_bytes, frame, events);
        }
        let scanned = self.scanner.scan(frame);
        for piece in scanned.before {
            self.pass(piece, events);
        }
        if !scanned.found {
            return None;
        }
        let line_end = std::mem::take(&mut self.line_end);
        if line_end == LINE_END {
            return Some(Ended::Delimiter);
        }
        push(Bytes::from_static(line_end), events);
        self.matched_bytes = Some(0);
        None
    }

    /// Hands data on, but for a line end at its end.
    fn pass(&mut self, piece: Bytes, events: &mut Vec<Event>) {
        if piece.is_empty() {
            return;
        }
        if self.line_end == b"\r" && piece == b"\n"[..] {
            self.line_end = LINE_END;
            return;
        }
        let line_end = match &piece[..] {
            [.., b'\r', b'\n'] => LINE_END,
            [.., b'\r'] => &LINE_END[..1],
            _ => b"",
        };
        push(Bytes::from_static(self.line_end), events);
        push(piece.slice(..piece.len() - line_end.len()), events);
        self.line_end = line_end;
    }

    fn take_behind(
        &mut self,
        had: usize,
        frame: &mut Bytes,
        events: &mut Vec<Event>,
    ) -> Option<Ended> {
        let same = BEHIND[had..].iter().zip(frame.iter());
        let matched_bytes = had + same.take_while(|(wanted, byte)| wanted == byte).count();
        frame.advance(matched_bytes - had);
        self.matched_bytes = Some(matched_bytes);
        if matched_bytes == BEHIND.len() {
            self.matched_bytes = None;
            return Some(Ended::InHead(BEHIND));
        }
        if !frame.is_empty() {
            // Data after all. Its line end may still be that of a delimiter.
            self.matched_bytes = None;
            push(self.delimiter.clone(), events);
            self.pass(Bytes::from_static(&BEHIND[..matched_bytes]), events);
        }
        None
    }
}

fn push(piece: Bytes, events: &mut Vec<Event>) {
    if !piece.is_empty() {
        events.push(Event::Data(piece));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Malformed;
    use crate::intake::split::Splitter;
    use proptest::prelude::*;

    const BREAKPAD: &str = "---------------------------0A1B2C3D4E5F6071";
    const FILE: &str = "Content-Disposition: form-data; name=\"a\"; filename=\"minidump.dmp\"";

    /// The data of the parts of a form with Breakpad's boundary, for which `B` stands.
    fn breakpad(body: &str, boundary: &str, sizes: &[usize]) -> Result<Vec<String>, Malformed> {
        let body = body.replace('B', boundary).replace("FILE", FILE);
        let (mut splitter, mut events) = (Splitter::new(boundary.as_bytes()), Vec::new());
        let (mut rest, mut sizes) = (body.as_bytes(), sizes.iter().cycle());
        while !rest.is_empty() {
            let (frame, more) = rest.split_at((*sizes.next().unwrap()).clamp(1, rest.len()));
            let mut frame = Bytes::copy_from_slice(frame);
            while !frame.is_empty() {
                splitter.split(&mut frame, &mut events)?;
            }
            rest = more;
        }
        if !splitter.is_complete() {
            return Err(Malformed::InvalidPayloadStructure);
        }
        let (mut parts, mut data) = (Vec::new(), Vec::new());
        for event in events {
            match event {
                Event::Headers(_) => data.clear(),
                Event::Data(piece) => data.extend_from_slice(&piece),
                Event::EndOfPart => {
                    parts.push(String::from_utf8_lossy(&data).replace(boundary, "B"))
                }
            }
        }
        Ok(parts)
    }

    #[test]
    fn breakpad_leaves_out_the_line_end_behind_a_file() {
        let param = "--B\r\nContent-Disposition: form-data; name=\"p\"\r\n\r\nv\r\n";
        for (rest, expected) in [
            (
                "--B\r\nFILE\r\n\r\none--B\r\nFILE\r\n\r\ntwo\r\n--B--",
                vec!["one", "two"],
            ),
            (
                "--B\r\nFILE\r\n\r\n--B\r\nFILE\r\n\r\n\r\n--B--",
                vec!["", ""],
            ),
            (
                "--B\r\nFILE\r\n\r\n\r--B\r\nFILE\r\n\r\n\n--B\r\nFILE\r\n\r\n-\r\n--B--",
                vec!["\r", "\n", "-"],
            ),
            (
                "--B\r\nFILE\r\n\r\none\r\n--B\r\nFILE\r\n\r\ntwo\r\n--B--",
                vec!["one", "two"],
            ),
            (
                "--B\r\nFILE\r\n\r\n--B\r\nContent-Disposition: form-data; name=a\r\n\r\nw\r\n--B--",
                vec!["", "w"],
            ),
            // Not as Breakpad writes a part: data.
            (
                "--B\r\nFILE\r\n\r\none--B\r\nContent-Type: a\r\n--B--",
                vec!["one--B\r\nContent-Type: a"],
            ),
            ("--B\r\nFILE\r\n\r\none--B\r\n--B--", vec!["one--B"]),
            ("--B\r\nFILE\r\n\r\none--B\r\r\n--B--", vec!["one--B\r"]),
            (
                "--B\r\nFILE\r\n\r\n--B--B--B--\r\n--B--",
                vec!["--B--B--B--"],
            ),
        ] {
            let body = format!("{param}{rest}\r\n");
            let expected = [vec!["v"], expected].concat();
            let length = body.replace('B', BREAKPAD).replace("FILE", FILE).len();
            for cut in 1..=length {
                for sizes in [&[cut, usize::MAX][..], &[cut]] {
                    let expected = expected.iter().map(ToString::to_string).collect();
                    assert_eq!(
                        breakpad(&body, BREAKPAD, sizes),
                        Ok(expected),
                        "{body:?} {sizes:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn nobody_else_may_leave_it_out() {
        let two = "--B\r\nFILE\r\n\r\none--B\r\nFILE\r\n\r\ntwo\r\n--B--";
        let all_in_one = Ok(vec![format!("one--B\r\n{FILE}\r\n\r\ntwo")]);
        for boundary in [
            "xyz",
            &BREAKPAD[1..],
            &BREAKPAD.to_lowercase(),
            &format!("{BREAKPAD}0"),
        ] {
            assert_eq!(
                breakpad(two, boundary, &[usize::MAX]),
                all_in_one,
                "{boundary}"
            );
        }
        let of_text = "--B\r\nA: b\r\n\r\none--B\r\nFILE\r\n\r\ntwo\r\n--B--";
        assert_eq!(breakpad(of_text, BREAKPAD, &[usize::MAX]), all_in_one);
    }

    proptest! {
        #[test]
        fn frames_make_no_difference_to_breakpads_files(
            pieces in proptest::collection::vec(
                prop::sample::select(vec![
                    "\r\n--B", "--B", "\r\n", "--", "\r\nFILE\r\n\r\n", "\r\nContent-", "v", "\r", "\n",
                ]),
                0..30,
            ),
            sizes in proptest::collection::vec(1..60usize, 1..6),
        ) {
            let body = format!("--B\r\nFILE\r\n\r\n{}\r\n--B--", pieces.concat());
            prop_assert_eq!(
                breakpad(&body, BREAKPAD, &sizes),
                breakpad(&body, BREAKPAD, &[usize::MAX])
            );
        }
    }
}
