//! What a throttle rule concluded about one submission, and the proof that it may be kept.

use std::fmt;
use std::sync::Arc;

use crate::crash::ThrottleDigit;

/// What happens to a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ThrottleResult {
    /// Kept and processed.
    Accept,
    /// Kept, processed only when somebody asks for it.
    Defer,
    /// Not kept; the client is told so.
    Reject,
    /// Not kept; the client is told that it was, because it would send the report again for ever.
    FakeAccept,
}

impl ThrottleResult {
    pub const ALL: [Self; 4] = [Self::Accept, Self::Defer, Self::Reject, Self::FakeAccept];

    /// As it stands in rules files and in metric tags.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Defer => "defer",
            Self::Reject => "reject",
            Self::FakeAccept => "fakeaccept",
        }
    }
}

impl fmt::Display for ThrottleResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The rule that settled a submission, and its result. Only a [`Throttler`](super::Throttler) makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    rule: Arc<str>,
    result: ThrottleResult,
}

impl Verdict {
    pub(super) fn new(rule: Arc<str>, result: ThrottleResult) -> Self {
        Self { rule, result }
    }

    /// The name of the rule, as it stands in `Discarded=rule_<name>` and in metric tags.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    pub fn result(&self) -> ThrottleResult {
        self.result
    }

    /// The leave to keep the submission; `None` if it was rejected or only seemingly accepted.
    pub fn keep(&self) -> Option<Keep> {
        let digit = match self.result {
            ThrottleResult::Accept => ThrottleDigit::Accept,
            ThrottleResult::Defer => ThrottleDigit::Defer,
            ThrottleResult::Reject | ThrottleResult::FakeAccept => return None,
        };
        Some(Keep {
            rule: Arc::clone(&self.rule),
            digit,
        })
    }

    /// The digit of the crash id that the client is told; `None` if it is told none.
    pub fn digit(&self) -> Option<ThrottleDigit> {
        match self.result {
            ThrottleResult::Accept => Some(ThrottleDigit::Accept),
            ThrottleResult::Defer => Some(ThrottleDigit::Defer),
            ThrottleResult::FakeAccept => Some(ThrottleDigit::FakeAccept),
            ThrottleResult::Reject => None,
        }
    }
}

/// The proof that a rule let a submission through.
///
/// Only [`Verdict::keep`] yields it, so what was rejected cannot be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    rule: Arc<str>,
    digit: ThrottleDigit,
}

impl Keep {
    /// The name of the rule, for the raw crash.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// The digit for the crash id.
    pub fn digit(&self) -> ThrottleDigit {
        self.digit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_accepted_or_deferred_is_kept() {
        for (result, kept, told) in [
            (
                ThrottleResult::Accept,
                Some(ThrottleDigit::Accept),
                Some(ThrottleDigit::Accept),
            ),
            (
                ThrottleResult::Defer,
                Some(ThrottleDigit::Defer),
                Some(ThrottleDigit::Defer),
            ),
            (
                ThrottleResult::FakeAccept,
                None,
                Some(ThrottleDigit::FakeAccept),
            ),
            (ThrottleResult::Reject, None, None),
        ] {
            let verdict = Verdict::new("some_rule".into(), result);
            let keep = verdict.keep();
            assert_eq!(keep.as_ref().map(Keep::digit), kept, "{result}");
            assert_eq!(verdict.digit(), told, "{result}");
            assert!(keep.is_none_or(|keep| keep.rule() == "some_rule"));
        }
    }
}
