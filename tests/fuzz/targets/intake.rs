//! `intake::parse` on any body: it neither panics nor exceeds its limits, nothing is alive that was not asked for, and how a
//! body is cut makes no difference.
//!
//! Input: flags, memory, seed of the cuts, padding (one byte each), a line with the Content-Type, a line with the
//! Content-Encoding, the body.
#![no_main]

use std::io::Write;

use antenna_fuzz::crash::Dump;
use antenna_fuzz::cuts::cut;
use antenna_fuzz::intake::{Encodings, ExtraEncodings, Failed, Head, Limits, Submission, Weight};
use antenna_fuzz::meter::{Trouble, read};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ruzstd::encoding::CompressionLevel;

/// Small enough that bodies of a few KiB reach each of them.
const LIMITS: Limits = Limits {
    inflated_bytes: 256 * 1024,
    parts: 50,
    dumps: 20,
    annotations: 40,
    annotation_bytes: 2000,
    annotations_bytes: 10_000,
    extra_encodings: ExtraEncodings::ALL,
    takes_no_annotations: false,
    takes_bare_dumps: true,
};

/// What the flags say, bit by bit.
struct Flags {
    is_encoded_here: bool,
    has_two_members: bool,
    has_junk_behind: bool,
    is_padded: bool,
    is_chunked: bool,
    has_no_length: bool,
    has_no_type: bool,
    has_little_memory: bool,
}

impl Flags {
    fn of(byte: u8) -> Self {
        let bit = |n: u8| byte >> n & 1 == 1;
        Self {
            is_encoded_here: bit(0),
            has_two_members: bit(1),
            has_junk_behind: bit(2),
            is_padded: bit(3),
            is_chunked: bit(4),
            has_no_length: bit(5),
            has_no_type: bit(6),
            has_little_memory: bit(7),
        }
    }
}

type Parsed = Result<Submission, Failed<Trouble>>;

fuzz_target!(|data: &[u8]| {
    let [flags, memory, seed, padding, rest @ ..] = data else {
        return;
    };
    let (content_type, rest) = line(rest);
    let (encoding, body) = line(rest);
    let flags = Flags::of(*flags);
    let mut plain = body.to_vec();
    if flags.is_padded {
        plain.resize(plain.len() + usize::from(*padding) * 2048, 0);
    }
    let wire = match flags.is_encoded_here {
        true => encoded(encoding, &plain, &flags, *seed),
        false => plain.clone(),
    };
    let head = Head {
        content_type: (!flags.has_no_type).then_some(content_type),
        encodings: Encodings::of(std::iter::once(encoding)),
        content_length_bytes: (!flags.has_no_length).then_some(wire.len() as u64),
        is_chunked: flags.is_chunked,
        query: Some("a=b&%41"),
    };
    let memory_bytes = match flags.has_little_memory {
        true => u64::from(*memory) * 64,
        false => u64::MAX,
    };
    let pieces = |wire: &[u8]| cut(wire, *seed).into_iter().map(Ok).collect();
    let whole = read(head, &LIMITS, vec![Ok(Bytes::copy_from_slice(&wire))], u64::MAX);
    assert_same(&whole, &read(head, &LIMITS, pieces(&wire), u64::MAX));
    if let Ok(submission) = &whole {
        assert_within_limits(submission);
        let is_encoded_once = flags.is_encoded_here && !encoding.contains(&b',');
        let is_plain = head.encodings == Encodings::default() || is_encoded_once;
        let is_decoded = submission.notes.iter().any(|note| note.contains(": decoded from"));
        if is_plain && !flags.has_two_members && !is_decoded {
            assert_dumps_are_of(submission, &plain);
        }
    }
    let is_bomb = plain.len() as u64 > LIMITS.inflated_bytes;
    // Of two members the second does not count where the first holds a whole form.
    let is_known = matches!(encoding, b"gzip" | b"deflate" | b"zstd");
    if flags.is_encoded_here && is_known && is_bomb && !flags.has_two_members {
        assert!(whole.is_err(), "a bomb was taken");
    }
    match read(head, &LIMITS, pieces(&wire), memory_bytes) {
        Err(Failed::Body(Trouble::OutOfMemory)) => assert!(flags.has_little_memory),
        other => assert_same(&whole, &other),
    }
    assert!(
        broken_off(head, &wire, *seed).is_err(),
        "a broken body was taken"
    );
});

fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}

/// The fuzzer cannot make checksums, so they are made here: gzip, unless another encoding is named. Brotli has none.
fn encoded(encoding: &[u8], plain: &[u8], flags: &Flags, seed: u8) -> Vec<u8> {
    let level = flate2::Compression::fast();
    let member = |bytes: &[u8]| match encoding {
        b"zstd" => ruzstd::encoding::compress_to_vec(bytes, CompressionLevel::Fastest),
        b"deflate" if seed.is_multiple_of(2) => {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
            encoder.write_all(bytes).expect("memory");
            encoder.finish().expect("memory")
        }
        b"deflate" => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(bytes).expect("memory");
            encoder.finish().expect("memory")
        }
        _ => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
            encoder.write_all(bytes).expect("memory");
            encoder.finish().expect("memory")
        }
    };
    let mut wire = if flags.has_two_members {
        let (first, second) = plain.split_at(plain.len() * usize::from(seed) / 256);
        [member(first), member(second)].concat()
    } else {
        member(plain)
    };
    if flags.has_junk_behind {
        wire.extend([0x1f, seed, 0x08, 0x00, 0xff]);
    }
    wire
}

/// The same body from a client that hangs up before its end.
fn broken_off(head: Head, wire: &[u8], seed: u8) -> Parsed {
    let mut frames: Vec<_> = cut(wire, seed).into_iter().map(Ok).collect();
    frames.pop();
    frames.push(Err(Trouble::Broken));
    read(head, &LIMITS, frames, u64::MAX)
}

fn assert_same(one: &Parsed, other: &Parsed) {
    match (one, other) {
        (Ok(one), Ok(other)) => assert_eq!(joined(one), joined(other)),
        _ => assert_eq!(one, other),
    }
}

/// How a dump was cut is no part of what was sent.
fn joined(submission: &Submission) -> Submission {
    let mut submission = submission.clone();
    for dump in &mut submission.dumps {
        dump.frames = vec![dump.frames.concat().into()];
    }
    submission.weight = Weight {
        all_bytes: 0,
        dumps_bytes: 0,
    };
    submission
}

fn assert_within_limits(submission: &Submission) {
    assert!(!submission.annotations.is_empty());
    assert!(submission.annotations.len() <= LIMITS.annotations);
    assert!(submission.dumps.len() <= LIMITS.dumps);
    let names: std::collections::BTreeSet<_> =
        submission.dumps.iter().map(|dump| &dump.name).collect();
    assert_eq!(names.len(), submission.dumps.len(), "two dumps of one name");
}

/// Every dump is one piece of the body, whole, and its hash is right.
fn assert_dumps_are_of(submission: &Submission, plain: &[u8]) {
    for dump in &submission.dumps {
        let bytes = dump.frames.concat();
        assert!(
            memchr::memmem::find(plain, &bytes).is_some(),
            "not in the body"
        );
        assert_eq!(dump.length_bytes, bytes.len() as u64);
        assert_eq!(
            dump.sha256,
            Dump::whole(dump.name.clone(), bytes.into()).sha256
        );
    }
}
