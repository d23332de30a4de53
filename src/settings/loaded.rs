//! What the settings turned out to be and where each comes from, fit to be shown: secrets are masked.

use std::fmt;

use super::problem::Warning;
use super::reader::Taken;

/// The result of loading, for people.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// One for each setting, in the order of `docs/configuration.md`.
    pub values: Vec<LoadedValue>,
    pub warnings: Vec<Warning>,
}

/// One setting. Its `Display` is `NAME=value`, the line of the start-up log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedValue {
    pub name: &'static str,
    /// The text that was given, or the default; `*****` for a secret that is set.
    pub shown: String,
    /// `default`, `environment`, `environment, OTHER_NAME` or `FILE line N`.
    pub source: String,
    /// Heading in `docs/configuration.md`.
    pub section: &'static str,
}

impl Loaded {
    pub(super) fn new(taken: &[Taken], warnings: Vec<Warning>) -> Self {
        let values = taken.iter().map(|taken| LoadedValue {
            name: taken.about.name(),
            shown: taken.about.shown(&taken.text),
            source: taken.source.clone(),
            section: taken.section.title,
        });
        Self {
            values: values.collect(),
            warnings,
        }
    }
}

impl fmt::Display for LoadedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.shown)
    }
}

/// The whole list with headings and sources, one setting a line.
impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut section = "";
        for value in &self.values {
            if value.section != section {
                let gap = if section.is_empty() { "" } else { "\n" };
                writeln!(f, "{gap}# {}", value.section)?;
                section = value.section;
            }
            writeln!(f, "{value}  ({})", value.source)?;
        }
        Ok(())
    }
}
