//! The throttler as a whole, with Mozilla's rules.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn mozilla() -> Throttler {
    Throttler::new("mozilla", "mozilla", "mozilla").unwrap()
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
