//! `antenna config`: the settings, and where each comes from.

use crate::settings::Loaded;

/// Prints a line for each setting, with its source. Secrets are masked.
pub fn config(loaded: &Loaded) {
    print!("{loaded}");
    for warning in &loaded.warnings {
        println!("# warning: {warning}");
    }
}
