//! What is wrong with rules files and settings, for the person who wrote them: place, fault, remedy.

use std::fmt;

/// One mistake, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file, or the setting's value where there is no file.
    pub path: String,
    /// From 1; `None` where the mistake is not in a line.
    pub line: Option<usize>,
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

/// Everything that is wrong with the throttler's settings. Displayed as one line per mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesError(Vec<Mistake>);

impl RulesError {
    pub(super) fn new(mistakes: Vec<Mistake>) -> Self {
        Self(mistakes)
    }

    /// At least one, file by file and from top to bottom.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.0
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}; {}", self.what, self.advice)
    }
}

impl fmt::Display for RulesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, mistake) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            mistake.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for RulesError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mistake_is_one_line() {
        let mistake = |line| Mistake {
            path: "rules.toml".into(),
            line,
            what: "unknown key `x` in a rule".into(),
            advice: "remove it".into(),
        };
        assert_eq!(
            RulesError::new(vec![mistake(Some(3)), mistake(None)]).to_string(),
            "rules.toml:3: unknown key `x` in a rule; remove it\nrules.toml: unknown key `x` in a rule; remove it"
        );
    }
}
