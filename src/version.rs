//! What runs here: `version.json`, written when the image is built.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde_json::{Map, Value};

const FILE: &str = "version.json";

/// The document as it was found at start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version(Map<String, Value>);

impl Version {
    /// From the first of the folders that has the file. None, or one that is no JSON object, is an empty document: this
    /// is information, nothing depends on it.
    pub fn load(folders: &[PathBuf]) -> Self {
        folders
            .iter()
            .find_map(|folder| Self::read(folder))
            .unwrap_or_default()
    }

    fn read(folder: &Path) -> Option<Self> {
        let text = std::fs::read(folder.join(FILE)).ok()?;
        Some(Self(serde_json::from_slice(&text).unwrap_or_default()))
    }

    /// The body of `/__version__`: separators as Python writes them.
    pub fn body(&self) -> Bytes {
        let members: Vec<String> = self
            .0
            .iter()
            .map(|(name, value)| format!("{}: {value}", Value::from(name.as_str())))
            .collect();
        format!("{{{}}}", members.join(", ")).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: Option<&str>) -> Bytes {
        let folder = tempfile::tempdir().unwrap();
        if let Some(text) = text {
            std::fs::write(folder.path().join(FILE), text).unwrap();
        }
        Version::load(&[folder.path().to_owned()]).body()
    }

    #[test]
    fn the_file_is_shown() {
        let text = "{\"version\":\"1.2\",\n \"commit\": \"5cc6f517\"}";
        assert_eq!(
            body(Some(text)),
            r#"{"commit": "5cc6f517", "version": "1.2"}"#
        );
    }

    #[test]
    fn anything_else_is_empty() {
        for text in [None, Some(""), Some("{"), Some("[1]"), Some("{}")] {
            assert_eq!(body(text), "{}", "{text:?}");
        }
    }
}
