//! Hands out the value of one setting after the other and remembers what was asked for.
//!
//! What is asked for *is* the list of settings: there is no second one that could disagree.

use config::{Map, Value};

use super::problem::Problem;
use super::resolved::ResolvedValue;
use super::setting::{Section, Setting, SettingInfo};
use super::value_type::ParseError;

/// The values of all settings, and everything found out while they were read.
pub(super) struct Reader {
    given: Map<String, Value>,
    section: &'static Section,
    pub resolved: Vec<ResolvedValue>,
    pub problems: Vec<Problem>,
}

/// Where a value comes from that nobody gave.
pub(super) const DEFAULT: &str = "default";

static NO_SECTION: Section = Section {
    title: "",
    intro: "",
};

impl Reader {
    pub fn new(given: Map<String, Value>) -> Self {
        Self {
            given,
            section: &NO_SECTION,
            resolved: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Settings asked for from here on belong to this section.
    pub fn section(&mut self, section: &'static Section) {
        self.section = section;
    }

    /// The value of a setting. If what is given does not fit, that becomes a problem and the default stands in.
    pub fn take<T>(&mut self, setting: &Setting<T>) -> T {
        let info = setting.info(self.section);
        let (text, source) = self.text_of(&info);
        let resolved = ResolvedValue {
            info,
            shown: info.shown(&text),
            source,
        };
        let value = (setting.kind.parse)(&text).unwrap_or_else(|error| {
            self.problems.push(invalid(&resolved, error));
            (setting.kind.parse)(info.default)
                .unwrap_or_else(|_| unreachable!("every default fits; the tests read them all"))
        });
        self.resolved.push(resolved);
        value
    }

    /// The value of a setting that has no default but is needed because of what `reason` says.
    pub fn required<T>(
        &mut self,
        setting: &Setting<Option<T>>,
        value: Option<T>,
        reason: &'static str,
    ) -> Option<T> {
        // A value that did not fit is not missing as well.
        let misfit =
            |it: &Problem| matches!(it, Problem::Invalid { name, .. } if *name == setting.name());
        if value.is_none() && !self.problems.iter().any(misfit) {
            self.problems.push(Problem::Missing {
                name: setting.name(),
                reason,
                example: setting.info(self.section).example,
            });
        }
        value
    }

    /// A value that was taken and does not go with another one.
    pub fn refuse<T>(&mut self, setting: &Setting<T>, reason: &'static str) {
        let mut resolved = self.resolved.iter();
        if let Some(value) = resolved.rfind(|value| value.name() == setting.name()) {
            self.problems
                .push(invalid(value, ParseError::Because(reason)));
        }
    }

    fn text_of(&mut self, info: &SettingInfo) -> (String, String) {
        let value = self.given.remove(info.name());
        let source = value.as_ref().and_then(Value::origin).unwrap_or(DEFAULT);
        let source = source.to_owned();
        let text = value.and_then(|value| value.into_string().ok());
        (text.unwrap_or_else(|| info.default.to_owned()), source)
    }
}

fn invalid(
    ResolvedValue {
        info,
        shown,
        source,
    }: &ResolvedValue,
    error: ParseError,
) -> Problem {
    Problem::Invalid {
        name: info.name(),
        shown: shown.clone(),
        source: source.clone(),
        form: info.form,
        example: info.example,
        reason: match error {
            ParseError::Form => None,
            ParseError::Because(reason) => Some(reason),
        },
    }
}
