//! What the settings turned out to be and where each comes from, fit to be shown: secrets are masked.

use std::fmt;

use super::reader::DEFAULT;
use super::setting::SettingInfo;

/// The result of loading, for people.
#[derive(Clone, Debug)]
pub struct ResolvedSettings {
    /// One for each setting, in the order of `docs/configuration.md`.
    pub values: Vec<ResolvedValue>,
    /// What is odd and does not keep the collector from starting.
    pub warnings: Vec<String>,
}

/// One setting. Its `Display` is `NAME=value`, the line of the start-up log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedValue {
    pub(super) info: SettingInfo,
    /// The text that was given, or the default; `*****` for a secret that is set.
    pub shown: String,
    /// `default`, `environment`, `environment, OTHER_NAME` or `FILE line N`.
    pub source: String,
}

impl ResolvedValue {
    pub fn name(&self) -> &'static str {
        self.info.name()
    }

    /// Heading in `docs/configuration.md`.
    pub fn section(&self) -> &'static str {
        self.info.section.title
    }
}

/// Nobody gave the setting of this name a value.
pub(super) fn is_default(name: &str, values: &[ResolvedValue]) -> bool {
    let mut values = values.iter();
    values.any(|it| it.name() == name && (it.source == DEFAULT || it.shown.is_empty()))
}

impl fmt::Display for ResolvedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name(), self.shown)
    }
}

/// The whole list with headings and sources, one setting a line.
impl fmt::Display for ResolvedSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut section = "";
        for value in &self.values {
            if value.section() != section {
                let gap = if section.is_empty() { "" } else { "\n" };
                section = value.section();
                writeln!(f, "{gap}# {section}")?;
            }
            writeln!(f, "{value}  ({})", value.source)?;
        }
        Ok(())
    }
}
