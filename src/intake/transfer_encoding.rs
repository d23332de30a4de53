//! `Content-Transfer-Encoding` of a part: what changes its bytes (RFC 2045, 6).
//!
//! RFC 7578 wants none of it, but curl's `encoder=`, Python's email package and JavaMail write it, and what they label is
//! really encoded. What is not what its label says is kept as it was sent.

/// How the data of a part is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransferEncoding {
    /// `7bit`, `8bit`, `binary`, or nothing said.
    #[default]
    Identity,
    Base64,
    QuotedPrintable,
    Unknown,
}

impl TransferEncoding {
    /// By its name, in any case.
    pub fn named(name: &[u8]) -> Self {
        match name.to_ascii_lowercase().as_slice() {
            b"" | b"7bit" | b"8bit" | b"binary" => Self::Identity,
            b"base64" => Self::Base64,
            b"quoted-printable" => Self::QuotedPrintable,
            _ => Self::Unknown,
        }
    }

    /// What the data is, of at most as many bytes; `None` if it is not in this encoding.
    pub fn decode(self, data: impl Iterator<Item = u8>) -> Option<Vec<u8>> {
        match self {
            Self::Identity => Some(data.collect()),
            Self::Base64 => base64(data),
            Self::QuotedPrintable => quoted_printable(data),
            Self::Unknown => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "binary",
            Self::Base64 => "base64",
            Self::QuotedPrintable => "quoted-printable",
            Self::Unknown => "an unknown transfer encoding",
        }
    }
}

fn base64(data: impl Iterator<Item = u8>) -> Option<Vec<u8>> {
    let (mut decoded, mut bits, mut digits, mut padding) = (Vec::new(), 0_u32, 0_usize, 0_usize);
    for byte in data.filter(|byte| !byte.is_ascii_whitespace()) {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                padding += 1;
                continue;
            }
            _ => return None,
        };
        if padding > 0 {
            return None;
        }
        bits = bits << 6 | u32::from(digit);
        digits += 1;
        if digits % 4 != 1 {
            // 2, 4 and 6 bits are left over behind the second, third and fourth digit: 4, 2 and 0.
            let left_over = [0, 0, 4, 2][digits % 4];
            decoded.push(u8::try_from(bits >> left_over & 0xff).ok()?);
        }
    }
    let is_whole = (digits + padding).is_multiple_of(4) && padding <= 2 && digits % 4 != 1;
    is_whole.then_some(decoded)
}

fn quoted_printable(data: impl Iterator<Item = u8>) -> Option<Vec<u8>> {
    let (mut decoded, mut data) = (Vec::new(), data.peekable());
    while let Some(byte) = data.next() {
        if byte != b'=' {
            decoded.push(byte);
            continue;
        }
        let mut first = data.next()?;
        let is_soft_break = matches!(first, b' ' | b'\t' | b'\r');
        while matches!(first, b' ' | b'\t') {
            first = data.next()?;
        }
        if is_soft_break {
            (first == b'\r' && data.next() == Some(b'\n')).then_some(())?;
            continue;
        }
        let digits = [char::from(first), char::from(data.next()?)];
        let [high, low] = digits.map(|digit| digit.to_digit(16));
        decoded.push(u8::try_from(high? << 4 | low?).ok()?);
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use proptest::prelude::*;

    fn decoded(encoding: TransferEncoding, data: &str) -> Option<String> {
        let decoded = encoding.decode(data.bytes())?;
        Some(String::from_utf8(decoded).unwrap())
    }

    #[test]
    fn names_are_known_in_any_case() {
        for (name, encoding) in [
            ("Binary", TransferEncoding::Identity),
            ("8BIT", TransferEncoding::Identity),
            ("BASE64", TransferEncoding::Base64),
            ("Quoted-Printable", TransferEncoding::QuotedPrintable),
            ("x-uuencode", TransferEncoding::Unknown),
        ] {
            assert_eq!(TransferEncoding::named(name.as_bytes()), encoding, "{name}");
        }
    }

    #[test]
    fn base64_is_decoded_if_it_is_base64() {
        let decoded = |data| decoded(TransferEncoding::Base64, data);
        assert_eq!(decoded("TURN\r\nUA==\r\n").as_deref(), Some("MDMP"));
        assert_eq!(decoded("").as_deref(), Some(""));
        for data in [
            "MDMP!",
            "TURNU",
            "TURNUA",
            "TURNUA=",
            "TU==RN",
            "====",
            "TURNUA===",
            "=",
        ] {
            assert_eq!(decoded(data), None, "{data}");
        }
    }

    #[test]
    fn quoted_printable_is_decoded_if_it_is_quoted_printable() {
        let decoded = |data| decoded(TransferEncoding::QuotedPrintable, data);
        let text = "Na=C3=AFve =3d =\r\nlong = \t\r\nline\r\n";
        assert_eq!(decoded(text).as_deref(), Some("Na\u{ef}ve = long line\r\n"));
        for data in ["a=b", "a=", "a=\n", "a= b", "a=\rb", "a=4"] {
            assert_eq!(decoded(data), None, "{data}");
        }
    }

    proptest! {
        #[test]
        fn what_was_encoded_comes_back(bytes: Vec<u8>) {
            let base64 = base64::engine::general_purpose::STANDARD.encode(&bytes);
            prop_assert_eq!(TransferEncoding::Base64.decode(base64.bytes()), Some(bytes.clone()));
            let quoted: String = bytes.iter().map(|byte| format!("={byte:02X}")).collect();
            prop_assert_eq!(TransferEncoding::QuotedPrintable.decode(quoted.bytes()), Some(bytes));
        }

        #[test]
        fn nothing_grows(bytes: Vec<u8>) {
            for encoding in [TransferEncoding::Base64, TransferEncoding::QuotedPrintable] {
                let decoded = encoding.decode(bytes.iter().copied());
                prop_assert!(decoded.is_none_or(|decoded| decoded.len() <= bytes.len()));
            }
        }
    }
}
