//! Hands out the value of one setting after the other and remembers what was asked for.
//!
//! What is asked for *is* the list of settings: there is no second one that could disagree.

use config::{Map, Value};

use super::kind::Unfit;
use super::problem::Problem;
use super::setting::{About, Section, Setting};

/// One setting that was asked for, and what was there.
pub(super) struct Taken {
    pub about: About,
    pub section: &'static Section,
    /// The text that was used; secrets in the clear.
    pub text: String,
    /// Where it comes from, in words.
    pub source: String,
}

/// The values of all settings, and everything found out while they were read.
pub(super) struct Reader {
    given: Map<String, Value>,
    section: &'static Section,
    pub taken: Vec<Taken>,
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
            taken: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Settings asked for from here on belong to this section.
    pub fn section(&mut self, section: &'static Section) {
        self.section = section;
    }

    /// The value of a setting. If what is given does not fit, that becomes a problem and the default stands in.
    pub fn take<T>(&mut self, setting: &Setting<T>) -> T {
        let about = setting.about();
        let (text, source) = self.text_of(&about);
        let value = (setting.kind.parse)(&text).unwrap_or_else(|unfit| {
            self.problems
                .push(unfit_value(&about, &text, &source, unfit));
            (setting.kind.parse)(about.default)
                .unwrap_or_else(|_| unreachable!("every default fits; the tests read them all"))
        });
        self.taken.push(Taken {
            about,
            section: self.section,
            text,
            source,
        });
        value
    }

    /// The value of a setting that has no default but is needed because of what `because` says.
    pub fn required<T>(
        &mut self,
        setting: &Setting<Option<T>>,
        value: Option<T>,
        because: &'static str,
    ) -> Option<T> {
        // A value that did not fit is not missing as well.
        let misfit =
            |it: &Problem| matches!(it, Problem::Unfit { name, .. } if *name == setting.name());
        if value.is_none() && !self.problems.iter().any(misfit) {
            self.problems.push(Problem::Missing {
                name: setting.name(),
                because,
                example: setting.example(),
            });
        }
        value
    }

    /// A value that was taken and does not go with another one.
    pub fn refuse<T>(&mut self, setting: &Setting<T>, because: &'static str) {
        let taken = self
            .taken
            .iter()
            .rfind(|taken| taken.about.name() == setting.name());
        if let Some(Taken {
            about,
            text,
            source,
            ..
        }) = taken
        {
            let problem = unfit_value(about, text, source, Unfit::Because(because));
            self.problems.push(problem);
        }
    }

    fn text_of(&mut self, about: &About) -> (String, String) {
        let value = self.given.remove(about.name());
        let source = value.as_ref().and_then(Value::origin).unwrap_or(DEFAULT);
        let source = source.to_owned();
        let text = value.and_then(|value| value.into_string().ok());
        (text.unwrap_or_else(|| about.default.to_owned()), source)
    }
}

fn unfit_value(about: &About, text: &str, source: &str, unfit: Unfit) -> Problem {
    Problem::Unfit {
        name: about.name(),
        shown: about.shown(text),
        source: source.to_owned(),
        form: about.form,
        example: about.example,
        because: match unfit {
            Unfit::Form => None,
            Unfit::Because(because) => Some(because),
        },
    }
}
