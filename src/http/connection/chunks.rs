//! Where a chunked body ends, if it says so plainly (RFC 9112 §7.1): sizes, extensions and line ends as hyper takes them, and
//! no trailers. Data is skipped.

/// How far a chunked body was followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Followed {
    /// All bytes belong to it.
    All,
    /// It ends before this position.
    End(usize),
    /// Trailers, or no chunks at all: where it ends is not known any more.
    Unknown,
}

/// A place in a chunked body.
#[derive(Debug, Default)]
pub struct Chunks {
    next: Next,
    /// Of the chunk; 0 for the last one.
    left_bytes: u64,
}

/// What the next byte is part of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Next {
    #[default]
    FirstDigit,
    Size,
    Space,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    EndCr,
    EndLf,
    Nothing,
}

impl Chunks {
    /// Follows the body through the bytes that come next.
    pub fn follow(&mut self, bytes: &[u8]) -> Followed {
        let mut at = 0;
        while at < bytes.len() {
            if self.next == Next::Data {
                at += self.skip_data(bytes.len() - at);
                continue;
            }
            let Some(next) = self.step(bytes[at]) else {
                return Followed::Unknown;
            };
            (self.next, at) = (next, at + 1);
            if next == Next::Nothing {
                return Followed::End(at);
            }
        }
        Followed::All
    }

    fn skip_data(&mut self, most: usize) -> usize {
        let skipped = usize::try_from(self.left_bytes).map_or(most, |left| left.min(most));
        self.left_bytes -= skipped as u64;
        if self.left_bytes == 0 {
            self.next = Next::DataCr;
        }
        skipped
    }

    fn step(&mut self, byte: u8) -> Option<Next> {
        use Next::{DataCr, DataLf, EndCr, EndLf, Extension, FirstDigit, Size, SizeLf, Space};
        Some(match (self.next, byte) {
            (FirstDigit | Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = u64::from(char::from(byte).to_digit(16)?);
                self.left_bytes = self.left_bytes.checked_mul(16)?.checked_add(digit)?;
                Size
            }
            (Size | Space, b' ' | b'\t') => Space,
            (Size | Space | Extension, b'\r') => SizeLf,
            (Size | Space, b';') => Extension,
            (Extension, byte) if byte != b'\n' => Extension,
            (SizeLf, b'\n') if self.left_bytes == 0 => EndCr,
            (SizeLf, b'\n') => Next::Data,
            (DataCr, b'\r') => DataLf,
            (DataLf, b'\n') => FirstDigit,
            (EndCr, b'\r') => EndLf,
            (EndLf, b'\n') => Next::Nothing,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_found_however_the_bytes_are_cut() {
        for body in [
            "0\r\n\r\n",
            "1\r\na\r\n0\r\n\r\n",
            "00A ;x=\"y\"\r\n0123456789\r\n000;z\r\n\r\n",
            "3\t\r\n\r\n\r\r\n0\r\n\r\n",
        ] {
            let bytes = format!("{body}POST /");
            for cut in 1..=body.len() {
                let mut chunks = Chunks::default();
                let mut end = None;
                for (number, piece) in bytes.as_bytes().chunks(cut).enumerate() {
                    match chunks.follow(piece) {
                        Followed::All => {}
                        Followed::End(at) => {
                            end = Some(number * cut + at);
                            break;
                        }
                        Followed::Unknown => panic!("{body}"),
                    }
                }
                assert_eq!(end, Some(body.len()), "{body:?} by {cut}");
            }
        }
    }

    #[test]
    fn what_is_not_plain_has_no_end() {
        for body in [
            "\r\n",
            " 1\r\na",
            "+1\r\na",
            "1\na",
            "1\r\nab",
            "1;a\nb",
            "1\r\na\n",
            "0\r\nX: y\r\n\r\n",
            "0\r\n\n",
            "0\r\n\rx",
            "10000000000000000\r\n",
        ] {
            assert_eq!(
                Chunks::default().follow(body.as_bytes()),
                Followed::Unknown,
                "{body:?}"
            );
        }
    }
}
