//! What runs here: `version.json`, written when the image is built.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde_json::{Map, Value};

const FILE: &str = "version.json";

/// The document as it was found at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// As it is shown, since a map would not keep the order of the file.
    body: String,
    members: Map<String, Value>,
}

impl Version {
    /// From the first of the folders that has the file. None, or one that is no JSON object, is an empty document: this
    /// is information, nothing depends on it.
    pub fn load(folders: &[PathBuf]) -> Self {
        folders
            .iter()
            .find_map(|folder| Self::read(folder))
            .unwrap_or_else(Self::empty)
    }

    fn read(folder: &Path) -> Option<Self> {
        let bytes = std::fs::read(folder.join(FILE)).ok()?;
        Some(Self::parse(&bytes).unwrap_or_else(Self::empty))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        Some(Self {
            members: serde_json::from_str(text).ok()?,
            body: as_python_writes(text),
        })
    }

    fn empty() -> Self {
        Self {
            body: "{}".to_owned(),
            members: Map::new(),
        }
    }

    /// The body of `/__version__`: what the file says, in its order, in the form in which Python writes JSON.
    pub fn body(&self) -> Bytes {
        self.body.clone().into()
    }

    /// `version:commit` with eight digits of the commit: the name under which the original's releases are known.
    pub fn release(&self) -> String {
        let text = |name| self.members.get(name).and_then(Value::as_str);
        let version = text("version").unwrap_or("none");
        let commit = match text("commit") {
            None | Some("") => "unknown".to_owned(),
            Some(commit) => commit.chars().take(8).collect(),
        };
        format!("{version}:{commit}")
    }
}

/// Valid JSON with the separators `", "` and `": "`, ASCII only. Numbers stay as they are.
fn as_python_writes(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(c) = rest.chars().next() {
        let length = if c == '"' { string_length(rest) } else { 1 };
        let (token, after) = rest.split_at(length);
        rest = after;
        match c {
            '"' => push_string(&mut out, token),
            ',' => out.push_str(", "),
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

/// Bytes of the string literal that `json` begins with, quotes included.
fn string_length(json: &str) -> usize {
    let mut is_escaped = false;
    let end = json.bytes().skip(1).position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    end.map_or(json.len(), |inner| inner + 2)
}

/// Appends a string literal as Python writes it: `\/` and `\u0041` lose their escapes, what is not ASCII gets one.
fn push_string(out: &mut String, literal: &str) {
    let text: String = serde_json::from_str(literal).unwrap_or_default();
    for c in Value::from(text).to_string().chars() {
        if c.is_ascii() && c != '\x7f' {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(text: Option<&str>) -> Version {
        let folder = tempfile::tempdir().unwrap();
        if let Some(text) = text {
            std::fs::write(folder.path().join(FILE), text).unwrap();
        }
        Version::load(&[folder.path().to_owned()])
    }

    #[test]
    fn the_file_is_shown_in_its_own_order() {
        let text = "{\"version\":\"1.2\",\n \"commit\" : \"5cc6f517\", \"build\":[1,{\"b\":null, \"a\":1.50}]}\n";
        assert_eq!(
            loaded(Some(text)).body(),
            r#"{"version": "1.2", "commit": "5cc6f517", "build": [1, {"b": null, "a": 1.50}]}"#
        );
    }

    #[test]
    fn texts_are_written_as_python_writes_them() {
        let text = r#"{"a":"https:\/\/x, \"y\": \\","é":"🦊\u0041\n\u007f"}"#;
        assert_eq!(
            loaded(Some(text)).body(),
            r#"{"a": "https://x, \"y\": \\", "\u00e9": "\ud83e\udd8aA\n\u007f"}"#
        );
    }

    #[test]
    fn anything_else_is_empty() {
        for text in [None, Some(""), Some("{"), Some("[1]"), Some("{}")] {
            assert_eq!(loaded(text).body(), "{}", "{text:?}");
        }
    }

    #[test]
    fn the_first_folder_that_has_the_file_counts_even_if_it_is_broken() {
        let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
        std::fs::write(folders[1].path().join(FILE), "{").unwrap();
        std::fs::write(folders[2].path().join(FILE), r#"{"version": "1"}"#).unwrap();
        let paths = folders.each_ref().map(|folder| folder.path().to_owned());
        assert_eq!(Version::load(&paths).body(), "{}");
        assert_eq!(Version::load(&paths[2..]).body(), r#"{"version": "1"}"#);
    }

    #[test]
    fn a_release_is_version_and_short_commit() {
        for (text, release) in [
            (
                r#"{"version": "v1", "commit": "5cc6f5170973"}"#,
                "v1:5cc6f517",
            ),
            (r#"{"version": "", "commit": ""}"#, ":unknown"),
            (r#"{"commit": 1}"#, "none:unknown"),
            ("", "none:unknown"),
        ] {
            assert_eq!(loaded(Some(text)).release(), release, "{text}");
        }
    }
}
