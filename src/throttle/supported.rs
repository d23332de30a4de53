//! The products and Android packages whose crashes are wanted. Not the rules: those only ask.

use std::collections::{BTreeMap, BTreeSet};

/// Android package names by product.
pub(super) type PackageNames = BTreeMap<String, BTreeSet<String>>;

/// Product list and package names, as chosen at start.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Supported {
    /// Empty: every product, even none at all.
    pub products: BTreeSet<String>,
    /// A product that is not here may come with any package name or none.
    pub package_names: PackageNames,
}

impl Supported {
    /// `product` is `None` if the submission names none.
    pub fn has_product(&self, product: Option<&str>) -> bool {
        self.products.is_empty() || product.is_some_and(|product| self.products.contains(product))
    }

    /// The products, or the package names of a submission's product.
    pub fn listed(&self, annotation: &str, product: Option<&str>) -> Vec<&str> {
        let names = match annotation {
            "ProductName" => Some(&self.products),
            _ => product.and_then(|product| self.package_names.get(product)),
        };
        names.into_iter().flatten().map(String::as_str).collect()
    }

    /// Both are `None` if the submission does not name them.
    pub fn has_package(&self, product: Option<&str>, package: Option<&str>) -> bool {
        let Some(names) = product.and_then(|product| self.package_names.get(product)) else {
            return true;
        };
        package.is_some_and(|package| names.contains(package))
    }
}
