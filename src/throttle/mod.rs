//! SUBMISSION -> VERDICT: which reports are kept. Pure: time and dice are arguments, files are read once, at start.
//!
//! Rules are asked in order; the first that settles a submission gives the [`Verdict`]. Rules, product list and package
//! names are data (`mozilla.toml`, or a file of the operator's; the format is in `docs/throttling.md`).

mod aliases;
mod condition;
mod condition_text;
mod json_path;
mod lack;
mod mistakes;
mod rule;
mod rules_file;
mod sources;
mod supported;
mod value_test;
mod verdict;

#[cfg(test)]
mod documented;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::crash::Annotations;
use aliases::Aliases;
use condition::Facts;
pub use lack::Lack;
pub use mistakes::{Mistake, RulesError};
pub use rule::Finding;
use rule::{CatchAll, RuleSet};
use rules_file::Section;
use supported::Supported;
pub use verdict::{Keep, ThrottleResult, Verdict};

const EVERY_REPORT: &str = "every report";

/// A rule set with the products and packages it asks for. Built once, at start; it never changes.
#[derive(Clone, Debug)]
pub struct Throttler {
    rule_set: RuleSet,
    supported: Supported,
    aliases: Aliases,
}

/// A verdict and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Every rule that was asked, in order; the last one settled it.
    pub steps: Vec<Step>,
    pub verdict: Verdict,
}

/// One rule that was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub rule: Arc<str>,
    pub finding: Finding,
}

impl Throttler {
    /// Each is `mozilla`, `all` (or `accept_all`), the original's dotted name for either, or the path of a rules file.
    ///
    /// # Errors
    /// Every mistake in the files, and every file that cannot be read.
    pub fn new(rules: &str, products: &str, package_names: &str) -> Result<Self, RulesError> {
        sources::load([
            (Section::Rules, rules),
            (Section::Products, products),
            (Section::PackageNames, package_names),
        ])
    }

    /// Gives annotations that are missing the text that was sent under one of their other names; says so in notes.
    pub fn apply_aliases(&self, annotations: &mut Annotations) -> Vec<String> {
        self.aliases.apply(annotations)
    }

    /// What a submission that the rule of this name settled lacks to be of a supported product or package.
    pub fn lack(&self, rule: &str, annotations: &Annotations, now: DateTime<Utc>) -> Option<Lack> {
        let rule = self
            .rule_set
            .rules
            .iter()
            .find(|known| &*known.name == rule)?;
        Lack::behind(rule.when.as_ref()?, &self.facts(annotations, now))
    }

    /// The names in the list in which something was looked for.
    pub fn listed(&self, lack: &Lack, annotations: &Annotations) -> Vec<&str> {
        let product = annotations.text("ProductName");
        self.supported.listed(lack.annotation, product.as_deref())
    }

    /// The verdict over a submission received at `now`. There always is one, in time proportional to the annotations.
    ///
    /// `dice` yields numbers from 0 up to, not including, 1; it is rolled only where a rule has a chance.
    pub fn throttle(
        &self,
        annotations: &Annotations,
        now: DateTime<Utc>,
        dice: &mut dyn FnMut() -> f64,
    ) -> Verdict {
        self.ask(annotations, now, dice, &mut |_, _| ())
    }

    /// The same verdict, with every rule that was asked and what it found.
    pub fn explain(
        &self,
        annotations: &Annotations,
        now: DateTime<Utc>,
        dice: &mut dyn FnMut() -> f64,
    ) -> Explanation {
        let mut steps = Vec::new();
        let verdict = self.ask(annotations, now, dice, &mut |rule, finding| {
            let rule = Arc::clone(rule);
            steps.push(Step { rule, finding });
        });
        Explanation { steps, verdict }
    }

    /// The names of all rules, in order: every rule that a verdict can name.
    pub fn rule_names(&self) -> impl Iterator<Item = &str> {
        let rules = self.rule_set.rules.iter().map(|rule| &*rule.name);
        rules.chain([&*self.rule_set.catch_all.name])
    }

    /// Every rule in order, with when it applies, in words.
    pub fn described(&self) -> impl Iterator<Item = (&str, String)> {
        let rules = self.rule_set.rules.iter().map(|rule| {
            let when = rule.when.as_ref().map(ToString::to_string);
            (&*rule.name, when.unwrap_or_else(|| EVERY_REPORT.to_owned()))
        });
        rules.chain([(&*self.rule_set.catch_all.name, EVERY_REPORT.to_owned())])
    }

    fn ask(
        &self,
        annotations: &Annotations,
        now: DateTime<Utc>,
        dice: &mut dyn FnMut() -> f64,
        seen: &mut dyn FnMut(&Arc<str>, Finding),
    ) -> Verdict {
        let facts = self.facts(annotations, now);
        for rule in &self.rule_set.rules {
            let finding = rule.decide(&facts, dice);
            seen(&rule.name, finding);
            if let Finding::Settled { result, .. } = finding {
                return Verdict::new(Arc::clone(&rule.name), result);
            }
        }
        let CatchAll { name, result } = &self.rule_set.catch_all;
        let (result, percent) = (*result, 100.0);
        seen(name, Finding::Settled { result, percent });
        Verdict::new(Arc::clone(name), result)
    }

    fn facts<'a>(&'a self, annotations: &'a Annotations, now: DateTime<Utc>) -> Facts<'a> {
        Facts {
            annotations,
            now,
            supported: &self.supported,
        }
    }
}
