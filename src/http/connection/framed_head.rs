//! Where a head begins and ends, and how it says where its body ends.

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Length(u64),
    Chunked,
    /// In more than one way, or in none.
    Odd,
}

impl Framing {
    pub fn is_chunked(self) -> bool {
        self == Self::Chunked
    }
}

/// As hyper reads it, where it is plain.
pub fn framing(headers: &[httparse::Header<'_>]) -> Framing {
    let mut framing = None;
    for header in headers {
        let this = if header.name.eq_ignore_ascii_case("content-length") {
            decimal(header.value).map_or(Framing::Odd, Framing::Length)
        } else if !header.name.eq_ignore_ascii_case("transfer-encoding") {
            continue;
        } else if header.value.eq_ignore_ascii_case(b"chunked") && framing.is_none() {
            Framing::Chunked
        } else {
            Framing::Odd
        };
        if framing.is_some_and(|framing| framing != this) {
            return Framing::Odd;
        }
        framing = Some(this);
    }
    framing.unwrap_or(Framing::Length(0))
}

/// Digits and nothing else.
fn decimal(value: &[u8]) -> Option<u64> {
    let is_plain = value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value)
        .ok()
        .filter(|_| is_plain)?
        .parse()
        .ok()
}

/// The length of the line ends that may stand before a request (RFC 9112 §2.2).
pub fn empty_lines(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some(behind) = rest
        .strip_prefix(b"\r\n")
        .or_else(|| rest.strip_prefix(b"\n"))
    {
        rest = behind;
    }
    bytes.len() - rest.len()
}

/// The end of the empty line that ends a head. hyper takes bare line feeds, too.
pub fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    memchr::memchr_iter(b'\n', &bytes[from..]).find_map(|at| {
        let behind = from + at + 1;
        match bytes[behind..] {
            [b'\n', ..] => Some(behind + 1),
            [b'\r', b'\n', ..] => Some(behind + 2),
            _ => None,
        }
    })
}
