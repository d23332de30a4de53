//! What the head of one part says: its name, its type, whether it came as a file.

use super::header_field::{FieldValue, fields};
use super::transfer_encoding::TransferEncoding;

/// What the head of a part says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PartHead {
    /// `None` or empty: the part is left out. What is not UTF-8 in it is U+FFFD.
    pub name: Option<String>,
    /// It has a name that is not UTF-8.
    pub has_odd_name: bool,
    /// As sent; `text/plain` where nothing was sent.
    pub content_type: String,
    /// It has a file name that is not empty.
    pub is_file: bool,
    pub transfer_encoding: TransferEncoding,
}

const DEFAULT_CONTENT_TYPE: &str = "text/plain";

impl PartHead {
    /// Reads a head. The last of several fields of one name counts, as in the original.
    pub fn parse(block: &[u8]) -> Self {
        let mut head = Self {
            content_type: DEFAULT_CONTENT_TYPE.to_owned(),
            ..Self::default()
        };
        for (name, value) in fields(block) {
            if name.eq_ignore_ascii_case(b"content-disposition") {
                let value = FieldValue::parse(&value);
                let (name, is_odd) = name_in(&value);
                (head.name, head.has_odd_name) = (name, is_odd);
                head.is_file = has_file_name(&value);
            } else if name.eq_ignore_ascii_case(b"content-type") {
                head.content_type = text(&value);
            } else if name.eq_ignore_ascii_case(b"content-transfer-encoding") {
                head.transfer_encoding = TransferEncoding::named(&value);
            }
        }
        head
    }

    /// The type begins with this, in any case (RFC 2045, 5.1). What follows does not matter, as in the original.
    pub fn is_type(&self, known: &str) -> bool {
        let found = self.content_type.get(..known.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(known))
    }

    /// The `charset` of a text part; UTF-8 where nothing was sent.
    pub fn charset(&self) -> String {
        let value = FieldValue::parse(self.content_type.as_bytes());
        let charset = value.parameter("charset");
        charset.map_or_else(|| "utf-8".to_owned(), |charset| text(&charset))
    }
}

/// `name*` goes before `name`, which is for receivers that do not know it (RFC 5987, 4.2).
fn name_in(disposition: &FieldValue) -> (Option<String>, bool) {
    if let Some(name) = disposition.extended("name").and_then(|name| name.text) {
        return (Some(name), false);
    }
    match disposition.parameter("name").map(String::from_utf8) {
        None => (None, false),
        Some(Ok(name)) => (Some(name), false),
        Some(Err(error)) => (Some(text(error.as_bytes())), true),
    }
}

/// A `filename*` in an unknown charset is a file name all the same: only its text is unknown, and nobody needs that.
fn has_file_name(disposition: &FieldValue) -> bool {
    let extended = disposition.extended("filename");
    extended.is_some_and(|name| !name.is_empty)
        || disposition
            .parameter("filename")
            .is_some_and(|name| !name.is_empty())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(disposition: &str) -> Option<String> {
        PartHead::parse(format!("Content-Disposition: {disposition}").as_bytes()).name
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
            ("form-data; name=log(1)", Some("log(1)")),
            ("form-data; name=log (1)", Some("log")),
            ("form-data; name=log; x=(((", Some("log")),
            (
                "form-data; name=\"log (1)\" (the last; one)",
                Some("log (1)"),
            ),
            ("form-data (a \\) (nested)); (another) name=a", Some("a")),
            ("form-data; size 5\"; name=a", Some("a")),
            ("form-data; size=5\"; name=a", Some("a")),
            ("form-data; name*=utf-8''Na%C3%AFve", Some("Na\u{ef}ve")),
            ("form-data; name*=iso-8859-1'en'Na%EFve", Some("Na\u{ef}ve")),
            ("form-data; name*=nope''x; name=a", Some("a")),
            ("form-data; name*=x; name=a", Some("a")),
            ("form-data; name*=utf-8''b; name=a", Some("b")),
            ("form-data; name*1=b; name*0=a; name*3=d", Some("ab")),
            (
                "form-data; name*1*=%AFv%65; name*2=\"%65\"; name*0*=utf-8''Na%C3",
                Some("Na\u{ef}ve%65"),
            ),
            ("form-data; name*00=a; name=b", Some("a")),
        ] {
            assert_eq!(named(disposition).as_deref(), name, "{disposition}");
        }
    }

    #[test]
    fn a_name_that_is_not_utf_8_is_a_name() {
        let head =
            PartHead::parse(b"Content-Disposition: x; name=\"d\xff\"\r\nContent-Type: a/\xff");
        assert_eq!(head.name.as_deref(), Some("d\u{fffd}"));
        assert_eq!(head.content_type, "a/\u{fffd}");
    }

    #[test]
    fn a_bare_line_feed_ends_no_line() {
        let head = PartHead::parse(b"Content-Disposition: x; name=a\nContent-Type: b/c");
        assert_eq!(head.content_type, "text/plain");
    }

    #[test]
    fn a_file_has_a_file_name() {
        for (parameters, is_file) in [
            ("filename=\"x.dmp\"", true),
            ("filename=\"\"", false),
            ("x=y", false),
            ("filename*=UTF-8''a%20b.dmp", true),
            ("filename*=\"UTF-8''a%20b.dmp\"", true),
            ("filename*=UTF-8''; filename=\"\"", false),
            ("filename*=nonsense; filename=x", true),
            ("filename*=nonsense", false),
            ("filename*=nope''n.txt", true),
            ("filename*=utf-8''%ff", true),
            ("filename*0=\"\"; filename*1=\"x.dmp\"", true),
        ] {
            let block = format!("Content-Disposition: form-data; name=a; {parameters}");
            let head = PartHead::parse(block.as_bytes());
            assert_eq!(head.is_file, is_file, "{parameters}");
        }
    }
}
