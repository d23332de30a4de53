//! `antenna metrics`: the reference page of all metrics.

use crate::intake::Malformed;
use crate::metrics::{self, TagValues};
use crate::throttle::ThrottleResult;

/// The page, with the tag values that intake and throttle decide.
pub fn page() -> String {
    metrics::markdown(&TagValues {
        malformed_reasons: Malformed::ALL
            .into_iter()
            // Answered before it is counted, as the original did.
            .filter(|reason| *reason != Malformed::BadBoundary)
            .map(Malformed::code)
            .collect(),
        throttle_results: ThrottleResult::ALL.map(ThrottleResult::as_str).to_vec(),
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_in_docs_is_the_rendered_one() {
        let in_docs = include_str!("../../docs/metrics.md");
        assert!(
            in_docs == super::page(),
            "docs/metrics.md is out of date: cargo run -- metrics > docs/metrics.md"
        );
    }
}
