//! Replays what the original did with real submissions: `tests/data/throttle_cases.jsonl`, one case per line.
//!
//! `annotations` is what the request carried, `config` the settings it was recorded under, `outcomes` every rule and
//! result seen, with its probability. With `buildid_days_ago` the build id is that day's date, then the six digits
//! given. `improve` says why the expectation is ours and not the original's.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, Utc};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Deserialize;
use serde_json::Value;

use super::Throttler;
use crate::crash::Annotations;

const CASES: &str = include_str!("../../tests/data/throttle_cases.jsonl");
const ROLLS: u32 = 4000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    config: Config,
    annotations: BTreeMap<String, Value>,
    buildid_days_ago: Option<u64>,
    outcomes: Vec<Outcome>,
    /// For the reader only.
    #[serde(rename = "improve")]
    _improve: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    rules: Option<String>,
    products: Option<String>,
    product_packagenames: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Outcome {
    result: String,
    rule: String,
    probability: f64,
}

fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-07-14T12:00:00Z")
        .unwrap()
        .to_utc()
}

impl Case {
    fn throttler(&self) -> Throttler {
        let word = |given: &Option<String>| given.clone().unwrap_or("mozilla".to_owned());
        Throttler::new(
            &word(&self.config.rules),
            &word(&self.config.products),
            &word(&self.config.product_packagenames),
        )
        .unwrap()
    }

    fn annotations(&self) -> Annotations {
        let mut annotations: Annotations = self.annotations.clone().into_iter().collect();
        if let Some(days) = self.buildid_days_ago {
            let day = now().checked_sub_days(Days::new(days)).unwrap();
            let time_of_day = annotations.text("BuildID").unwrap();
            annotations.insert("BuildID", format!("{}{time_of_day}", day.format("%Y%m%d")));
        }
        annotations
    }

    /// How often each rule and result came out of many rolls of fair dice, as a fraction.
    fn observed(&self) -> BTreeMap<(String, String), f64> {
        let (throttler, annotations) = (self.throttler(), self.annotations());
        let mut dice = StdRng::seed_from_u64(20_260_714);
        let mut observed = BTreeMap::new();
        let rolls = if self.outcomes.len() > 1 { ROLLS } else { 20 };
        for _ in 0..rolls {
            let verdict = throttler.throttle(&annotations, now(), &mut || dice.random());
            let key = (verdict.rule().to_owned(), verdict.result().to_string());
            *observed.entry(key).or_insert(0.0) += 1.0 / f64::from(rolls);
        }
        observed
    }
}

fn cases() -> Vec<Case> {
    CASES
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn every_recorded_submission_gets_the_recorded_verdict() {
    let cases = cases();
    assert!(cases.len() > 150, "only {} cases", cases.len());
    for case in cases {
        let observed = case.observed();
        assert_eq!(
            observed.len(),
            case.outcomes.len(),
            "{}: {observed:?}",
            case.name
        );
        for outcome in &case.outcomes {
            let key = (outcome.rule.clone(), outcome.result.clone());
            let share = observed.get(&key).copied().unwrap_or_default();
            let near = (share - outcome.probability).abs() < 0.03;
            assert!(near, "{}: {key:?} has {share}: {observed:?}", case.name);
        }
    }
}

#[test]
fn the_dice_decide_at_the_recorded_chance() {
    for case in cases().iter().filter(|case| case.outcomes.len() == 2) {
        let (throttler, annotations) = (case.throttler(), case.annotations());
        let chance = case
            .outcomes
            .iter()
            .map(|outcome| outcome.probability)
            .fold(1.0, f64::min);
        let verdict = |roll| throttler.throttle(&annotations, now(), &mut || roll);
        assert!(verdict(chance - 0.001).keep().is_some(), "{}", case.name);
        assert!(verdict(chance + 0.001).keep().is_none(), "{}", case.name);
    }
}

#[test]
fn every_rule_of_mozillas_is_settled_by_some_case() {
    let cases = cases();
    let throttler = cases[0].throttler();
    for name in throttler.rule_names() {
        let seen = |case: &Case| case.outcomes.iter().any(|outcome| outcome.rule == name);
        assert!(cases.iter().any(seen), "no case for {name}");
    }
}
