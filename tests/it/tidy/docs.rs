//! The documents' links: every relative one leads to a file, and to a heading where it names one.

use std::path::{Path, PathBuf};

use super::{ROOT, assert_none, files_below, relative};

#[test]
fn no_document_has_a_dead_link() {
    let mut documents = files_below(&Path::new(ROOT).join("docs"), "md");
    documents.extend(Some(Path::new(ROOT).join("README.md")).filter(|path| path.exists()));
    let mut problems = Vec::new();
    for document in documents {
        let text = std::fs::read_to_string(&document).expect("a readable file");
        let dead = links(&text)
            .into_iter()
            .filter(|link| !leads_somewhere(&document, link));
        problems.extend(dead.map(|link| format!("{}: {link}", relative(&document))));
    }
    assert_none(&problems);
}

/// What stands in the parentheses after the brackets, but for addresses in the web.
fn links(text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split_once(')'));
    let targets = targets.map(|(target, _)| target.to_owned());
    targets
        .filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
        .collect()
}

fn leads_somewhere(document: &Path, link: &str) -> bool {
    let (path, heading) = link.split_once('#').unwrap_or((link, ""));
    let target: PathBuf = if path.is_empty() {
        document.to_owned()
    } else {
        document.parent().expect("a file in a folder").join(path)
    };
    if !target.exists() {
        return false;
    }
    let is_page = target
        .extension()
        .is_some_and(|extension| extension == "md");
    if heading.is_empty() || !is_page {
        return true;
    }
    let text = std::fs::read_to_string(&target).expect("a readable file");
    let mut headings = text.lines().filter(|line| line.starts_with('#'));
    headings.any(|line| anchor(line) == heading)
}

/// The anchor that a heading gets on GitHub.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' '));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn links_are_found_and_checked() {
    let page = Path::new(ROOT).join("docs/compatibility.md");
    let text = "[a](b.md#c) [web](https://example.com) [d](../LICENSE)";
    assert_eq!(links(text), ["b.md#c", "../LICENSE"]);
    assert!(leads_somewhere(&page, "#compatibility"));
    assert!(!leads_somewhere(&page, "#no-such-heading"));
    assert!(!leads_somewhere(&page, "no_such_file.md"));
    assert_eq!(anchor("## Who, what & *when*"), "who-what--when");
}
