//! Settings that choose which reports are wanted. What the texts mean is the throttler's business.

use super::reader::Reader;
use super::setting::{Section, Setting};
use super::value_type::{TEXT, ValueType};

/// Names or files of rules, as they were given.
#[derive(Clone, Debug)]
pub struct ThrottleSettings {
    pub rules: String,
    pub products: String,
    pub product_packagenames: String,
}

static SECTION: Section = Section {
    title: "Throttling",
    intro: "Each of these takes the name of something built in, the path of a TOML file, or the original's dotted name. The \
            format of the file is described in [throttling.md](throttling.md).",
};

const RULES_OR_FILE: ValueType<String> = ValueType {
    form: "a built-in name or the path of a TOML file",
    example: "mozilla",
    ..TEXT
};

static RULES: Setting<String> = Setting {
    names: &["BREAKPAD_THROTTLER_RULES"],
    default: "mozilla",
    reason: "Mozilla's rules, as the original's",
    help: "Which reports are accepted, deferred or rejected: `mozilla`, `accept_all`, or a file.",
    kind: RULES_OR_FILE,
};

static PRODUCTS: Setting<String> = Setting {
    names: &["BREAKPAD_THROTTLER_PRODUCTS"],
    default: "mozilla",
    reason: "Mozilla's products, as the original's",
    help: "Which values of `ProductName` are accepted: `mozilla`, `all`, or a file.",
    kind: RULES_OR_FILE,
};

static PRODUCT_PACKAGENAMES: Setting<String> = Setting {
    names: &["BREAKPAD_THROTTLER_PRODUCT_PACKAGENAMES"],
    default: "mozilla",
    reason: "Mozilla's Android packages, as the original's",
    help: "Which values of `Android_PackageName` are accepted for a product: `mozilla`, `all`, or a file.",
    kind: RULES_OR_FILE,
};

impl ThrottleSettings {
    pub(super) fn read(values: &mut Reader) -> Self {
        values.section(&SECTION);
        Self {
            rules: values.take(&RULES),
            products: values.take(&PRODUCTS),
            product_packagenames: values.take(&PRODUCT_PACKAGENAMES),
        }
    }
}
