//! `antenna metrics`: the reference page of all metrics.

use crate::app;
use crate::metrics;

/// The page. Which throttle rules there are is another page's matter.
pub fn page() -> String {
    metrics::markdown(&app::tag_values(["a_rule"]))
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
