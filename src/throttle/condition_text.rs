//! Conditions in words, for people who ask why a rule applies. Not the form of rules files.

use std::fmt;

use super::condition::{Condition, Place};
use super::value_test::{IntegerTest, TextTest};

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(conditions) => joined(f, conditions, " and "),
            Self::Any(conditions) => joined(f, conditions, " or "),
            Self::Not(condition) => write!(f, "not ({condition})"),
            Self::Present {
                annotation,
                present: true,
            } => write!(f, "{annotation} is there"),
            Self::Present { annotation, .. } => write!(f, "{annotation} is missing"),
            Self::Text { place, test } => write!(f, "{place} {test}"),
            Self::Integer { place, test } => write!(f, "{place} {test}"),
            Self::ProductSupported(true) => f.write_str("the product is supported"),
            Self::ProductSupported(false) => f.write_str("the product is not supported"),
            Self::PackageSupported(true) => f.write_str("the package name is supported"),
            Self::PackageSupported(false) => f.write_str("the package name is not supported"),
            Self::ProductListHas(product) => write!(f, "the product list has {product:?}"),
        }
    }
}

/// Lists inside of lists stand in parentheses.
fn joined(f: &mut fmt::Formatter<'_>, conditions: &[Condition], between: &str) -> fmt::Result {
    for (at, condition) in conditions.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        match condition {
            Condition::All(inner) | Condition::Any(inner) if inner.len() > 1 => {
                write!(f, "({condition})")?
            }
            _ => write!(f, "{condition}")?,
        }
    }
    Ok(())
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.annotation)
        } else {
            write!(f, "{} in {}", self.path.join("."), self.annotation)
        }
    }
}

impl fmt::Display for TextTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals(text) => write!(f, "is {text:?}"),
            Self::EqualsIgnoringCase(text) => write!(f, "is {text:?} in any case"),
            Self::OneOf(texts) => write!(f, "is {}", alternatives(texts)),
            Self::StartsWith(prefixes) => write!(f, "begins with {}", alternatives(prefixes)),
            Self::Matches(regex) => write!(f, "matches '{regex}'"),
            Self::Before(end) => write!(f, "sorts before {end:?}"),
            Self::OlderThanDays(days) => write!(f, "is a build of more than {days} days ago"),
        }
    }
}

fn alternatives<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    let quoted: Vec<_> = texts.into_iter().map(|text| format!("{text:?}")).collect();
    quoted.join(" or ")
}

impl fmt::Display for IntegerTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals(number) => write!(f, "is the number {number}"),
            Self::AtLeast(least) => write!(f, "is at least {least}"),
            Self::AtMost(most) => write!(f, "is at most {most}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::throttle::Throttler;

    fn when(rule: &str) -> String {
        let throttler = Throttler::new("mozilla", "mozilla", "mozilla").unwrap();
        let mut rules = throttler.described();
        rules.find(|(name, _)| *name == rule).unwrap().1
    }

    #[test]
    fn a_condition_reads_as_a_sentence() {
        for (rule, text) in [
            (
                "has_old_buildid",
                "BuildID is a build of more than 730 days ago",
            ),
            (
                "has_hangid_and_browser",
                "HangID is there and (ProcessType is missing or ProcessType is \"browser\")",
            ),
            (
                "b2g",
                "not (the product list has \"B2G\") and ProductName is \"B2G\" in any case",
            ),
            ("unsupported_product", "the product is not supported"),
            (
                "is_alpha_beta_esr",
                "ReleaseChannel is \"aurora\" or \"beta\" or \"esr\"",
            ),
            ("is_nightly", "ReleaseChannel begins with \"nightly\""),
            ("accept_everything", "every report"),
        ] {
            assert_eq!(when(rule), text);
        }
        assert!(
            when("is_firefox_esr_unsupported_windows")
                .contains("system.os.name in TelemetryEnvironment is \"Windows_NT\"")
        );
    }

    #[test]
    fn every_rule_is_described_in_order() {
        let throttler = Throttler::new("mozilla", "all", "all").unwrap();
        let described: Vec<_> = throttler.described().map(|(name, _)| name).collect();
        assert_eq!(described, throttler.rule_names().collect::<Vec<_>>());
    }
}
