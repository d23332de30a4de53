//! Counts how a replay went and says so.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::expectations::Source;
use crate::support::report;

/// The outcome of a replay, case by case.
#[derive(Default)]
pub struct Tally {
    exact: usize,
    improved: usize,
    deviating: usize,
    /// Case, or what is not a case, to everything that is wrong with it.
    failures: BTreeMap<String, Vec<String>>,
}

impl Tally {
    /// Counts a case that behaved as expected, or remembers how it did not.
    pub fn count(&mut self, name: &str, source: Source, differences: Vec<String>) {
        if !differences.is_empty() {
            self.fail(name, differences);
            return;
        }
        match source {
            Source::Recorded => self.exact += 1,
            Source::Improvement => self.improved += 1,
            Source::Deviation => self.deviating += 1,
        }
    }

    pub fn fail(&mut self, name: &str, problems: Vec<String>) {
        self.failures
            .entry(name.to_owned())
            .or_default()
            .extend(problems);
    }

    /// Prints the counts, and panics with every difference if there is one.
    pub fn finish(self, what: &str) {
        let cases = self.exact + self.improved + self.deviating;
        report(&format!(
            "{what}: {} cases, {} exact, {} improved on purpose, {} deviations",
            cases + self.failures.len(),
            self.exact,
            self.improved,
            self.deviating
        ));
        let mut text = String::new();
        for (name, problems) in &self.failures {
            let _ = writeln!(text, "{name}");
            for problem in problems {
                let _ = writeln!(text, "    {problem}");
            }
        }
        let failed = self.failures.len();
        assert!(failed == 0, "{what}: {failed} failed\n{text}");
    }
}
