//! What must hold for any body: however it is cut, wherever it ends, whatever it is.

use proptest::prelude::*;

use super::tests::{OutOfMemory, body, dump, gzipped, json, parsed, parsed_in_frames, part, text};
use super::{Failed, Submission};

/// Forms as clients write them, with awkward values.
fn forms() -> impl Strategy<Value = Vec<u8>> {
    let value = prop::sample::select(vec![
        "", "a", "\r\n", "\r\n--", "--xyz", "\r\n--xy", "-", "\u{e9}", "\r",
    ]);
    let piece = (0..4usize, value, "[a-z]{1,3}").prop_map(|(kind, value, name)| match kind {
        0 => text(&name, value),
        1 => dump(&name, value.as_bytes()),
        2 => json(&format!("{{\"{name}\": 1}}")),
        _ => part("X-Other: y", value.as_bytes()),
    });
    proptest::collection::vec(piece, 0..6)
        .prop_map(|parts| body(&[vec![text("A", "1")], parts].concat()))
}

/// The same with the pieces of dumps put together: how they were cut is no part of what was sent.
fn joined(
    result: Result<Submission, Failed<OutOfMemory>>,
) -> Result<Submission, Failed<OutOfMemory>> {
    result.map(|mut submission| {
        for dump in &mut submission.dumps {
            dump.frames = vec![dump.frames.concat().into()];
        }
        submission
    })
}

proptest! {
    #[test]
    fn any_split_into_frames_gives_the_same_submission(
        body in forms(), sizes in proptest::collection::vec(1..40usize, 1..5),
    ) {
        let whole = joined(parsed(&body));
        prop_assert!(whole.is_ok());
        prop_assert_eq!(&joined(parsed_in_frames(&body, None, &sizes)), &whole);
        let compressed = gzipped(&body);
        let inflated = joined(parsed_in_frames(&compressed, Some("gzip"), &sizes)).unwrap();
        let whole = whole.unwrap();
        prop_assert_eq!(inflated.annotations, whole.annotations);
        prop_assert_eq!(inflated.dumps, whole.dumps);
    }

    #[test]
    fn any_truncation_is_malformed(body in forms(), cut in any::<prop::sample::Index>()) {
        // The line end behind the last boundary may be missing.
        let body = &body[..body.len() - 2];
        let cut = &body[..cut.index(body.len())];
        prop_assert!(matches!(parsed(cut), Err(Failed::Malformed(_))));
        let compressed = gzipped(body);
        let cut = &compressed[..cut.len().min(compressed.len() - 1)];
        prop_assert!(matches!(parsed_in_frames(cut, Some("gzip"), &[7]), Err(Failed::Malformed(_))));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, encoding in prop::option::of("gzip|br"), sizes in proptest::collection::vec(1..9usize, 1..4)) {
        let _ = parsed_in_frames(&bytes, encoding.as_deref(), &sizes);
        let _ = parsed_in_frames(&[b"--xyz\r\n", &bytes[..]].concat(), encoding.as_deref(), &sizes);
        let _ = parsed_in_frames(&gzipped(&[b"--xyz\r\n", &bytes[..]].concat()), Some("gzip"), &sizes);
    }
}
