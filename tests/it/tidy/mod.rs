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
    /// Built for tests only.
    is_test: bool,
}

impl Source {
    /// The code that is built into the product: without comments, and without the tests at the end of the file.
    fn product_code(&self) -> String {
        if self.is_test {
            return String::new();
        }
        let mut product = self.text.as_str();
        // Inline tests stand last; `mod tests;` stands among the other modules.
        if let Some(at) = product.rfind("\n#[cfg(test)]\nmod ")
            && product[at..].contains(" {")
            && !product[at..]
                .lines()
                .nth(2)
                .unwrap_or_default()
                .ends_with(';')
        {
            product = &product[..at];
        }
        let lines = product
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        lines.collect::<Vec<_>>().join("\n")
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
        is_test: false,
    };
    let mut sources: Vec<_> = paths.into_iter().map(read).collect();
    let test_modules: Vec<_> = sources.iter().flat_map(test_modules).collect();
    for source in &mut sources {
        let is_in = |module: &String| {
            source.path == format!("{module}.rs") || source.path.starts_with(&format!("{module}/"))
        };
        source.is_test = test_modules.iter().any(is_in);
    }
    sources
}

/// The paths, without ending, of modules in files of their own that a file declares for tests.
fn test_modules(source: &Source) -> Vec<String> {
    let folder = match source.path.strip_suffix("/mod.rs") {
        Some(folder) => folder.to_owned(),
        None if source.path == "src/lib.rs" => "src".to_owned(),
        None => source.path.trim_end_matches(".rs").to_owned(),
    };
    let lines: Vec<_> = source.text.lines().collect();
    let declared = lines
        .windows(2)
        .filter(|pair| pair[0].starts_with("#[cfg(") && pair[0].contains("test"));
    let names = declared.filter_map(|pair| {
        let line = pair[1].trim_start_matches("pub ");
        line.strip_prefix("mod ")?.strip_suffix(';')
    });
    names.map(|name| format!("{folder}/{name}")).collect()
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
