//! What one declared setting consists of. The declarations themselves stand with the area they belong to.

use super::kind::Kind;

/// One setting, declared once: everything else about it (parsing, masking, logs, the page) follows from this.
pub(super) struct Setting<T: 'static> {
    /// The environment name, then other names under which the value is taken when the first is not given.
    pub names: &'static [&'static str],
    /// The text used when nothing is given. Empty for "unset".
    pub default: &'static str,
    /// Why the default is what it is, or what holds while the setting is unset. A clause without a full stop.
    pub because: &'static str,
    /// What the setting does, in full sentences, for whoever operates the collector.
    pub help: &'static str,
    pub kind: Kind<T>,
}

impl<T> Setting<T> {
    /// The name that stands in logs and on the page.
    pub fn name(&self) -> &'static str {
        self.names[0]
    }

    /// A value that fits: the default, if there is one.
    pub fn example(&self) -> &'static str {
        match self.default {
            "" => self.kind.example,
            default => default,
        }
    }

    pub fn about(&self) -> About {
        About {
            names: self.names,
            default: self.default,
            because: self.because,
            help: self.help,
            form: self.kind.form,
            example: self.example(),
            secret: self.kind.secret,
        }
    }
}

/// A declaration without its type, so that all of them fit in one list.
#[derive(Clone, Copy)]
pub(super) struct About {
    pub names: &'static [&'static str],
    pub default: &'static str,
    pub because: &'static str,
    pub help: &'static str,
    pub form: &'static str,
    pub example: &'static str,
    pub secret: bool,
}

impl About {
    pub fn name(&self) -> &'static str {
        self.names[0]
    }

    /// The value as it may be shown to people: secrets masked, unless there is none.
    pub fn shown(&self, text: &str) -> String {
        if self.secret && !text.is_empty() {
            super::secret::MASK.to_owned()
        } else {
            text.to_owned()
        }
    }
}

/// A group of settings: a heading on the page.
pub(super) struct Section {
    pub title: &'static str,
    pub intro: &'static str,
}
