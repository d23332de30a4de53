//! `antenna config`: the settings, and where each comes from.

use crate::settings::Loaded;

/// Prints a line for each setting, with its source. Secrets are masked.
pub fn config(loaded: &Loaded) {
    let mut page = loaded.to_string();
    for warning in &loaded.warnings {
        page.push_str(&format!("# warning: {warning}\n"));
    }
    super::say(&page);
}
