//! Keeps the house in order: who may import whom, what belongs in one place only, how files begin and how long they
//! are, and that the documents' links lead somewhere. It reads text, not syntax; plain rules are enough here.

mod docs;
mod imports;
mod sources;

use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A Rust file of ours.
struct Source {
    /// Relative to the repository, with `/`.
    path: String,
    text: String,
}

impl Source {
    /// The code that is built into the product: without comments, and without the tests at the end of the file.
    fn product_code(&self) -> String {
        if self.path.ends_with("/tests.rs") {
            return String::new();
        }
        let product = self.text.split("\n#[cfg(test)]\nmod ").next();
        let lines = product.unwrap_or_default().lines();
        let code = lines.filter(|line| !line.trim_start().starts_with("//"));
        code.collect::<Vec<_>>().join("\n")
    }

    /// The module right below the crate that the file belongs to; `main` and `lib` for those files.
    fn module(&self) -> &str {
        let path = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let first = path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }
}

/// All Rust files below `folder` of the repository.
fn sources(folder: &str) -> Vec<Source> {
    let paths = files_below(&Path::new(ROOT).join(folder), "rs");
    let read = |path: PathBuf| Source {
        text: std::fs::read_to_string(&path).expect("a readable file"),
        path: relative(&path),
    };
    paths.into_iter().map(read).collect()
}

fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let entries = std::fs::read_dir(folder).expect("a readable folder");
    for entry in entries.map(|entry| entry.expect("a readable folder").path()) {
        if entry.is_dir() {
            files.extend(files_below(&entry, extension));
        } else if entry.extension().is_some_and(|e| e == extension) {
            files.push(entry);
        }
    }
    files.sort();
    files
}

fn relative(path: &Path) -> String {
    let path = path.strip_prefix(ROOT).expect("a file of the repository");
    path.to_string_lossy().replace('\\', "/")
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}
