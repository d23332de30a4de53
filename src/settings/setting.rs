//! What one declared setting consists of. The declarations themselves stand with the area they belong to.

use super::value_type::ValueType;

/// One setting, declared once: everything else about it (parsing, masking, logs, the page) follows from this.
pub(super) struct Setting<T: 'static> {
    /// The environment name, then other names under which the value is taken when the first is not given.
    pub names: &'static [&'static str],
    /// The text used when nothing is given. Empty for "unset".
    pub default: &'static str,
    /// Why the default is what it is, or what holds while the setting is unset. A clause without a full stop.
    pub reason: &'static str,
    /// What the setting does, in full sentences, for the operator.
    pub help: &'static str,
    pub kind: ValueType<T>,
}

impl<T> Setting<T> {
    /// The name that stands in logs and on the page.
    pub fn name(&self) -> &'static str {
        self.names[0]
    }

    pub fn info(&self, section: &'static Section) -> SettingInfo {
        SettingInfo {
            names: self.names,
            default: self.default,
            reason: self.reason,
            help: self.help,
            form: self.kind.form,
            example: match self.default {
                "" => self.kind.example,
                default => default,
            },
            is_secret: self.kind.is_secret,
            section,
        }
    }
}

/// A declaration without its type, so that all of them fit in one list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SettingInfo {
    pub names: &'static [&'static str],
    pub default: &'static str,
    pub reason: &'static str,
    pub help: &'static str,
    pub form: &'static str,
    /// A value that fits: the default, if there is one.
    pub example: &'static str,
    pub is_secret: bool,
    pub section: &'static Section,
}

impl SettingInfo {
    pub fn name(&self) -> &'static str {
        self.names[0]
    }

    /// The value as it may be shown to people: secrets masked, unless there is none.
    pub fn shown(&self, text: &str) -> String {
        match self.is_secret && !text.is_empty() {
            true => super::secret::MASK.to_owned(),
            false => text.to_owned(),
        }
    }
}

/// A group of settings: a heading on the page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub title: &'static str,
    pub intro: &'static str,
}
