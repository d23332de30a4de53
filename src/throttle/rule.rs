//! Rules in their order: a name, a condition, and what follows when it holds.

use std::fmt;
use std::sync::Arc;

use super::condition::{Condition, Facts};
use super::verdict::ThrottleResult;

/// Rules that always come to a verdict: what no rule settles, the catch-all does.
#[derive(Clone, Debug)]
pub(super) struct RuleSet {
    pub rules: Vec<Rule>,
    pub catch_all: CatchAll,
}

/// The last rule: no condition, no chance.
#[derive(Clone, Debug)]
pub(super) struct CatchAll {
    pub name: Arc<str>,
    pub result: ThrottleResult,
}

/// One rule.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub name: Arc<str>,
    /// `None`: every submission.
    pub when: Option<Condition>,
    pub outcome: RuleOutcome,
}

/// What follows when a rule's condition holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum RuleOutcome {
    Settle(ThrottleResult),
    /// The dice choose: `then` with a chance of `percent`, between 0 and 100, otherwise `otherwise`.
    Chance {
        percent: f64,
        then: Next,
        otherwise: Next,
    },
}

/// One side of a chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Next {
    Settle(ThrottleResult),
    /// The submission goes on to the next rule, as if this one had not matched.
    Continue,
}

/// What one rule concluded about one submission.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Finding {
    /// Its condition does not hold.
    NoMatch,
    /// Its condition holds and the dice, with this chance, said to go on to the next rule.
    Continued { percent: f64 },
    /// It settled the submission; the chance is 100 where no dice were asked.
    Settled {
        result: ThrottleResult,
        percent: f64,
    },
}

impl Rule {
    /// `dice` yields numbers from 0 up to, not including, 1; it is rolled only if the rule matches and has a chance.
    pub fn decide(&self, facts: &Facts, dice: &mut dyn FnMut() -> f64) -> Finding {
        match &self.when {
            Some(condition) if !condition.holds(facts) => Finding::NoMatch,
            _ => self.outcome.roll(dice),
        }
    }
}

impl RuleOutcome {
    /// False if a submission that matches never reaches the next rule.
    pub fn can_continue(self) -> bool {
        match self {
            Self::Settle(_) => false,
            Self::Chance {
                then, otherwise, ..
            } => then == Next::Continue || otherwise == Next::Continue,
        }
    }

    fn roll(self, dice: &mut dyn FnMut() -> f64) -> Finding {
        let (next, percent) = match self {
            Self::Settle(result) => (Next::Settle(result), 100.0),
            Self::Chance { percent, then, .. } if dice() * 100.0 < percent => (then, percent),
            Self::Chance {
                percent, otherwise, ..
            } => (otherwise, 100.0 - percent),
        };
        match next {
            Next::Settle(result) => Finding::Settled { result, percent },
            Next::Continue => Finding::Continued { percent },
        }
    }
}

impl fmt::Display for RuleOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settle(result) => result.fmt(f),
            Self::Chance {
                percent,
                then,
                otherwise,
            } => write!(f, "{percent} % {then}, else {otherwise}"),
        }
    }
}

impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settle(result) => result.fmt(f),
            Self::Continue => f.write_str("continue"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMatch => f.write_str("no match"),
            Self::Continued { percent } => {
                write!(f, "match: continue (a chance of {percent} %)")
            }
            Self::Settled { result, percent } if *percent < 100.0 => {
                write!(f, "match: {result} (a chance of {percent} %)")
            }
            Self::Settled { result, .. } => write!(f, "match: {result}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RARELY: RuleOutcome = RuleOutcome::Chance {
        percent: 10.0,
        then: Next::Continue,
        otherwise: Next::Settle(ThrottleResult::Reject),
    };

    #[test]
    fn the_dice_choose_the_side() {
        assert_eq!(
            RARELY.roll(&mut || 0.0),
            Finding::Continued { percent: 10.0 }
        );
        assert_eq!(
            RARELY.roll(&mut || 0.0999),
            Finding::Continued { percent: 10.0 }
        );
        let rejected = Finding::Settled {
            result: ThrottleResult::Reject,
            percent: 90.0,
        };
        assert_eq!(RARELY.roll(&mut || 0.1), rejected);
        assert_eq!(RARELY.roll(&mut || 0.9999), rejected);
    }

    #[test]
    fn no_dice_are_rolled_where_nothing_hangs_on_them() {
        let settled = RuleOutcome::Settle(ThrottleResult::Accept);
        let finding = settled.roll(&mut || panic!("rolled"));
        assert_eq!(finding.to_string(), "match: accept");
    }

    #[test]
    fn outcomes_read_as_sentences() {
        assert_eq!(RARELY.to_string(), "10 % continue, else reject");
        assert_eq!(
            RuleOutcome::Settle(ThrottleResult::Defer).to_string(),
            "defer"
        );
    }
}
