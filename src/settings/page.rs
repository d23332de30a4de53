//! `docs/configuration.md`, rendered from the declarations.

use super::setting::{Section, SettingInfo};
use super::unknown_names::CARRIED_OVER;

/// Columns after which a line is broken.
const WIDTH: usize = 120;

const HEAD: &str = "\
# Configuration

<!-- Made by `cargo run -- config --markdown > docs/configuration.md`; a test compares the two. -->

Everything has a default: `antenna` without any setting listens on port 8000 and keeps reports under `./crashes`.

A value is taken from the environment if it is there, else from the settings file, else it is the default. The settings
file is named on the command line: `antenna --settings /etc/antenna.env`. It holds lines of `NAME=value`:

```sh
# A comment stands on a line of its own.
CRASHMOVER_CRASHSTORAGE_CLASS=s3
CRASHMOVER_CRASHSTORAGE_BUCKET_NAME=\"crash-reports\"
```

Quotes around a value and `export` before a name are allowed. Nothing is expanded and there are no escapes. Blanks
around a value are removed. An empty value unsets a setting that may be unset.

All settings are checked together at start. With a problem in them the collector does not start; the exit code is 78,
and the log says for each problem which setting it is, where its value came from and what would fit. Unknown names that
begin with `BREAKPAD_`, `CRASHMOVER_` or `STATSD_`, and all unknown names in the settings file, are warnings.

At start the log has one line for each setting. `antenna config` prints the same with where each value comes from.
Secrets are shown as `*****`.
";

const CARRIED_OVER_HEAD: &str = "
## Names of the original that have no effect

They are warned of at start and can be left where they are.
";

/// The page. Regenerate it with `cargo run -- config --markdown > docs/configuration.md`.
pub fn markdown() -> String {
    let mut page = HEAD.to_owned();
    let mut section = "";
    for info in super::declared() {
        if info.section.title != section {
            section = info.section.title;
            page.push_str(&heading(info.section));
        }
        page.push_str(&entry(&info));
    }
    page.push_str(CARRIED_OVER_HEAD);
    page.push('\n');
    for (name, advice) in CARRIED_OVER {
        page.push_str(&wrapped(&format!("* `{name}`: {advice}."), "  "));
    }
    page
}

fn heading(section: &Section) -> String {
    let mut text = format!("\n## {}\n", section.title);
    if !section.intro.is_empty() {
        text.push('\n');
        text.push_str(&wrapped(section.intro, ""));
    }
    text
}

fn entry(info: &SettingInfo) -> String {
    let mut text = format!("\n### `{}`\n\n", info.name());
    text.push_str(&wrapped(info.help, ""));
    text.push('\n');
    let default = match info.default {
        "" => "unset".to_owned(),
        default => format!("`{default}`"),
    };
    let mut items = vec![
        format!("* Default: {default} ({}).", info.reason),
        takes(info),
    ];
    if let [_, others @ ..] = info.names
        && !others.is_empty()
    {
        let others: Vec<_> = others.iter().map(|name| format!("`{name}`")).collect();
        items.push(format!("* If it is not given: {}.", others.join(", ")));
    }
    if info.is_secret {
        items.push("* Secret.".to_owned());
    }
    for item in items {
        text.push_str(&wrapped(&item, "  "));
    }
    text
}

/// What fits. A default is an example already.
fn takes(info: &SettingInfo) -> String {
    match info.default {
        "" => format!("* Takes {}; for example `{}`.", info.form, info.example),
        _ => format!("* Takes {}.", info.form),
    }
}

/// Breaks a paragraph into lines, all but the first indented.
fn wrapped(paragraph: &str, indent: &str) -> String {
    let mut text = String::new();
    let mut column = 0;
    for word in paragraph.split_whitespace() {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > WIDTH {
            text.push('\n');
            text.push_str(indent);
            column = indent.len();
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += width;
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_docs_is_the_rendered_one() {
        let page = include_str!("../../docs/configuration.md");
        assert!(
            page == markdown(),
            "docs/configuration.md is out of date: cargo run -- config --markdown > docs/configuration.md"
        );
    }

    #[test]
    fn the_page_shows_default_reason_alternatives_and_secrecy() {
        let page = markdown();
        let entry = "\
### `CRASHMOVER_CRASHPUBLISH_SECRET_ACCESS_KEY`

For `sqs`: the secret of the access key.

* Default: unset (as the access key).
* Takes a text without control characters; for example `xxxxxxxx`.
* If it is not given: `AWS_SECRET_ACCESS_KEY`.
* Secret.
";
        assert!(page.contains(entry));
        assert!(page.contains("* Default: `8000` (the original's).\n"));
    }

    #[test]
    fn lines_are_broken_at_the_width() {
        let text = wrapped(&"word ".repeat(50), "  ");
        assert!(text.lines().all(|line| line.len() <= WIDTH));
        assert!(text.lines().nth(1).unwrap().starts_with("  word"));
        assert!(markdown().lines().all(|line| line.chars().count() <= WIDTH));
    }
}
