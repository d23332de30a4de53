//! Requests that are unusual and right: each as some client or library sends it, with what must become of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::SETTINGS;
use crate::support::canonical_json::parse;
use crate::support::collector::TestCollector;
use crate::support::crash::gzip;
use crate::support::stored::{objects_below, objects_of};
use crate::support::wire::Response;

/// What is stored of a report: its raw crash, and its dumps by name.
pub struct Kept {
    pub raw_crash: Value,
    pub dumps: BTreeMap<String, Vec<u8>>,
}

impl Kept {
    pub fn notes(&self) -> Vec<&str> {
        let notes = self.raw_crash["metadata"]["collector_notes"].as_array();
        notes
            .expect("notes")
            .iter()
            .filter_map(Value::as_str)
            .collect()
    }

    pub fn dump(&self, name: &str) -> &[u8] {
        let found = self.dumps.get(name);
        found.unwrap_or_else(|| panic!("no {name} among {:?}", self.dumps.keys()))
    }

    /// Nothing but this dump, and nothing to remark.
    fn has_only(&self, name: &str, bytes: &[u8]) {
        assert_eq!(self.dump(name), bytes);
        assert_eq!((self.dumps.len(), self.notes()), (1, Vec::new()));
    }
}

/// Sends a body with these lines of its head, `Content-Type` among them.
pub fn post(collector: &TestCollector, target: &str, lines: &[&str], body: &[u8]) -> Response {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{lines}Content-Length: {}\r\n\r\n",
        body.len()
    );
    collector.send([head.as_bytes(), body].concat())
}

pub fn kept(collector: &TestCollector, answer: &Response) -> Kept {
    let id = answer
        .crash_id()
        .unwrap_or_else(|| panic!("not kept: {answer:?}"));
    let stored = objects_of(&objects_below(&collector.crashes()), &id);
    let mut kept = Kept {
        raw_crash: Value::Null,
        dumps: BTreeMap::new(),
    };
    for (path, bytes) in stored {
        match path.split('/').nth(1) {
            Some("raw_crash") => kept.raw_crash = parse(&bytes).expect("JSON"),
            Some("dump_names") | None => {}
            Some(name) => drop(kept.dumps.insert(name.to_owned(), bytes)),
        }
    }
    kept
}

const BOUNDARY: &str = "b0undary";

/// A form of parts, each a head and its data, with one annotation before them.
fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let product = (
        "Content-Disposition: form-data; name=\"ProductName\"",
        &b"Editor"[..],
    );
    let mut body = Vec::new();
    for (head, data) in [&[product], parts].concat() {
        let head = head.replace('\n', "\r\n");
        body.extend(format!("--{BOUNDARY}\r\n{head}\r\n\r\n").as_bytes());
        body.extend(data);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

pub fn kept_form(parts: &[(&str, &[u8])]) -> Kept {
    kept_body(&form(parts), &[])
}

fn kept_body(body: &[u8], lines: &[&str]) -> Kept {
    let collector = TestCollector::start(&SETTINGS);
    let content_type = format!("Content-Type: multipart/form-data; boundary={BOUNDARY}");
    let answer = post(
        &collector,
        "/submit",
        &[&[&*content_type], lines].concat(),
        body,
    );
    let kept = kept(&collector, &answer);
    assert_eq!(kept.raw_crash["ProductName"], "Editor");
    collector.stop();
    kept
}

pub const DUMP: &str = "Content-Disposition: form-data; name=\"upload_file_minidump\"; filename=\"e.dmp\"\n\
                    Content-Type: application/octet-stream";

#[test]
fn a_head_may_be_folded() {
    let head = "Content-Disposition: form-data;\n\tname=\"upload_file_minidump\";\n\tfilename=\"e.dmp\"\n\
                Content-Type:application/octet-stream";
    kept_form(&[(head, b"MDMP 1")]).has_only("upload_file_minidump", b"MDMP 1");
}

#[test]
fn transfer_encodings_that_change_nothing_are_taken() {
    for encoding in ["8bit", "7BIT", "Binary "] {
        let head = format!("{DUMP}\nContent-Transfer-Encoding:  {encoding}");
        kept_form(&[(&head, b"MDMP 2")]).has_only("upload_file_minidump", b"MDMP 2");
    }
}

#[test]
fn spaces_may_follow_a_delimiter() {
    let body = String::from_utf8(form(&[(DUMP, b"MDMP 3")])).expect("text");
    let body = body.replace(
        &format!("--{BOUNDARY}\r\n"),
        &format!("--{BOUNDARY} \t\r\n"),
    );
    kept_body(body.as_bytes(), &[]).has_only("upload_file_minidump", b"MDMP 3");
}

#[test]
fn a_name_may_come_in_extended_form() {
    let head = "Content-Disposition: form-data; name*=utf-8''Gr%C3%B6%C3%9Fe";
    let kept = kept_form(&[(head, b"10")]);
    assert_eq!(kept.raw_crash["Gr\u{f6}\u{df}e"], "10");
    assert!(kept.notes().is_empty());
}

#[test]
fn a_boundary_loses_the_spaces_at_its_end() {
    let collector = TestCollector::start(&SETTINGS);
    let body = form(&[(DUMP, b"MDMP 4")]);
    for end in [" ", "\t", &" ".repeat(80)] {
        let content_type =
            format!("Content-Type: multipart/form-data; boundary=\"{BOUNDARY}{end}\"");
        let answer = post(&collector, "/submit", &[&content_type], &body);
        kept(&collector, &answer).has_only("upload_file_minidump", b"MDMP 4");
    }
    collector.stop();
}

#[test]
fn octet_streams_with_parameters_are_remarked_as_by_the_original() {
    let kept = kept_form(&[(&format!("{DUMP}; v=1"), b"MDMP 5")]);
    let note = "unknown content type: upload_file_minidump application/octet-stream; v=1";
    assert_eq!(kept.notes(), [note]);
}

/// bgzip and other writers of blocks make thousands of members.
#[test]
fn any_number_of_gzip_members_is_one_body() {
    let body = form(&[(DUMP, &[b"MDMP 6".repeat(1000), vec![0; 5000]].concat())]);
    let members: Vec<u8> = body.chunks(9).flat_map(|piece| gzip(piece, 6)).collect();
    let kept = kept_body(&members, &["Content-Encoding: gzip"]);
    assert_eq!(kept.dump("upload_file_minidump").len(), 11_000);
}

/// Fenix writes no line end behind the head of a minidump that it cannot read.
#[test]
fn fenix_sends_a_dump_without_anything() {
    let boundary = "---------------------------0F1E2D3C4B5A6978";
    let part = "Content-Disposition: form-data; name=";
    let body = format!(
        "--{boundary}\r\n{part}ProductName\r\n\r\nFenix\r\n\
         --{boundary}\r\n{part}\"upload_file_minidump\"; filename=\"0.dmp\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n\
         --{boundary}\r\n{part}CrashType\r\n\r\nfatal native crash\r\n\r\n--{boundary}--\r\n"
    );
    let collector = TestCollector::start(&[
        SETTINGS[0],
        SETTINGS[1],
        ("BREAKPAD_THROTTLER_PRODUCT_PACKAGENAMES", "all"),
    ]);
    let content_type = format!("Content-Type: multipart/form-data; boundary={boundary}");
    let lines = [&*content_type, "Content-Encoding: gzip"];
    let answer = post(
        &collector,
        "/submit?id=a&version=97.1",
        &lines,
        &gzip(body.as_bytes(), 6),
    );
    let kept = kept(&collector, &answer);
    kept.has_only("upload_file_minidump", b"");
    assert_eq!(kept.raw_crash["CrashType"], "fatal native crash\r\n");
    collector.stop();
}

/// curl's `encoder=`, Python's email package.
#[test]
fn transfer_encodings_that_change_something_are_undone() {
    let encoded = |encoding: &str| format!("{DUMP}\nContent-Transfer-Encoding: {encoding}");
    for (encoding, data, dump) in [
        ("base64", &b"TURNUCA5\r\n"[..], &b"MDMP 9"[..]),
        ("Quoted-Printable", b"MDMP=20=\r\n9", b"MDMP 9"),
        ("base64", b"MDMP as it is", b"MDMP as it is"),
        ("x-own", b"MDMP as it is", b"MDMP as it is"),
    ] {
        let kept = kept_form(&[(&encoded(encoding), data)]);
        assert_eq!(kept.dump("upload_file_minidump"), dump);
        assert_eq!(kept.notes().len(), 1, "{:?}", kept.notes());
    }
}

#[test]
fn what_is_left_out_is_remarked() {
    let kept = kept_form(&[
        ("Content-Type: text/plain", b"v"),
        ("", b"w"),
        (DUMP, b"MDMP"),
    ]);
    let notes = [
        "part 2 has no name: left out",
        "part 3 has no name: left out",
    ];
    assert_eq!(kept.notes(), notes);
}

#[test]
fn content_encoding_is_a_list() {
    let body = form(&[(DUMP, b"MDMP 10")]);
    let once = gzip(&body, 6);
    let twice = gzip(&once, 6);
    for (lines, body) in [
        (&["Content-Encoding: identity, gzip"][..], &once),
        (&["Content-Encoding: gzip,"], &once),
        (
            &["Content-Encoding: gzip", "Content-Encoding: identity"],
            &once,
        ),
        (&["Content-Encoding: gzip, gzip"], &twice),
        (&["Content-Encoding: gzip", "Content-Encoding: gzip"], &once),
        // A proxy has decoded it and left the header.
        (&["Content-Encoding: gzip"], &body),
    ] {
        let kept = kept_body(body, lines);
        kept.has_only("upload_file_minidump", b"MDMP 10");
        let is_compressed = body != &form(&[(DUMP, b"MDMP 10")]);
        let told = if is_compressed { "1" } else { "0" };
        assert_eq!(
            kept.raw_crash["metadata"]["payload_compressed"], told,
            "{lines:?}"
        );
    }
}

#[test]
fn the_collectors_own_names_are_not_lost_to_clients() {
    let head = |name: &str| format!("Content-Disposition: form-data; name=\"{name}\"");
    let kept = kept_form(&[(&head("version"), b"1.2"), (&head("metadata"), b"m")]);
    assert_eq!(kept.raw_crash["client_version"], "1.2");
    assert_eq!(kept.raw_crash["client_metadata"], "m");
    assert_eq!(
        (kept.raw_crash["version"].clone(), kept.notes().len()),
        (2.into(), 2)
    );
}
