//! The body of a submission: annotations and dumps as `multipart/form-data`, as crash reporters write it.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::crash::{Annotations, text_of};

/// The dump that processors look for.
const MINIDUMP: &str = "upload_file_minidump";

/// One dump to be sent.
pub struct DumpFile {
    pub name: String,
    pub content: Vec<u8>,
}

/// A body with what its headers must say.
#[derive(Clone, Debug)]
pub struct Form {
    pub boundary: String,
    pub body: Bytes,
}

/// Reads one `[NAME=]FILE`. What stands before the first `=` is a name unless it has a `/` in it.
///
/// # Errors
/// The file cannot be read.
pub fn read_dump(argument: &str) -> anyhow::Result<DumpFile> {
    let (name, file) = match argument.split_once('=') {
        Some((name, file)) if !name.contains('/') => (name, file),
        _ => (MINIDUMP, argument),
    };
    let content =
        std::fs::read(Path::new(file)).with_context(|| format!("cannot read the dump {file}"))?;
    Ok(DumpFile {
        name: name.to_owned(),
        content,
    })
}

/// Writes the body: annotations first, one part each or all of them as the JSON part `extra`.
///
/// # Errors
/// A name that cannot stand in the head of a part.
pub fn write(annotations: &Annotations, dumps: &[DumpFile], as_json: bool) -> anyhow::Result<Form> {
    let boundary = format!("antenna-{}", uuid::Uuid::new_v4().simple());
    let mut body = Vec::new();
    if as_json {
        let head = "name=\"extra\"; filename=\"extra.json\"\r\nContent-Type: application/json";
        let document: serde_json::Map<_, _> = annotations.clone().into_iter().collect();
        part(&mut body, &boundary, head, &serde_json::to_vec(&document)?);
    } else {
        for (name, value) in annotations.iter() {
            check_name(name).context("--json sends annotations of any name")?;
            let head = format!("name=\"{name}\"");
            part(&mut body, &boundary, &head, text_of(value).as_bytes());
        }
    }
    for DumpFile { name, content } in dumps {
        check_name(name)?;
        let head = format!(
            "name=\"{name}\"; filename=\"{name}.dmp\"\r\nContent-Type: application/octet-stream"
        );
        part(&mut body, &boundary, &head, content);
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok(Form {
        boundary,
        body: body.into(),
    })
}

fn part(body: &mut Vec<u8>, boundary: &str, head: &str, content: &[u8]) {
    let head = format!("--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n");
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(content);
    body.extend_from_slice(b"\r\n");
}

/// Clients escape such names in ways of their own; none is understood everywhere.
fn check_name(name: &str) -> anyhow::Result<()> {
    let is_plain = !name.contains(|c: char| c.is_control() || c == '"' || c == '\\');
    anyhow::ensure!(
        is_plain && !name.is_empty(),
        "{name:?} cannot be the name of a part"
    );
    Ok(())
}

/// The whole body as one gzip member.
///
/// # Errors
/// None in practice: memory takes everything.
pub fn gzip(body: &[u8]) -> anyhow::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body)?;
    Ok(encoder.finish()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn annotations(document: Value) -> Annotations {
        match document {
            Value::Object(members) => members.into_iter().collect(),
            other => panic!("{other} is no object"),
        }
    }

    fn dump() -> Vec<DumpFile> {
        vec![DumpFile {
            name: "memory".to_owned(),
            content: b"\r\n--\0".to_vec(),
        }]
    }

    #[test]
    fn each_annotation_is_a_part() {
        let form = write(&annotations(json!({"A": "é", "B": 1})), &dump(), false).unwrap();
        let b = &form.boundary;
        let expected = format!(
            "--{b}\r\nContent-Disposition: form-data; name=\"A\"\r\n\r\né\r\n\
             --{b}\r\nContent-Disposition: form-data; name=\"B\"\r\n\r\n1\r\n\
             --{b}\r\nContent-Disposition: form-data; name=\"memory\"; filename=\"memory.dmp\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n\r\n--\0\r\n--{b}--\r\n"
        );
        assert_eq!(form.body, expected.as_bytes());
    }

    #[test]
    fn all_annotations_may_be_one_part() {
        let form = write(&annotations(json!({"a\"b": {"c": 1}})), &[], true).unwrap();
        let body = String::from_utf8(form.body.to_vec()).unwrap();
        assert!(body.contains("name=\"extra\""), "{body}");
        assert!(
            body.contains("\r\n\r\n{\"a\\\"b\":{\"c\":1}}\r\n"),
            "{body}"
        );
    }

    #[test]
    fn a_name_cannot_smuggle_a_header() {
        for name in ["a\"b", "a\r\nX: y", "a\\", ""] {
            let one = annotations(json!({name: "secret"}));
            let error = format!("{:#}", write(&one, &[], false).unwrap_err());
            assert!(error.contains("--json"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_dump_has_the_usual_name_unless_it_is_given_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a=b.dmp");
        std::fs::write(&path, b"MDMP").unwrap();
        let path = path.display();
        assert_eq!(read_dump(&path.to_string()).unwrap().name, MINIDUMP);
        let named = read_dump(&format!("memory={path}")).unwrap();
        assert_eq!(
            (named.name.as_str(), &*named.content),
            ("memory", &b"MDMP"[..])
        );
        assert!(read_dump("no-such-file").is_err());
    }
}
