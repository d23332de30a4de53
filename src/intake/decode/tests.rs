//! What must hold for each encoding. The encoded forms were made by others (tests/data/encodings).

use bytes::Bytes;
use proptest::prelude::*;

use super::{Encoding, Hint, Next, Undecodable, decoder};

macro_rules! encoded {
    ($how:literal) => {
        include_bytes!(concat!("../../../tests/data/encodings/form", $how)).as_slice()
    };
}

const FORM: &[u8] = encoded!("");
const ENCODED: [(Encoding, &[u8]); 8] = [
    (Encoding::Gzip, encoded!(".gzip")),
    (Encoding::Deflate, encoded!(".deflate")),
    (Encoding::Deflate, encoded!(".deflate-raw")),
    (Encoding::Brotli, encoded!(".br")),
    (Encoding::Brotli, encoded!(".br-16m")),
    (Encoding::Zstd, encoded!(".zstd")),
    (Encoding::Zstd, encoded!(".zstd-streamed")),
    (Encoding::Zstd, encoded!(".zstd-frames")),
];

/// What a body holds, and how much memory was asked for.
fn decoded_with_memory(
    encoding: Encoding,
    body: &[u8],
    sizes: &[usize],
) -> Result<(Vec<u8>, u64), Undecodable> {
    let (mut decoder, mut output, mut memory_bytes) = (decoder(encoding), Vec::<Bytes>::new(), 0);
    let (mut rest, mut sizes) = (body, sizes.iter().cycle());
    let mut is_end = false;
    while !is_end {
        is_end = rest.is_empty();
        let (mut frame, more) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
        rest = more;
        loop {
            let hint = Hint {
                wants_more: true,
                is_end,
            };
            let step = decoder.decode(frame, hint)?;
            frame = &frame[step.done_bytes..];
            match step.next {
                Next::Memory => memory_bytes += decoder.memory_bytes(),
                Next::Output(piece) => output.push(piece),
                Next::Input if frame.is_empty() => break,
                Next::Input => {}
            }
        }
    }
    output.push(decoder.finish().ok_or(Undecodable)?);
    Ok((output.concat(), memory_bytes))
}

fn decoded(encoding: Encoding, body: &[u8], sizes: &[usize]) -> Result<Vec<u8>, Undecodable> {
    decoded_with_memory(encoding, body, sizes).map(|(bytes, _)| bytes)
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::fast();
    let mut encoder = flate2::bufread::GzEncoder::new(bytes, level);
    let mut body = Vec::new();
    std::io::Read::read_to_end(&mut encoder, &mut body).unwrap();
    body
}

fn zstandard(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

#[test]
fn what_real_encoders_write_is_decoded_at_every_cut() {
    for (encoding, body) in ENCODED {
        for cut in 1..=body.len() {
            let sizes = [cut, usize::MAX];
            assert_eq!(
                decoded(encoding, body, &sizes).as_deref(),
                Ok(FORM),
                "{encoding:?} {cut}"
            );
        }
        assert_eq!(
            decoded(encoding, body, &[1]).as_deref(),
            Ok(FORM),
            "{encoding:?}"
        );
    }
}

#[test]
fn every_truncation_is_noticed() {
    for (encoding, body) in ENCODED {
        for cut in 0..body.len() {
            let result = decoded(encoding, &body[..cut], &[usize::MAX]);
            // Behind the first of two frames and what may be skipped, a body may end.
            if result != Err(Undecodable) {
                assert!(body == encoded!(".zstd-frames"), "{encoding:?} {cut}");
                assert_eq!(result.as_deref(), Ok(&FORM[..FORM.len() / 2]));
            }
        }
    }
}

#[test]
fn what_follows_is_passed_over() {
    for (encoding, body) in ENCODED {
        for behind in [&[0; 5000][..], b"x", b"\x28\xb5\x2f", b"\x1f\x8b\x08"] {
            if encoding == Encoding::Gzip && behind[0] == 0x1f {
                // The beginning of a member.
                continue;
            }
            let body = [body, behind].concat();
            assert_eq!(
                decoded(encoding, &body, &[7]).as_deref(),
                Ok(FORM),
                "{encoding:?}"
            );
        }
    }
}

#[test]
fn wrong_checksums_and_lengths_are_noticed() {
    for how in [encoded!(".zstd"), encoded!(".zstd-streamed")] {
        let mut body = how.to_vec();
        *body.last_mut().unwrap() ^= 1;
        assert_eq!(decoded(Encoding::Zstd, &body, &[9]), Err(Undecodable));
    }
    let mut other_length = encoded!(".zstd").to_vec();
    other_length[5] ^= 1;
    assert_eq!(
        decoded(Encoding::Zstd, &other_length, &[9]),
        Err(Undecodable)
    );
    let mut zlib = encoded!(".deflate").to_vec();
    *zlib.last_mut().unwrap() ^= 1;
    assert_eq!(decoded(Encoding::Deflate, &zlib, &[9]), Err(Undecodable));
    let mut gzip = encoded!(".gzip").to_vec();
    *gzip.last_mut().unwrap() ^= 1;
    assert_eq!(decoded(Encoding::Gzip, &gzip, &[9]), Err(Undecodable));
}

#[test]
fn memory_is_asked_for_before_it_is_taken() {
    let memory = |encoding, body: &[u8]| decoded_with_memory(encoding, body, &[9]).unwrap().1;
    assert_eq!(memory(Encoding::Deflate, encoded!(".deflate")), 0);
    assert_eq!(
        memory(Encoding::Brotli, encoded!(".br-16m")),
        (16 << 20) + (4 << 20)
    );
    let window = 1 << 21;
    assert_eq!(
        memory(Encoding::Zstd, encoded!(".zstd-streamed")),
        window + window / 2 + (2 << 20)
    );
}

#[test]
fn a_window_above_8_mib_is_refused() {
    let head = |descriptor: u8| [0x28, 0xb5, 0x2f, 0xfd, 0, descriptor, 1, 0, 0];
    assert_eq!(decoded(Encoding::Zstd, &head(13 << 3), &[3]), Ok(vec![]));
    for descriptor in [13 << 3 | 1, 14 << 3, 31 << 3 | 7] {
        assert_eq!(
            decoded(Encoding::Zstd, &head(descriptor), &[3]),
            Err(Undecodable)
        );
    }
    // One segment: the window is the content, here 8 MiB and a byte.
    let single = [0x28, 0xb5, 0x2f, 0xfd, 0xa0, 1, 0, 0x80, 0, 1, 0, 0];
    assert_eq!(decoded(Encoding::Zstd, &single, &[3]), Err(Undecodable));
    // Brotli's windows of more than 16 MiB are no part of its RFC.
    assert_eq!(
        decoded(Encoding::Brotli, &[0x11, 0x1e, 0, 0], &[3]),
        Err(Undecodable)
    );
}

#[test]
fn long_bodies_come_in_bounded_pieces() {
    let bytes = vec![b'a'; 3 << 20];
    let encoded = [
        (Encoding::Gzip, gzipped(&bytes)),
        (Encoding::Zstd, zstandard(&bytes)),
    ];
    for (encoding, body) in encoded {
        let mut decoder = decoder(encoding);
        let (mut rest, mut total_bytes) = (&body[..], 0);
        while total_bytes < bytes.len() {
            let hint = Hint {
                wants_more: true,
                is_end: false,
            };
            let input = &rest[..rest.len().min(64)];
            let step = decoder.decode(input, hint).unwrap();
            rest = &rest[step.done_bytes..];
            if let Next::Output(piece) = step.next {
                assert!(
                    piece.len() <= 64 * 1024,
                    "{encoding:?}: {} at once",
                    piece.len()
                );
                total_bytes += piece.len();
            }
        }
        assert_eq!(total_bytes, bytes.len());
    }
}

/// As tapes and block devices pad them, and as writers of blocks make them: bgzip, pzstd.
#[test]
fn a_body_has_any_number_of_members_and_frames() {
    let bytes: Vec<u8> = (0..=255).cycle().take(5000).collect();
    for (encoding, encode, padding) in [
        (Encoding::Gzip, gzipped as fn(&[u8]) -> Vec<u8>, &[0; 9][..]),
        (Encoding::Zstd, zstandard, b"\x50\x2a\x4d\x18\x01\0\0\0x"),
    ] {
        for padding in [b"", padding] {
            let pieces = bytes
                .chunks(9)
                .map(|piece| [&encode(piece), padding].concat());
            let body = pieces.collect::<Vec<_>>().concat();
            assert_eq!(decoded(encoding, &body, &[7]).as_deref(), Ok(&*bytes));
        }
    }
}

/// Encoded forms with one byte changed.
fn damaged() -> impl Strategy<Value = (Encoding, Vec<u8>)> {
    let place = any::<prop::sample::Index>();
    let change = (prop::sample::select(ENCODED.to_vec()), place, any::<u8>());
    change.prop_map(|((encoding, body), place, change)| {
        let mut body = body.to_vec();
        let at = place.index(body.len());
        body[at] ^= change;
        (encoding, body)
    })
}

proptest! {
    #[test]
    fn damaged_bodies_are_the_same_at_every_cut(
        (encoding, body) in damaged(), sizes in proptest::collection::vec(1..40usize, 1..5),
    ) {
        let whole = decoded(encoding, &body, &[usize::MAX]);
        prop_assert_eq!(decoded(encoding, &body, &sizes), whole);
    }

    #[test]
    fn members_and_frames_one_behind_the_other_are_one_body(
        bytes: Vec<u8>, place in any::<prop::sample::Index>(), sizes in proptest::collection::vec(1..40usize, 1..5),
    ) {
        let (first, second) = bytes.split_at(place.index(bytes.len() + 1));
        for (encoding, encode) in [(Encoding::Gzip, gzipped as fn(&[u8]) -> Vec<u8>), (Encoding::Zstd, zstandard)] {
            let body = [encode(first), encode(second)].concat();
            prop_assert_eq!(decoded(encoding, &body, &sizes), Ok(bytes.clone()));
        }
    }
}
