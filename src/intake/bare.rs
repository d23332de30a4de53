//! A body that is no form but the minidump itself, with the annotations in the query: what a line of curl sends.

use super::header_field::{FieldValue, percent_decoded};
use super::split::Event;

/// The types that such bodies have.
const TYPES: [&[u8]; 2] = [b"application/octet-stream", b"application/x-dmp"];
const HEAD: &[u8] = b"Content-Disposition: form-data; name=upload_file_minidump; filename=x\r\n\
                      Content-Type: application/octet-stream";

/// Whether a body of this type is a minidump.
pub fn is_bare(content_type: Option<&[u8]>) -> bool {
    let value = content_type.map(|content_type| FieldValue::parse(content_type).value);
    value.is_some_and(|value| TYPES.iter().any(|known| value.eq_ignore_ascii_case(known)))
}

/// What a form with the same content has before the data of its minidump: an annotation for each pair of the query.
pub fn events_before(query: &str) -> Vec<Event> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut events: Vec<Event> = pairs.flat_map(annotation).collect();
    events.push(Event::Headers(HEAD.to_vec()));
    events
}

fn annotation(pair: &str) -> Vec<Event> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let decoded = |text: &str| percent_decoded(text.replace('+', " ").as_bytes());
    let mut head = "Content-Disposition: form-data; name*=utf-8''".to_owned();
    for byte in decoded(name) {
        head.push_str(&format!("%{byte:02x}"));
    }
    let mut events = vec![Event::Headers(head.into_bytes())];
    let value = decoded(value);
    if !value.is_empty() {
        events.push(Event::Data(value.into()));
    }
    events.push(Event::EndOfPart);
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::part_head::PartHead;

    #[test]
    fn bare_dumps_are_known_by_their_type() {
        for content_type in ["application/octet-stream", "Application/X-DMP; v=1"] {
            assert!(is_bare(Some(content_type.as_bytes())), "{content_type}");
        }
        assert!(!is_bare(Some(b"multipart/form-data; boundary=x")));
        assert!(!is_bare(None));
    }

    #[test]
    fn the_query_is_annotations() {
        let events = events_before("ProductName=My+App%21&&empty=&a%20;b=%C3%A9&flag");
        let mut read = Vec::new();
        for event in events {
            match event {
                Event::Headers(block) => {
                    read.push((PartHead::parse(&block).name.unwrap(), String::new()))
                }
                Event::Data(data) => {
                    read.last_mut().unwrap().1 = String::from_utf8_lossy(&data).into()
                }
                Event::EndOfPart => {}
            }
        }
        let expected = [
            ("ProductName", "My App!"),
            ("empty", ""),
            ("a ;b", "\u{e9}"),
            ("flag", ""),
            ("upload_file_minidump", ""),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(read, expected);
    }
}
