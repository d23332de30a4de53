//! A second opinion: on well-formed bodies our splitter and a general multipart library agree about every part.
//!
//! They differ where the record does: the library refuses text right before the first delimiter or behind the last one,
//! folded and missing part headers, and boundaries with quotes; all of these the original takes.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use multer::{Constraints, Multipart, SizeLimit};
use proptest::prelude::*;

use super::part_head::PartHead;
use super::split::{Event, Splitter};

const BOUNDARY: &str = "----boundary-7";

/// A part: its name and its data.
type Part = (String, Vec<u8>);

fn ours(frames: &[Bytes]) -> Vec<Part> {
    let (mut splitter, mut events, mut parts) = (
        Splitter::new(BOUNDARY.as_bytes()),
        Vec::new(),
        Vec::<Part>::new(),
    );
    for frame in frames {
        let mut frame = frame.clone();
        while !frame.is_empty() {
            splitter.split(&mut frame, &mut events).unwrap();
        }
    }
    assert!(splitter.is_complete());
    for event in events {
        match event {
            Event::Headers(block) => {
                parts.push((PartHead::parse(&block).name.unwrap(), Vec::new()))
            }
            Event::Data(piece) => parts.last_mut().unwrap().1.extend_from_slice(&piece),
            Event::EndOfPart => {}
        }
    }
    parts
}

async fn theirs(frames: &[Bytes]) -> Vec<Part> {
    let stream = stream::iter(
        frames
            .iter()
            .cloned()
            .map(Ok::<_, Infallible>)
            .collect::<Vec<_>>(),
    );
    let constraints = Constraints::new().size_limit(SizeLimit::new());
    let mut multipart = Multipart::with_constraints(stream, BOUNDARY, constraints);
    let mut parts = Vec::new();
    while let Some(field) = multipart.next_field().await.unwrap() {
        let name = field.name().unwrap().to_owned();
        parts.push((name, field.bytes().await.unwrap().to_vec()));
    }
    parts
}

fn body(parts: &[Part]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, data) in parts {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(data);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// Data that is full of almost-delimiters.
fn data() -> impl Strategy<Value = Vec<u8>> {
    let almost = vec![
        "\r\n",
        "\r\n--",
        "--",
        BOUNDARY,
        "\r\n----bound",
        "\r",
        "\n",
        "-",
        "x",
        "\u{0}",
    ];
    let piece = prop::sample::select(almost).prop_map(|text| text.as_bytes().to_vec());
    proptest::collection::vec(piece, 0..12)
        .prop_map(|pieces| pieces.concat())
        .prop_filter("no delimiter", |data| {
            let delimiter = format!("\r\n--{BOUNDARY}");
            let framed = [b"\r\n", data.as_slice(), b"\r\n"].concat();
            memchr::memmem::find(&framed, delimiter.as_bytes()).is_none()
        })
}

proptest! {
    #[test]
    fn both_find_the_same_parts(
        parts in proptest::collection::vec(("[a-zA-Z_]{1,8}", data()), 0..6),
        sizes in proptest::collection::vec(1..60usize, 1..5),
    ) {
        let body = body(&parts);
        let (mut frames, mut rest, mut sizes) = (Vec::new(), body.as_slice(), sizes.into_iter().cycle());
        while !rest.is_empty() {
            let (frame, more) = rest.split_at(sizes.next().unwrap().min(rest.len()));
            frames.push(Bytes::copy_from_slice(frame));
            rest = more;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        prop_assert_eq!(&ours(&frames), &parts);
        prop_assert_eq!(runtime.block_on(theirs(&frames)), parts);
    }
}
