//! `antenna submit` against a collector that takes reports: what is stored is what was sent, in every form.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::{antenna, antenna_with_input, url};
use crate::support::canonical_json;
use crate::support::collector::TestCollector;
use crate::support::stored::{Objects, objects_below, objects_of};

const ID: &str = "de1bb258-cbbf-4589-a673-34f800160918";
/// What the collector adds.
const OWN: [&str; 4] = ["metadata", "submitted_timestamp", "uuid", "version"];

/// The one object of a report whose path has these words.
fn object<'a>(objects: &'a Objects, words: &str) -> &'a [u8] {
    let mut found = objects.iter().filter(|(path, _)| path.contains(words));
    let (_, content) = found
        .next()
        .unwrap_or_else(|| panic!("{words}: {objects:?}"));
    assert!(found.next().is_none(), "{words}: {objects:?}");
    content
}

/// Submits, and reads back what was stored under the id that was printed.
fn stored(collector: &TestCollector, args: &[&str]) -> Objects {
    let url = url(collector);
    let printed = antenna(&[], &[&["submit", &url], args].concat()).fine();
    let id = printed
        .strip_prefix("bp-")
        .and_then(|it| it.strip_suffix('\n'));
    let id = id.unwrap_or_else(|| panic!("no id and nothing else: {printed}"));
    objects_of(&objects_below(&collector.crashes()), id)
}

/// The raw crash's annotations and its metadata; the bytes must be the stored form of the document.
fn raw_crash(objects: &Objects) -> (Map<String, Value>, Value) {
    let bytes = object(objects, "raw_crash/");
    let document = canonical_json::parse(bytes).unwrap();
    assert_eq!(canonical_json::canonical(&document).as_bytes(), bytes);
    let Value::Object(mut members) = document else {
        panic!("no object")
    };
    let metadata = members["metadata"].clone();
    members.retain(|name, _| !OWN.contains(&name.as_str()));
    (members, metadata)
}

fn file(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// No delimiter, line end or zero in a dump is lost or taken for something else.
fn dump_bytes() -> Vec<u8> {
    let odd = b"MDMP\r\n--antenna-\r\n\r\n--\0\xff\r\n".to_vec();
    odd.into_iter().cycle().take(300_000).collect()
}

#[test]
fn what_is_stored_is_what_was_sent_in_every_form() {
    let collector = TestCollector::start(&[("BREAKPAD_THROTTLER_RULES", "all")]);
    let folder = tempfile::tempdir().unwrap();
    let minidump = file(folder.path(), "a.dmp", &dump_bytes());
    let note = file(folder.path(), "note.txt", "two\nlines, é\r\n".as_bytes());
    let (minidump, note) = (minidump.display().to_string(), note.display());
    let from_file = format!("Notes=@{note}");
    let named = format!("memory_report={note}");
    let what = [
        "-a",
        "ProductName=Editor",
        "-a",
        "Empty=",
        "-a",
        "Sum=1+1=2",
        "-a",
        &from_file,
        "-d",
        &minidump,
        "-d",
        &named,
    ];
    for form in [
        &[][..],
        &["--gzip"],
        &["--json"],
        &["--chunked"],
        &["--json", "--gzip", "--chunked"],
    ] {
        let objects = stored(&collector, &[&what[..], form].concat());
        let (annotations, metadata) = raw_crash(&objects);
        let expected = json!({
            "ProductName": "Editor", "Empty": "", "Sum": "1+1=2", "Notes": "two\nlines, é\r\n",
        });
        assert_eq!(Value::Object(annotations), expected, "{form:?}");
        assert_eq!(object(&objects, "upload_file_minidump/"), dump_bytes());
        assert_eq!(
            object(&objects, "memory_report/"),
            "two\nlines, é\r\n".as_bytes()
        );
        let has = |word| form.contains(&word);
        assert_eq!(
            metadata["payload"],
            if has("--json") { "json" } else { "multipart" }
        );
        assert_eq!(
            metadata["payload_compressed"],
            if has("--gzip") { "1" } else { "0" }
        );
        assert_eq!(
            metadata["user_agent"],
            concat!("antenna-submit/", env!("CARGO_PKG_VERSION"))
        );
        assert_eq!(metadata["collector_notes"], json!([]));
    }
    collector.stop();
}

#[test]
fn a_stored_raw_crash_can_be_sent_again() {
    let collector = TestCollector::start(&[("BREAKPAD_THROTTLER_RULES", "all")]);
    let folder = tempfile::tempdir().unwrap();
    let dump = file(folder.path(), "a.dmp", &dump_bytes())
        .display()
        .to_string();
    for (sent, form) in [
        (
            json!({"ProductName": "Editor", "Note": "a \"b\"\u{1f98a}"}),
            "multipart",
        ),
        (
            json!({"ProductName": "Editor", "Deep": {"a": [1, 1.5, null, true]}, "big": 1e300}),
            "json",
        ),
    ] {
        let extra = file(folder.path(), "extra.json", sent.to_string().as_bytes());
        let extra = extra.display().to_string();
        let first = stored(&collector, &["--raw-crash", &extra, "-d", &dump]);
        let again = file(
            folder.path(),
            "raw_crash.json",
            object(&first, "raw_crash/"),
        );
        let again = again.display().to_string();
        let second = stored(&collector, &["--raw-crash", &again, "-d", &dump]);
        let ((first, _), (second, metadata)) = (raw_crash(&first), raw_crash(&second));
        assert_eq!(first, second);
        assert_eq!(metadata["payload"], form);
    }
    collector.stop();
}

#[test]
fn annotations_of_the_command_line_replace_those_of_the_raw_crash() {
    let collector = TestCollector::start(&[("BREAKPAD_THROTTLER_RULES", "all")]);
    let url = url(&collector);
    let args = [
        "submit",
        &url,
        "--raw-crash",
        "-",
        "-a",
        "ProductName=Viewer",
    ];
    let raw_crash_json = br#"{"ProductName": "Editor", "Version": "1", "uuid": "x", "version": 2}"#;
    let printed = antenna_with_input(
        &[("BREAKPAD_THROTTLER_PRODUCTS", "all")],
        &args,
        raw_crash_json,
    );
    let id = printed.fine().trim().trim_start_matches("bp-").to_owned();
    let (annotations, _) = raw_crash(&objects_of(&objects_below(&collector.crashes()), &id));
    assert_eq!(
        Value::Object(annotations),
        json!({"ProductName": "Viewer", "Version": "1"})
    );
    collector.stop();
}

#[test]
fn a_sender_with_the_token_chooses_the_id() {
    let token = [("BREAKPAD_STAGE_SUBMITTER_BEARER_TOKEN", "a token")];
    let collector = TestCollector::start(&[token[0], ("BREAKPAD_THROTTLER_RULES", "all")]);
    let url = url(&collector);
    let id = format!("bp-{ID}");
    let args = [
        "submit",
        &url,
        "-a",
        "ProductName=Firefox",
        "--crash-id",
        &id,
    ];
    assert_eq!(antenna(&token, &args).fine(), format!("bp-{ID}\n"));
    let wrong = antenna(&[("BREAKPAD_STAGE_SUBMITTER_BEARER_TOKEN", "other")], &args);
    assert_eq!(
        (wrong.code, wrong.err.as_str()),
        (Some(3), "discarded: unauthorized_uuid\n")
    );
    let none = antenna(&[], &args);
    assert_eq!(none.code, Some(2));
    assert!(
        none.err.contains("BREAKPAD_STAGE_SUBMITTER_BEARER_TOKEN"),
        "{none:?}"
    );
    collector.stop();
}

#[test]
fn without_a_url_the_settings_say_where_to() {
    let collector = TestCollector::start(&[("BREAKPAD_THROTTLER_RULES", "all")]);
    let port = collector.address().port().to_string();
    let args = ["submit", "-a", "ProductName=Firefox"];
    for settings in [
        &[("PORT", port.as_str()), ("HOST", "127.0.0.1")][..],
        &[("PORT", port.as_str())],
    ] {
        assert!(antenna(settings, &args).fine().starts_with("bp-"));
    }
    // Wrong settings of the sender matter only where they are asked.
    let wrong = [("PORT", "sixty")];
    assert_eq!(antenna(&wrong, &args).code, Some(78));
    let url = url(&collector);
    antenna(&wrong, &["submit", &url, "-a", "ProductName=Firefox"]).fine();
    collector.stop();
}
