//! `antenna config`: the settings, and where each comes from.

use crate::settings::ResolvedSettings;

/// Prints a line for each setting, with its source. Secrets are masked.
pub fn config(resolved: &ResolvedSettings) {
    let mut page = resolved.to_string();
    for warning in &resolved.warnings {
        page.push_str(&format!("# warning: {warning}\n"));
    }
    super::say(&page);
}
