//! `antenna throttle`: which rule decides about a raw crash, and why. Decides nothing itself.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;

use crate::app;
use crate::crash::Annotations;
use crate::settings::Settings;
use crate::throttle::{Explanation, Finding, ThrottleResult, Throttler};

use super::{CommandError, raw_crash};

/// Ways through the rules that are followed; each rule with a chance on the way doubles them.
const MOST_WAYS: usize = 1024;

#[derive(Debug, Args)]
pub struct ThrottleArgs {
    /// A raw crash as storage has it, or any JSON object of annotations; - is standard input
    #[arg(value_name = "RAW_CRASH.json", required_unless_present = "annotations")]
    raw_crash: Option<PathBuf>,
    /// An annotation; replaces the raw crash's. KEY=@FILE takes the value from a file. May be repeated
    #[arg(short, long = "annotation", value_name = "KEY=VALUE")]
    annotations: Vec<String>,
}

/// The page for one set of annotations, judged by the configured rules as of now.
///
/// # Errors
/// Mistakes in the rules; a raw crash that cannot be read.
pub fn throttle(settings: &Settings, args: &ThrottleArgs) -> Result<String, CommandError> {
    let throttler = app::throttler(settings).map_err(CommandError::Rules)?;
    let stored = raw_crash::gather(args.raw_crash.as_deref(), &args.annotations)?;
    Ok(explained(&throttler, stored.annotations, Utc::now()))
}

/// One way through the rules, and how likely the dice make it.
struct Way {
    explanation: Explanation,
    chance: f64,
}

fn explained(throttler: &Throttler, mut annotations: Annotations, now: DateTime<Utc>) -> String {
    let mut page = String::new();
    for note in throttler.apply_aliases(&mut annotations) {
        let _ = writeln!(page, "{note}");
    }
    let annotations = &annotations;
    let ways = ways(throttler, annotations, now);
    let widest = throttler.rule_names().map(str::len).max().unwrap_or(0);
    for (rule, when) in throttler.described() {
        let found = findings(&ways, rule);
        if found.is_empty() {
            break;
        }
        let _ = writeln!(page, "{rule:widest$}  {}", found.join(", or "));
        let _ = writeln!(page, "{:widest$}  {when}", "");
    }
    page.push('\n');
    for ((rule, result), chance) in outcomes(&ways) {
        let _ = writeln!(page, "{}", sentence(rule, result, chance));
        if let Some(lack) = throttler.lack(rule, annotations, now) {
            let listed = throttler.listed(&lack, annotations).join(", ");
            let _ = writeln!(page, "{lack}; the list has: {listed}");
        }
    }
    page
}

/// Every way the dice can choose, the first side of each chance first.
fn ways(throttler: &Throttler, annotations: &Annotations, now: DateTime<Utc>) -> Vec<Way> {
    let mut ways = Vec::new();
    // Which side each roll takes: false is below every percentage, true above.
    let mut sides: Vec<bool> = Vec::new();
    loop {
        let mut rolls = 0;
        let explanation = throttler.explain(annotations, now, &mut || {
            rolls += 1;
            if sides.len() < rolls {
                sides.push(false);
            }
            if sides[rolls - 1] { ALMOST_ONE } else { 0.0 }
        });
        let chances = explanation.steps.iter().map(|step| match step.finding {
            Finding::NoMatch => 1.0,
            Finding::Continued { percent } | Finding::Settled { percent, .. } => percent / 100.0,
        });
        let chance = chances.product();
        ways.push(Way {
            explanation,
            chance,
        });
        while sides.pop_if(|side| *side).is_some() {}
        match sides.last_mut() {
            Some(side) if ways.len() < MOST_WAYS => *side = true,
            _ => return ways,
        }
    }
}

/// The largest number below 1.
const ALMOST_ONE: f64 = 1.0 - f64::EPSILON / 2.0;

/// What a rule found on all the ways that reach it, without repetitions.
fn findings(ways: &[Way], rule: &str) -> Vec<String> {
    let mut found = Vec::new();
    for way in ways {
        let steps = way.explanation.steps.iter();
        for step in steps.filter(|step| &*step.rule == rule) {
            let text = step.finding.to_string();
            if !found.contains(&text) {
                found.push(text);
            }
        }
    }
    found
}

/// What can come out, with its probability, in the order of the ways.
fn outcomes(ways: &[Way]) -> Vec<((&str, ThrottleResult), f64)> {
    let mut order = Vec::new();
    let mut chances = BTreeMap::new();
    for way in ways {
        let verdict = &way.explanation.verdict;
        let key = (verdict.rule(), verdict.result().as_str());
        if !chances.contains_key(&key) {
            order.push((key, verdict.result()));
        }
        *chances.entry(key).or_insert(0.0) += way.chance;
    }
    let outcome = |(key, result): ((_, _), ThrottleResult)| ((key.0, result), chances[&key]);
    order.into_iter().map(outcome).collect()
}

fn sentence(rule: &str, result: ThrottleResult, chance: f64) -> String {
    let means = match result {
        ThrottleResult::Accept => "kept and processed".to_owned(),
        ThrottleResult::Defer => "kept, processed only when somebody asks for it".to_owned(),
        ThrottleResult::Reject => {
            format!("not kept; the client is told Discarded=rule_{rule}")
        }
        ThrottleResult::FakeAccept => {
            "not kept; the client is told that it was, with an id".to_owned()
        }
    };
    // Parts of a percent of a part: two digits say enough.
    let percent = (chance * 10_000.0).round() / 100.0;
    let likely = if percent >= 100.0 {
        String::new()
    } else {
        format!("{percent} % ")
    };
    format!("{likely}{result} by {rule}: {means}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn page(annotations: &[(&str, &str)]) -> String {
        let throttler = Throttler::new("mozilla", "mozilla", "mozilla").unwrap();
        let annotations = annotations.iter();
        let annotations =
            annotations.map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
        explained(&throttler, annotations.collect(), Utc::now())
    }

    #[test]
    fn the_rule_that_decides_comes_last_with_its_condition() {
        let page = page(&[("ProductName", "Firefox"), ("ReleaseChannel", "nightly")]);
        let end = "\
is_nightly                          match: accept
                                    ReleaseChannel begins with \"nightly\"

accept by is_nightly: kept and processed
";
        assert!(page.ends_with(end), "{page}");
        assert!(page.starts_with("has_old_buildid                     no match\n"));
        assert!(!page.contains("is_firefox_desktop"), "{page}");
    }

    #[test]
    fn chances_are_added_up_over_all_ways() {
        let page = page(&[
            ("ProductName", "Firefox"),
            ("ReleaseChannel", "release"),
            ("ipc_channel_error", "ShutDownKill"),
        ]);
        let (_, outcomes) = page.split_once("\n\n").unwrap();
        assert_eq!(
            outcomes,
            "1 % accept by is_firefox_desktop: kept and processed\n\
             9 % reject by is_firefox_desktop: not kept; the client is told Discarded=rule_is_firefox_desktop\n\
             90 % reject by is_shutdownkill: not kept; the client is told Discarded=rule_is_shutdownkill\n"
        );
        assert!(page.contains(
            "is_firefox_desktop                  match: accept (a chance of 10 %), or match: reject (a chance of 90 %)"
        ));
    }

    #[test]
    fn what_a_discarded_report_lacks_is_said_in_full() {
        let list = "the list has: Fenix, Firefox, Firefox Enterprise, Focus, MozillaVPN, ReferenceBrowser, Thunderbird\n";
        for (sent, lacks) in [
            (
                &[("prod", "Electron"), ("_productName", "Editor")][..],
                "ProductName is missing, but there is _productName and prod: [aliases] in a rules file can make it ProductName; ",
            ),
            (
                &[("ProductName", "Editor")],
                "ProductName is not in the list of products; ",
            ),
        ] {
            let page = page(sent);
            assert!(page.ends_with(&format!("{lacks}{list}")), "{page}");
        }
        let page = page(&[("ProductName", "Focus"), ("Android_PackageName", "fork")]);
        let lacks = "Android_PackageName is not in the list of package names of its product; the list has: org.mozilla.focus, ";
        assert!(page.contains(lacks), "{page}");
    }

    #[test]
    fn no_value_of_an_annotation_is_shown() {
        let page = page(&[("ProductName", "Firefox"), ("Comments", "very private")]);
        assert!(!page.contains("private"), "{page}");
    }
}
