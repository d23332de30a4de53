//! Annotations as a person brings them: `-a KEY=VALUE`, or a raw crash in a file.

use std::io::Read;
use std::path::Path;

use anyhow::Context;

use crate::crash::Annotations;
use crate::intake;

use super::CommandError;

/// What the collector adds to every raw crash; no client said it.
const COLLECTORS_OWN: [&str; 4] = ["uuid", "version", "submitted_timestamp", "metadata"];
/// Stands for standard input.
const STDIN: &str = "-";

/// Annotations of a raw crash, without what the collector itself had added.
pub struct Stored {
    pub annotations: Annotations,
    /// They came as JSON, so they must go so: other values than texts have no other form.
    pub is_json: bool,
}

/// Reads a raw crash as it lies in storage, or any JSON object of annotations. `-` is standard input.
///
/// # Errors
/// It cannot be read, or is no JSON object. The text holds nothing of the content.
fn read(path: &Path) -> anyhow::Result<Stored> {
    let mut json = Vec::new();
    if path == Path::new(STDIN) {
        std::io::stdin()
            .read_to_end(&mut json)
            .context("cannot read standard input")?;
    } else {
        json = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    }
    parse(&json).with_context(|| format!("{} is no raw crash", path.display()))
}

fn parse(json: &[u8]) -> anyhow::Result<Stored> {
    let mut annotations = intake::annotations_in_json(json).map_err(|reason| {
        anyhow::anyhow!(
            "it must be one JSON object of annotations ({})",
            reason.code()
        )
    })?;
    let came_as = annotations.get("metadata").and_then(|it| it.get("payload"));
    let is_json = came_as.and_then(|payload| payload.as_str()) == Some("json");
    for name in COLLECTORS_OWN {
        annotations.remove(name);
    }
    let has_others = annotations.iter().any(|(_, value)| !value.is_string());
    Ok(Stored {
        annotations,
        is_json: is_json || has_others,
    })
}

/// One `KEY=VALUE`; `KEY=@FILE` takes the value from a file, `KEY=@@text` is a value that begins with `@`.
///
/// # Errors
/// `Usage`: there is no `=` or no key. `Other`: the file cannot be read or is no text. Values are never repeated.
fn pair(argument: &str) -> Result<(String, String), CommandError> {
    let (key, value) = argument
        .split_once('=')
        .filter(|(key, _)| !key.is_empty())
        .ok_or_else(|| {
            CommandError::Usage(anyhow::anyhow!("an annotation is written KEY=VALUE"))
        })?;
    let value = match value.strip_prefix('@') {
        None => value.to_owned(),
        Some(text) if text.starts_with('@') => text.to_owned(),
        Some(file) => std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the value of {key} from {file}"))?,
    };
    Ok((key.to_owned(), value))
}

/// A raw crash, if there is one, with the pairs over it.
///
/// # Errors
/// The raw crash or a value's file cannot be read; a pair is none.
pub fn gather(file: Option<&Path>, pairs: &[String]) -> Result<Stored, CommandError> {
    let mut stored = match file {
        Some(file) => read(file)?,
        None => Stored {
            annotations: Annotations::default(),
            is_json: false,
        },
    };
    for argument in pairs {
        let (key, value) = pair(argument)?;
        stored.annotations.insert(key, value);
    }
    Ok(stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_collector_added_is_no_annotation() {
        let stored = parse(
            br#"{"A": "1", "metadata": {"payload": "multipart"}, "submitted_timestamp": "x", "uuid": "u", "version": 2}"#,
        )
        .unwrap();
        assert_eq!(stored.annotations.len(), 1);
        assert!(!stored.is_json);
    }

    #[test]
    fn what_came_as_json_goes_as_json() {
        for json in [
            r#"{"A": "1", "metadata": {"payload": "json"}}"#,
            r#"{"A": 1}"#,
        ] {
            assert!(parse(json.as_bytes()).unwrap().is_json, "{json}");
        }
    }

    #[test]
    fn a_failure_repeats_no_value() {
        for json in ["[\"secret\"]", "{\"secret\": ", "secret"] {
            let error = format!("{:#}", parse(json.as_bytes()).err().unwrap());
            assert!(!error.contains("secret"), "{error}");
        }
        let error = pair("secret").err().unwrap().to_string();
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn a_value_may_hold_anything_and_may_come_from_a_file() {
        let pair = |text: &str| pair(text).ok().unwrap();
        assert_eq!(pair("A=b=c"), ("A".to_owned(), "b=c".to_owned()));
        assert_eq!(pair("A="), ("A".to_owned(), String::new()));
        assert_eq!(pair("A=@@b"), ("A".to_owned(), "@b".to_owned()));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "two\nlines").unwrap();
        let argument = format!("A=@{}", file.path().display());
        assert_eq!(pair(&argument).1, "two\nlines");
    }
}
