//! The settings file: lines of `NAME=value`. It knows nothing of which names exist.

use std::path::Path;

use super::problem::Problem;

/// One line that sets something.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// From 1.
    pub number: usize,
    pub name: String,
    pub value: String,
}

/// Reads the file; what can be understood of it is returned beside all problems.
pub(super) fn read(path: &Path) -> (Vec<Line>, Vec<Problem>) {
    let problem = |line, what: String| Problem::File {
        path: path.to_owned(),
        line,
        what,
    };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let what = format!("the settings file cannot be read: {error}");
            return (Vec::new(), vec![problem(None, what)]);
        }
    };
    let (mut lines, mut problems) = (Vec::new(), Vec::new());
    for (at, bytes) in without_mark(&bytes)
        .split(|byte| *byte == b'\n')
        .enumerate()
    {
        let number = at + 1;
        match parse_line(bytes) {
            Ok(Some((name, value))) => lines.push(Line {
                number,
                name,
                value,
            }),
            Ok(None) => {}
            Err(what) => problems.push(problem(Some(number), what.to_owned())),
        }
    }
    (lines, problems)
}

/// Editors on Windows begin files with a byte order mark.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// `NAME=value`, `export NAME="value"`; none for blank lines and comments.
fn parse_line(bytes: &[u8]) -> Result<Option<(String, String)>, &'static str> {
    let line = std::str::from_utf8(bytes)
        .map_err(|_| "the line is not UTF-8 text")?
        .trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (name, value) = line
        .split_once('=')
        .ok_or("there is no `=`; a line reads NAME=value")?;
    let name = match name.trim_end().split_once(char::is_whitespace) {
        Some(("export", name)) => name.trim_start(),
        _ => name.trim_end(),
    };
    if !is_name(name) {
        return Err("what stands before the `=` is not a name of letters, digits and `_`");
    }
    Ok(Some((name.to_owned(), unquoted(value.trim())?.to_owned())))
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The text between quotes, as it stands: there are no escapes and nothing is expanded.
fn unquoted(value: &str) -> Result<&str, &'static str> {
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        return Ok(value);
    };
    let inner = &value[1..];
    match inner.find(quote) {
        Some(end) if end + 1 == inner.len() => Ok(&inner[..end]),
        Some(_) => Err("there is more after the closing quote"),
        None => Err("the quote is not closed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Option<(String, String)>, &'static str> {
        parse_line(line.as_bytes())
    }

    #[test]
    fn values_are_taken_as_they_stand() {
        for (line, name, value) in [
            ("PORT=8000", "PORT", "8000"),
            ("  PORT = 8000 \r", "PORT", "8000"),
            ("export PORT=8000", "PORT", "8000"),
            ("TOKEN=\"a b = #c\"", "TOKEN", "a b = #c"),
            ("TOKEN='say \"no\"'", "TOKEN", "say \"no\""),
            ("TOKEN=a#b=c", "TOKEN", "a#b=c"),
            ("EMPTY=", "EMPTY", ""),
            ("EMPTY=''", "EMPTY", ""),
            ("HOME_=$HOME\\n", "HOME_", "$HOME\\n"),
        ] {
            let expected = Ok(Some((name.to_owned(), value.to_owned())));
            assert_eq!(parsed(line), expected, "{line}");
        }
    }

    #[test]
    fn blank_lines_and_comments_say_nothing() {
        for line in ["", "   ", "# PORT=1", "  #", "\r"] {
            assert_eq!(parsed(line), Ok(None), "{line}");
        }
    }

    #[test]
    fn bad_lines_are_refused_without_quoting_them() {
        for line in [
            "PORT",
            "=1",
            "1PORT=1",
            "A B=1",
            "MY-PORT=1",
            "A=\"1",
            "A='1' 2",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
        assert!(parse_line(b"A=\xff").is_err());
    }

    #[test]
    fn every_bad_line_is_reported_with_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("antenna.env");
        std::fs::write(&path, "\u{feff}# mine\nsecret-without-name\nPORT=1\nA='\n").unwrap();
        let (lines, problems) = read(&path);
        assert_eq!(
            lines,
            [Line {
                number: 3,
                name: "PORT".to_owned(),
                value: "1".to_owned()
            }]
        );
        let shown: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(shown.len(), 2);
        assert!(shown[0].contains("antenna.env line 2: there is no `=`"));
        assert!(shown[1].contains("antenna.env line 4: the quote is not closed"));
        assert!(!shown.concat().contains("secret-without-name"));
    }

    #[test]
    fn a_missing_file_is_one_problem() {
        let folder = tempfile::tempdir().unwrap();
        let (lines, problems) = read(&folder.path().join("none.env"));
        assert!(lines.is_empty());
        assert!(
            problems[0]
                .to_string()
                .contains("none.env: the settings file cannot be read")
        );
    }
}
