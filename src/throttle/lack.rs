//! What a submission lacks to be of a supported product or package: for its owner, who wonders why it was discarded.

use std::fmt;

use super::condition::{Condition, Facts, annotation_text};

/// Under these names clients send their product where they do not know of `ProductName`: Electron, Crashpad and all that
/// is built on it, BugSplat's recipes.
const PRODUCT_NAMES: [&str; 3] = ["_productName", "prod", "product"];

/// An annotation that is missing, or not in the list in which it must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lack {
    /// `ProductName` or `Android_PackageName`.
    pub annotation: &'static str,
    /// It was not sent at all.
    pub is_missing: bool,
    /// What was sent that may be meant.
    pub sent_instead: Vec<&'static str>,
}

impl Lack {
    /// What makes this condition, which holds, hold; `None` if it does not ask for products or packages.
    pub(super) fn behind(condition: &Condition, facts: &Facts) -> Option<Self> {
        let product = annotation_text(facts.annotations, "ProductName");
        if condition.asks_for_product() && !facts.supported.has_product(product.as_deref()) {
            let mut names = PRODUCT_NAMES.to_vec();
            names.retain(|name| facts.annotations.contains(name));
            return Some(Self::of("ProductName", facts, names));
        }
        let package = annotation_text(facts.annotations, "Android_PackageName");
        let is_lacking = condition.asks_for_package()
            && !facts
                .supported
                .has_package(product.as_deref(), package.as_deref());
        is_lacking.then(|| Self::of("Android_PackageName", facts, Vec::new()))
    }

    fn of(annotation: &'static str, facts: &Facts, names: Vec<&'static str>) -> Self {
        let is_missing = !facts.annotations.contains(annotation);
        Self {
            annotation,
            is_missing,
            sent_instead: if is_missing { names } else { Vec::new() },
        }
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let annotation = self.annotation;
        if self.is_missing {
            write!(f, "{annotation} is missing")?;
        } else if annotation == "ProductName" {
            f.write_str("ProductName is not in the list of products")?;
        } else {
            write!(
                f,
                "{annotation} is not in the list of package names of its product"
            )?;
        }
        if !self.sent_instead.is_empty() {
            let sent = self.sent_instead.join(" and ");
            write!(
                f,
                ", but there is {sent}: [aliases] in a rules file can make it {annotation}"
            )?;
        }
        Ok(())
    }
}
