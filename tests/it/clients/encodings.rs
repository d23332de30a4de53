//! Encodings besides gzip, as Python's packages write them, and what goes wrong with them.

use std::process::{Command, Stdio};

use super::SETTINGS;
use crate::support::collector::TestCollector;
use crate::support::crash::Crash;
use crate::support::stored::{objects_below, objects_of};
use crate::support::wire::Response;

const TYPE: &str = "multipart/form-data; boundary=01659896d5dc42cabd7f3d8a3dcdd3bb";
const ON: (&str, &str) = ("BREAKPAD_EXTRA_ENCODINGS", "deflate, br,zstd");
/// The name in `Content-Encoding`, and how tests/it/clients/encode.py is told to write it.
const ENCODINGS: [(&str, &str); 8] = [
    ("deflate", "deflate"),
    ("deflate", "deflate-raw"),
    ("br", "br"),
    ("BR", "br-16m"),
    ("zstd", "zstd"),
    ("zstd", "zstd-19"),
    ("zstd", "zstd-streamed"),
    ("zstd", "zstd-frames"),
];

fn encoded(how: &str, body: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let input = folder.path().join("body");
    std::fs::write(&input, body).expect("a writable folder");
    let python = concat!(env!("CARGO_MANIFEST_DIR"), "/target/venv/bin/python");
    let output = Command::new(python)
        .args(["tests/it/clients/encode.py", how])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(std::fs::File::open(&input).expect("just written"))
        .stderr(Stdio::inherit())
        .output()
        .expect("Python; see tests/run.sh");
    assert!(output.status.success(), "{how}");
    output.stdout
}

fn form(dump: &[u8]) -> Vec<u8> {
    let crash = Crash::default().annotation("ProductName", "Firefox");
    crash.dump("upload_file_minidump", dump).body()
}

fn post(collector: &TestCollector, encoding: &str, body: &[u8]) -> Response {
    let head = format!(
        "POST /submit HTTP/1.1\r\nHost: a\r\nContent-Type: {TYPE}\r\nContent-Encoding: {encoding}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    collector.send([head.as_bytes(), body].concat())
}

/// Neither quickly made small nor without repetitions.
fn dump_bytes(length: usize) -> Vec<u8> {
    let mut number = 1_u32;
    let mut next = || {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (number >> 24) as u8
    };
    let bytes = std::iter::from_fn(|| Some(next()));
    bytes
        .flat_map(|byte| std::iter::repeat_n(byte, 1 + usize::from(byte % 7)))
        .take(length)
        .collect()
}

#[test]
fn reports_in_every_extra_encoding_are_kept_as_they_were() {
    let collector = TestCollector::start(&[&SETTINGS[..], &[ON]].concat());
    let dump = dump_bytes(3_000_000);
    for (encoding, how) in ENCODINGS {
        let body = encoded(how, &form(&dump));
        let answer = post(&collector, encoding, &body);
        let id = answer.crash_id();
        let id = id.unwrap_or_else(|| panic!("{how}: {answer:?}"));
        let stored = objects_of(&objects_below(&collector.crashes()), &id);
        let of_kind = |kind: &str| {
            let found = stored.iter().find(|(path, _)| path.contains(kind));
            found.unwrap_or_else(|| panic!("{how}: no {kind}")).1
        };
        assert!(of_kind("/upload_file_minidump/") == &dump, "{how}");
        let raw_crash: serde_json::Value =
            serde_json::from_slice(of_kind("/raw_crash/")).expect("JSON");
        assert_eq!(raw_crash["metadata"]["payload_compressed"], "1", "{how}");
        assert_eq!(raw_crash["metadata"]["payload_size"], body.len(), "{how}");
    }
    collector.stop();
}

#[test]
fn what_does_not_decode_is_malformed() {
    let collector = TestCollector::start(&[&SETTINGS[..], &[ON]].concat());
    let form = form(&dump_bytes(100_000));
    for (encoding, how) in ENCODINGS {
        let body = encoded(how, &form);
        let (mut damaged, mut longer) = (body.clone(), body.clone());
        damaged[..20].fill(0xa5);
        longer.extend([0; 3000]);
        // Where the first byte tells it, a form is taken for one that a proxy has decoded.
        let plain = if encoding == "zstd" { &damaged } else { &form };
        for broken in [&body[..body.len() - 1], &body[..1], &damaged, plain] {
            let answer = post(&collector, encoding, broken);
            assert_eq!(answer.status, 400, "{how}: {answer:?}");
            assert_eq!(answer.text(), "Discarded=malformed_bad_encoding", "{how}");
        }
        assert_eq!(post(&collector, encoding, &longer).status, 200, "{how}");
    }
    let too_wide = encoded("zstd-16m", &vec![0; 20 << 20]);
    let answer = post(&collector, "zstd", &too_wide);
    assert_eq!(answer.text(), "Discarded=malformed_bad_encoding");
    collector.stop();
}

#[test]
fn bombs_are_refused() {
    let limit = ("BREAKPAD_MAX_INFLATED_BYTES", "8388608");
    let collector = TestCollector::start(&[&SETTINGS[..], &[ON, limit]].concat());
    for (how, bytes) in [("fits", 8_000_000), ("bomb", 64 << 20)] {
        let form = form(&vec![0; bytes]);
        for (encoding, encoder) in ENCODINGS.into_iter().chain([("zstd", "zstd-8m")]) {
            let answer = post(&collector, encoding, &encoded(encoder, &form));
            let expected = if how == "fits" { 200 } else { 413 };
            assert_eq!(answer.status, expected, "{how} {encoder}: {answer:?}");
        }
    }
    collector.stop();
}

/// A decoder's window counts.
#[test]
fn without_memory_for_the_window_a_report_is_refused() {
    let memory = ("BREAKPAD_MAX_IN_FLIGHT_BYTES", "12000000");
    let payload = ("BREAKPAD_MAX_PAYLOAD_BYTES", "1000000");
    let inflated = ("BREAKPAD_MAX_INFLATED_BYTES", "2000000");
    let annotation = ("BREAKPAD_MAX_ANNOTATION_BYTES", "100000");
    let annotations = ("BREAKPAD_MAX_ANNOTATIONS_BYTES", "200000");
    let small = [ON, memory, payload, inflated, annotation, annotations];
    let collector = TestCollector::start(&[&SETTINGS[..], &small].concat());
    let form = form(b"MDMP");
    for (encoding, how, status) in [
        ("br", "br-16m", 503),
        ("zstd", "zstd-8m", 503),
        ("br", "br", 200),
        ("zstd", "zstd", 200),
        ("deflate", "deflate", 200),
    ] {
        let answer = post(&collector, encoding, &encoded(how, &form));
        assert_eq!(answer.status, status, "{how}: {answer:?}");
    }
    collector.stop();
}

#[test]
fn switched_off_they_are_passed_over() {
    let collector = TestCollector::start(&[&SETTINGS[..], &[(ON.0, "zstd")]].concat());
    let form = form(b"MDMP");
    for encoding in ["deflate", "br", "identity"] {
        assert_eq!(post(&collector, encoding, &form).status, 200, "{encoding}");
    }
    for how in ["deflate", "br"] {
        let answer = post(&collector, how, &encoded(how, &form));
        assert_eq!(
            answer.text(),
            "Discarded=malformed_invalid_payload_structure"
        );
    }
    collector.stop();
}
