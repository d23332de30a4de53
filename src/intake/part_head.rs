//! The header block of one part: its name, its type, whether it came as a file.

use super::Malformed;
use super::content_type::HeaderValue;
use super::scan::find_short;
use super::text::{self, UnknownText};

/// What the header block of a part says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PartHead {
    /// `None` or empty: the part is passed over.
    pub name: Option<String>,
    /// As sent; `text/plain` where nothing was sent.
    pub content_type: String,
    filename: Option<Vec<u8>>,
    extended_filename: Option<Vec<u8>>,
}

const DEFAULT_CONTENT_TYPE: &str = "text/plain";

impl PartHead {
    /// Reads the block: lines of `Name: value`, the separator being exactly colon and blank; other lines are passed over.
    ///
    /// # Errors
    /// `InvalidPayloadStructure`: bytes that are no text in a header that matters, or an encoded part (nobody sends those
    /// and a dump decoded by guess would be a lost dump).
    pub fn parse(block: &[u8]) -> Result<Self, Malformed> {
        let mut head = Self {
            content_type: DEFAULT_CONTENT_TYPE.to_owned(),
            ..Self::default()
        };
        for line in lines(block) {
            let Some(at) = find_short(line, b": ") else {
                continue;
            };
            head.take(&line[..at], &line[at + 2..])?;
        }
        Ok(head)
    }

    fn take(&mut self, name: &[u8], value: &[u8]) -> Result<(), Malformed> {
        if name.eq_ignore_ascii_case(b"content-disposition") {
            let header = HeaderValue::parse(value);
            self.name = header.lenient_parameter("name").map(utf8).transpose()?;
            self.filename = header.lenient_parameter("filename");
            self.extended_filename = header.lenient_parameter("filename*");
        } else if name.eq_ignore_ascii_case(b"content-type") {
            self.content_type = utf8(value.to_vec())?;
        } else if name.eq_ignore_ascii_case(b"content-transfer-encoding") && value != b"binary" {
            return Err(Malformed::InvalidPayloadStructure);
        }
        Ok(())
    }

    /// The part came as a file: it has a file name that is not empty. `filename*` (RFC 5987) goes before `filename`.
    ///
    /// # Errors
    /// `InvalidPayloadStructure`: a `filename*` whose text cannot be decoded.
    pub fn is_file(&self) -> Result<bool, Malformed> {
        if let Some((charset, encoded)) = self.extended_filename.as_deref().and_then(split_extended)
        {
            let decoded = text::decode(&charset, percent_decoded(encoded));
            return match decoded {
                Ok(name) => Ok(!name.is_empty()),
                Err(UnknownText) => Err(Malformed::InvalidPayloadStructure),
            };
        }
        Ok(self.filename.as_ref().is_some_and(|name| !name.is_empty()))
    }

    /// The `charset` of a text part; UTF-8 where nothing was sent.
    pub fn charset(&self) -> String {
        if !self.content_type.contains(';') {
            return "utf-8".to_owned();
        }
        let header = HeaderValue::parse(self.content_type.as_bytes());
        let charset = header.lenient_parameter("charset");
        charset.map_or_else(
            || "utf-8".to_owned(),
            |charset| String::from_utf8_lossy(&charset).into_owned(),
        )
    }
}

/// Lines end with CR LF; a bare line feed belongs to the line.
fn lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(block);
    std::iter::from_fn(move || {
        let text = rest?;
        let at = find_short(text, b"\r\n");
        rest = at.map(|at| &text[at + 2..]);
        Some(at.map_or(text, |at| &text[..at]))
    })
}

fn utf8(bytes: Vec<u8>) -> Result<String, Malformed> {
    String::from_utf8(bytes).map_err(|_| Malformed::InvalidPayloadStructure)
}

/// `charset'language'text`; a value of another form is no extended one.
fn split_extended(value: &[u8]) -> Option<(String, &[u8])> {
    let mut pieces = value.splitn(3, |byte| *byte == b'\'');
    let (charset, _language, text) = (pieces.next()?, pieces.next()?, pieces.next()?);
    (!charset.is_empty() && !text.is_empty())
        .then(|| (String::from_utf8_lossy(charset).into_owned(), text))
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let hex = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let (mut decoded, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some((first, behind)) = rest.split_first() {
        let escape = match behind {
            [high, low, ..] if *first == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        decoded.push(escape.map_or(*first, |(high, low)| high << 4 | low));
        rest = if escape.is_some() {
            &behind[2..]
        } else {
            behind
        };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(disposition: &str) -> Option<String> {
        PartHead::parse(format!("Content-Disposition: {disposition}").as_bytes())
            .unwrap()
            .name
    }

    #[test]
    fn names_are_read_as_clients_write_them() {
        for (disposition, name) in [
            ("form-data; name=\"a\"", Some("a")),
            ("form-data; name=a", Some("a")),
            ("form-data; NAME=\"a\"", Some("a")),
            ("form-data; name = \"a\"", Some("a")),
            (" form-data; name=\"a;b\"", Some("a;b")),
            ("form-data; name=\"a\\\"b\"", Some("a\"b")),
            ("form-data; name=\"open", Some("\"open")),
            ("; name=\"a\"", Some("a")),
            ("form-data; name=\"\u{1f98a}\"", Some("\u{1f98a}")),
            (
                "form-data; filename=\"C:\\tmp\\x.dmp\"; name=\"d\"",
                Some("d"),
            ),
            ("form-data", None),
        ] {
            assert_eq!(named(disposition).as_deref(), name, "{disposition}");
        }
    }

    #[test]
    fn the_separator_is_colon_and_blank() {
        for block in [
            "Content-Disposition:form-data; name=\"a\"",
            "Content-Disposition:\tform-data; name=\"a\"",
        ] {
            assert_eq!(
                PartHead::parse(block.as_bytes()).unwrap().name,
                None,
                "{block}"
            );
        }
        assert_eq!(
            PartHead::parse(b"Content-Disposition: x; name=a\nContent-Type: b/c")
                .unwrap()
                .content_type,
            "text/plain"
        );
        assert_eq!(
            PartHead::parse(b"\r\nv\r\ncontent-disposition: x; name=a")
                .unwrap()
                .name
                .as_deref(),
            Some("a")
        );
    }

    #[test]
    fn encoded_parts_and_broken_names_are_refused() {
        for block in [
            &b"Content-Transfer-Encoding: 8bit"[..],
            b"Content-Disposition: x; name=\"d\xff\"",
        ] {
            assert_eq!(
                PartHead::parse(block),
                Err(Malformed::InvalidPayloadStructure)
            );
        }
        assert!(PartHead::parse(b"content-transfer-encoding: binary").is_ok());
    }

    #[test]
    fn a_file_has_a_file_name() {
        let is_file = |parameters: &str| {
            PartHead::parse(
                format!("Content-Disposition: form-data; name=a; {parameters}").as_bytes(),
            )
            .unwrap()
            .is_file()
        };
        assert_eq!(is_file("filename=\"x.dmp\""), Ok(true));
        assert_eq!(is_file("filename=\"\""), Ok(false));
        assert_eq!(is_file("x=y"), Ok(false));
        assert_eq!(is_file("filename*=UTF-8''a%20b.dmp"), Ok(true));
        assert_eq!(is_file("filename*=nonsense; filename=x"), Ok(true));
        assert_eq!(
            is_file("filename*=nope''n.txt"),
            Err(Malformed::InvalidPayloadStructure)
        );
        assert_eq!(
            is_file("filename*=utf-8''%ff"),
            Err(Malformed::InvalidPayloadStructure)
        );
    }
}
