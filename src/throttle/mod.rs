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
mod rules_file_condition;
mod rules_file_outcome;
mod sources;
mod supported;
mod toml_reader;
mod value_test;
mod verdict;

#[cfg(test)]
mod documented;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod rules_file_mistakes;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::crash::Annotations;
use aliases::Aliases;
use condition::Facts;
pub use lack::Lack;
pub use mistakes::{Mistake, RulesError};
pub use rule::Finding;
use rule::{CatchAll, RuleSet};
use sources::Loaded;
use supported::Supported;
pub use verdict::{Keep, ThrottleResult, Verdict};

const EVERY_REPORT: &str = "every report";

/// Where rules, product list and package names come from.
///
/// Each is `mozilla`, `all` (or `accept_all`), the original's dotted name for either, or the path of a rules file.
#[derive(Clone, Copy, Debug)]
pub struct ThrottleSettings<'a> {
    pub rules: &'a str,
    pub products: &'a str,
    pub package_names: &'a str,
}

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
    /// # Errors
    /// Every mistake in the settings and in the files they name.
    pub fn new(settings: &ThrottleSettings) -> Result<Self, RulesError> {
        let Loaded {
            rules,
            supported,
            aliases,
        } = sources::load(settings)?;
        Ok(Self {
            rule_set: rules,
            supported,
            aliases,
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn mozilla() -> Throttler {
        Throttler::new(&ThrottleSettings {
            rules: "mozilla",
            products: "mozilla",
            package_names: "mozilla",
        })
        .unwrap()
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_784_000_000, 0).unwrap()
    }

    fn annotations(value: Value) -> Annotations {
        match value {
            Value::Object(members) => members.into_iter().collect(),
            other => panic!("{other} is not an object"),
        }
    }

    #[test]
    fn an_explanation_names_every_rule_up_to_the_one_that_settled_it() {
        let annotations = annotations(
            json!({"ProductName": "Firefox", "ReleaseChannel": "release",
            "ipc_channel_error": "ShutDownKill"}),
        );
        let throttler = mozilla();
        let mut rolls = [0.05, 0.5].into_iter();
        let explanation = throttler.explain(&annotations, now(), &mut || rolls.next().unwrap());
        let matched: Vec<String> = explanation
            .steps
            .iter()
            .filter(|step| step.finding != Finding::NoMatch)
            .map(|step| format!("{}: {}", step.rule, step.finding))
            .collect();
        assert_eq!(
            matched,
            [
                "is_shutdownkill: match: continue (a chance of 10 %)",
                "is_firefox_desktop: match: reject (a chance of 90 %)",
            ]
        );
        let asked: Vec<&str> = explanation.steps.iter().map(|step| &*step.rule).collect();
        let names: Vec<&str> = throttler.rule_names().collect();
        assert_eq!(asked, names[..asked.len()]);
        assert_eq!(explanation.verdict.rule(), "is_firefox_desktop");
        assert_eq!(explanation.verdict.result(), ThrottleResult::Reject);
    }

    #[test]
    fn the_catch_all_is_a_step_like_any_other() {
        let annotations = annotations(json!({"ProductName": "Thunderbird"}));
        let explanation = mozilla().explain(&annotations, now(), &mut || panic!("rolled"));
        let last = explanation.steps.last().unwrap();
        assert_eq!(
            (&*last.rule, last.finding.to_string()),
            ("accept_everything", "match: accept".to_owned())
        );
    }

    #[test]
    fn a_throttler_can_be_shared_between_threads() {
        fn shared<T: Send + Sync>(_: &T) {}
        shared(&mozilla());
    }

    fn name() -> impl Strategy<Value = String> {
        prop_oneof![
            prop::sample::select(vec![
                "ProductName",
                "Version",
                "BuildID",
                "ReleaseChannel",
                "ProcessType",
                "HangID",
                "Comments",
                "PHCKind",
                "Throttleable",
                "SubmittedFromInfobar",
                "Android_PackageName",
                "ipc_channel_error",
                "TelemetryEnvironment",
            ])
            .prop_map(str::to_owned),
            any::<String>(),
        ]
    }

    fn value() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            prop::sample::select(vec![
                "Firefox",
                "Fenix",
                "B2G",
                "esr",
                "release",
                "nightly",
                "ShutDownKill",
                "20100229000000",
                "20240714033320",
                "57.0",
                "true",
                "gpu",
                r#"{"system": {"os": {"name": "Windows_NT", "windowsBuildNumber": 7601}}}"#,
                r#"{"system": {"os": 1e999}}"#,
                "42",
                "",
            ])
            .prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            Just(Value::Null),
        ];
        scalar.prop_recursive(3, 8, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map(".{0,3}", inner, 0..3)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_submitted_a_known_rule_settles_it(
            sent in prop::collection::btree_map(name(), value(), 0..8),
            roll in 0.0..1.0,
            seconds in -10_000_000_000i64..10_000_000_000,
        ) {
            let throttler = mozilla();
            let annotations: Annotations = sent.into_iter().collect();
            let now = DateTime::from_timestamp(seconds, 0).unwrap();
            let verdict = throttler.throttle(&annotations, now, &mut || roll);
            prop_assert!(throttler.rule_names().any(|name| name == verdict.rule()));
            let kept = matches!(verdict.result(), ThrottleResult::Accept | ThrottleResult::Defer);
            prop_assert_eq!(verdict.keep().is_some(), kept);
            let explanation = throttler.explain(&annotations, now, &mut || roll);
            prop_assert_eq!(explanation.verdict, verdict);
        }
    }
}
