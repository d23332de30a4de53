//! Which products have had a report discarded already: their owners are told once, not for each report.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::throttle::Lack;

/// Clients choose the names of products, and can make up any number of them.
const MOST: usize = 100;

/// What was told already. Names are kept as hashes: they are annotations, and may be long.
#[derive(Default)]
pub struct FirstDiscards {
    hasher: RandomState,
    told: Mutex<HashSet<u64>>,
}

impl FirstDiscards {
    /// Whether nothing has been told yet about this product, this rule and what the report lacks; now it has.
    pub fn is_first(&self, rule: &str, lack: &Lack, product: Option<&Value>) -> bool {
        let product = product.and_then(Value::as_str);
        let hash = self.hasher.hash_one((rule, lack, product));
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.len() < MOST && told.insert(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lack(is_missing: bool) -> Lack {
        Lack {
            annotation: "ProductName",
            is_missing,
            sent_instead: Vec::new(),
        }
    }

    #[test]
    fn each_product_and_rule_is_told_once() {
        let (first, product) = (FirstDiscards::default(), Value::from("Editor"));
        let is_first = |rule, product| first.is_first(rule, &lack(false), product);
        assert!(is_first("a", Some(&product)));
        assert!(!is_first("a", Some(&product)));
        assert!(is_first("b", Some(&product)));
        assert!(is_first("a", None));
        assert!(first.is_first("a", &lack(true), None));
    }

    #[test]
    fn invented_products_do_not_fill_the_log() {
        let first = FirstDiscards::default();
        let told = (0..1000).filter(|n| {
            let product = Value::from(format!("p{n}"));
            first.is_first("a", &lack(false), Some(&product))
        });
        assert_eq!(told.count(), MOST);
    }
}
