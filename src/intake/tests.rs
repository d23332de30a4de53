//! Intake as a whole: what must hold for any body, however it arrives.

use std::collections::VecDeque;
use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;

use super::{
    Encodings, ExtraEncodings, Failed, Head, Heavy, Limits, Malformed, Submission, Upload, Weight,
    parse,
};
use crate::crash::Payload;

const LIMITS: Limits = Limits {
    inflated_bytes: 1 << 20,
    parts: 50,
    dumps: 10,
    annotations: 40,
    annotation_bytes: 5000,
    annotations_bytes: 10_000,
    extra_encodings: ExtraEncodings::ALL,
    takes_no_annotations: false,
    takes_bare_dumps: false,
};
const TYPE: &[u8] = b"multipart/form-data; boundary=xyz";

/// A body that is here already, and so much memory.
struct Sent {
    frames: VecDeque<Bytes>,
    memory_bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OutOfMemory;

impl Stream for Sent {
    type Item = Result<Bytes, OutOfMemory>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.frames.pop_front().map(Ok))
    }
}

impl Upload for Sent {
    type Error = OutOfMemory;

    fn hold(&mut self, bytes: u64) -> Result<(), OutOfMemory> {
        if bytes > self.memory_bytes {
            Err(OutOfMemory)
        } else {
            Ok(())
        }
    }
}

fn read(head: Head, mut body: Sent) -> Result<Submission, Failed<OutOfMemory>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let heavy = Heavy::default();
    let mut submission = runtime
        .unwrap()
        .block_on(parse(head, &mut body, &LIMITS, &heavy))?;
    // It depends on how the body was cut.
    submission.weight = Weight {
        all_bytes: 0,
        dumps_bytes: 0,
    };
    Ok(submission)
}

pub(super) fn parsed_in_frames(
    body: &[u8],
    encoding: Option<&str>,
    sizes: &[usize],
) -> Result<Submission, Failed<OutOfMemory>> {
    let mut sizes = sizes.iter().cycle();
    let (mut frames, mut rest) = (VecDeque::new(), body);
    while !rest.is_empty() {
        let (frame, more) = rest.split_at((*sizes.next().unwrap()).clamp(1, rest.len()));
        frames.push_back(Bytes::copy_from_slice(frame));
        rest = more;
    }
    let head = Head {
        content_type: Some(TYPE),
        encodings: Encodings::of(encoding.map(str::as_bytes).into_iter()),
        content_length_bytes: Some(body.len() as u64),
        is_chunked: false,
        query: None,
    };
    let memory_bytes = u64::MAX;
    read(
        head,
        Sent {
            frames,
            memory_bytes,
        },
    )
}

pub(super) fn parsed(body: &[u8]) -> Result<Submission, Failed<OutOfMemory>> {
    parsed_in_frames(body, None, &[usize::MAX])
}

pub(super) fn part(headers: &str, data: &[u8]) -> Vec<u8> {
    [b"--xyz\r\n", headers.as_bytes(), b"\r\n\r\n", data, b"\r\n"].concat()
}

pub(super) fn text(name: &str, value: &str) -> Vec<u8> {
    part(
        &format!("Content-Disposition: form-data; name=\"{name}\""),
        value.as_bytes(),
    )
}

pub(super) fn dump(name: &str, bytes: &[u8]) -> Vec<u8> {
    let disposition =
        format!("Content-Disposition: form-data; name=\"{name}\"; filename=\"x.dmp\"");
    part(
        &format!("{disposition}\r\nContent-Type: application/octet-stream"),
        bytes,
    )
}

pub(super) fn json(value: &str) -> Vec<u8> {
    part(
        "Content-Disposition: form-data; name=\"extra\"\r\nContent-Type: application/json",
        value.as_bytes(),
    )
}

pub(super) fn body(parts: &[Vec<u8>]) -> Vec<u8> {
    [parts.concat(), b"--xyz--\r\n".to_vec()].concat()
}

pub(super) fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_form_becomes_a_submission() {
    let body = body(&[
        text("ProductName", "Firefox"),
        dump("upload_file_minidump", b"MDMP\r\n--x"),
        text("A", ""),
    ]);
    let submission = parsed(&body).unwrap();
    assert_eq!(
        submission.annotations.text("ProductName").as_deref(),
        Some("Firefox")
    );
    assert_eq!(submission.annotations.text("A").as_deref(), Some(""));
    assert_eq!(submission.dumps[0].frames.concat(), b"MDMP\r\n--x");
    assert_eq!(
        (submission.payload, submission.payload_bytes),
        (Payload::Multipart, body.len() as u64)
    );
    assert!(submission.notes.is_empty() && submission.encoding.is_none());
}

#[test]
fn json_replaces_what_came_before_it() {
    let submission = parsed(&body(&[
        text("Before", "1"),
        json("{\"A\": 1}"),
        text("After", "2"),
    ]))
    .unwrap();
    let names: Vec<_> = submission
        .annotations
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["A", "After"]);
    assert_eq!(
        submission.notes,
        ["includes annotations in both json-encoded extra and formdata parts"]
    );
    assert_eq!(submission.payload, Payload::Json);
}

#[test]
fn limits_have_reasons() {
    let many = |count: usize| {
        (0..count)
            .map(|n| text(&format!("k{n}"), "v"))
            .collect::<Vec<_>>()
    };
    let reason = |parts: &[Vec<u8>]| parsed(&body(parts)).unwrap_err();
    assert_eq!(
        reason(&many(41)),
        Failed::Malformed(Malformed::TooManyAnnotations)
    );
    assert_eq!(
        reason(&vec![dump("d", b"x"); 51]),
        Failed::Malformed(Malformed::TooManyParts)
    );
    let large = json(&format!("{{\"a\": \"{}\"}}", "x".repeat(10_000)));
    assert_eq!(
        reason(&[large]),
        Failed::Malformed(Malformed::AnnotationsTooLarge)
    );
    let noted = parsed(&body(&[text("A", "1"), text("B", &"x".repeat(5001))])).unwrap();
    assert_eq!(
        noted.notes,
        ["extract payload text part exception: body part is too large"]
    );
}

#[test]
fn a_text_that_is_left_out_does_not_count_however_it_arrives() {
    let large = || text("B", &"x".repeat(5001));
    let body = body(&[
        text("A", "1"),
        large(),
        large(),
        text("C", &"y".repeat(4000)),
    ]);
    let whole = parsed(&body).unwrap();
    assert_eq!((whole.annotations.len(), whole.notes.len()), (2, 2));
    for frame_bytes in [1, 100, 4999] {
        assert_eq!(
            parsed_in_frames(&body, None, &[frame_bytes]).as_ref(),
            Ok(&whole)
        );
    }
}

#[test]
fn what_follows_the_member_that_ends_the_form_is_passed_over_however_it_arrives() {
    let form = gzipped(&body(&[text("A", "1"), dump("d", b"MDMP")]));
    let no_member = [0x1f, 0x8b, 0xff, 0xff, 0xff];
    let bytes = [&form[..], &no_member].concat();
    for frame_bytes in [usize::MAX, form.len(), 1] {
        let submission = parsed_in_frames(&bytes, Some("gzip"), &[frame_bytes]).unwrap();
        assert_eq!(
            submission.dumps[0].frames.concat(),
            b"MDMP",
            "{frame_bytes}"
        );
    }
}

#[test]
fn a_bomb_ends_at_the_limit() {
    let bomb = gzipped(&body(&[text("A", "1"), dump("d", &vec![0; 2 << 20])]));
    assert_eq!(
        parsed_in_frames(&bomb, Some("gzip"), &[4096]),
        Err(Failed::TooLarge)
    );
}

#[test]
fn damaged_gzip_is_the_better_reason() {
    let mut broken_form = gzipped(b"junk that is no form");
    assert_eq!(
        parsed_in_frames(&broken_form, Some("gzip"), &[3]),
        Err(Failed::Malformed(Malformed::InvalidPayloadStructure))
    );
    broken_form.pop();
    assert_eq!(
        parsed_in_frames(&broken_form, Some("gzip"), &[3]),
        Err(Failed::Malformed(Malformed::BadGzip))
    );
}

#[test]
fn memory_that_is_refused_ends_the_matter() {
    let body = body(&[text("A", "1"), dump("d", &[0; 1000])]);
    let head = Head {
        content_type: Some(TYPE),
        content_length_bytes: Some(1),
        ..Head::default()
    };
    for memory_bytes in [100, 33_000, 33_500] {
        let sent = Sent {
            frames: [Bytes::from(body.clone())].into(),
            memory_bytes,
        };
        assert_eq!(read(head, sent), Err(Failed::Body(OutOfMemory)));
    }
}

#[test]
fn dumps_beyond_the_limit_are_left_out_with_a_note() {
    let parts = (0..12).map(|n| dump(&format!("d{n}"), b"x"));
    let parts = [vec![text("A", "1")], parts.collect()].concat();
    let submission = parsed(&body(&parts)).unwrap();
    assert_eq!(submission.dumps.len(), LIMITS.dumps);
    assert_eq!(submission.notes, ["2 dumps beyond the first 10 left out"]);
}
