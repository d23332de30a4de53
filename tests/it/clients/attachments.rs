//! Files beside the minidump: two of one name, and JSON.

use super::unusual::{DUMP, kept_form};

/// Whatever the order: the minidump has the plain name.
#[test]
fn two_files_in_one_field_are_both_kept() {
    let log = DUMP.replace("e.dmp", "a log that is longer.txt");
    let parts = [(DUMP, &b"MDMP 7"[..]), (&log, b"a log that is longer")];
    for parts in [parts, [parts[1], parts[0]]] {
        let kept = kept_form(&parts);
        assert_eq!(kept.dump("upload_file_minidump"), b"MDMP 7");
        assert_eq!(kept.dump("upload_file_minidump_2"), b"a log that is longer");
        let note = "another file named upload_file_minidump: kept as upload_file_minidump_2";
        assert_eq!(kept.notes(), [note]);
        let checksums = kept.raw_crash["metadata"]["dump_checksums"].as_object();
        assert_eq!(checksums.map(|checksums| checksums.len()), Some(2));
    }
}

#[test]
fn files_whose_names_become_one_are_all_kept() {
    let named = |name: &str| DUMP.replace("upload_file_minidump", name);
    let (first, second) = (
        named("\u{436}\u{443}\u{440}\u{43d}\u{430}\u{43b}.txt"),
        named("\u{441}.txt"),
    );
    let own = named("raw_crash");
    let kept = kept_form(&[(&first, b"one"), (&second, b"three"), (&own, b"mine")]);
    assert_eq!(kept.dump("txt"), b"three");
    assert_eq!(kept.dump("txt_2"), b"one");
    assert_eq!(kept.dump("raw_crash_2"), b"mine");
    assert_eq!(kept.notes().len(), 2, "{:?}", kept.notes());
}

const JSON_FILE: &str = "Content-Disposition: form-data; name=\"log\"; filename=\"log.json\"\n\
                         Content-Type: application/json";

#[test]
fn a_json_file_beside_form_fields_is_a_file() {
    for json in [
        &b"[1, 2]"[..],
        b"{\"ProductName\": \"Other\"}",
        b"{\"a\": 1}\n{\"a\": 2}\n",
        b"",
    ] {
        let kept = kept_form(&[(JSON_FILE, json), (DUMP, b"MDMP 8")]);
        assert_eq!(kept.dump("log"), json);
        assert_eq!(kept.raw_crash["metadata"]["payload"], "multipart");
        assert!(kept.notes().is_empty(), "{:?}", kept.notes());
    }
}

/// As Retrofit's converters label every field.
#[test]
fn a_json_value_is_the_annotation_of_its_name() {
    let head = |name: &str| {
        format!(
            "Content-Disposition: form-data; name=\"{name}\"\nContent-Transfer-Encoding: binary\n\
             Content-Type: application/json; charset=UTF-8"
        )
    };
    let parts = [
        ("Version", "\"1.2\""),
        ("Uptime", "7"),
        ("Tags", "[\"a\"]"),
        ("device", "{\"Model\": \"M\"}"),
        ("Notes", "no JSON"),
    ];
    let heads = parts.map(|(name, _)| head(name));
    let parts: Vec<(&str, &[u8])> = heads
        .iter()
        .map(String::as_str)
        .zip(parts.map(|(_, json)| json.as_bytes()))
        .collect();
    let kept = kept_form(&parts);
    assert_eq!(kept.raw_crash["Version"], "1.2");
    assert_eq!(kept.raw_crash["Uptime"], 7);
    assert_eq!(kept.raw_crash["Tags"][0], "a");
    assert_eq!(kept.raw_crash["Model"], "M");
    assert_eq!(kept.raw_crash["Notes"], "no JSON");
    assert!(
        kept.notes().contains(&"Notes: kept as text, it is no JSON"),
        "{:?}",
        kept.notes()
    );
}
