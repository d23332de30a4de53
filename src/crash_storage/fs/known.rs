//! The folders that need not be made again, within bounds: clients choose the names of dumps, and with them folders.

use std::collections::HashSet;

/// Names that are remembered at least as long as they are among the last so many that were used.
const MOST_RECENT: usize = 1000;

/// Names in use stay; of the others half are forgotten at a time.
#[derive(Debug, Default)]
pub(super) struct Known {
    recent: HashSet<String>,
    /// Forgotten when `recent` is full again, unless they are used.
    older: HashSet<String>,
}

impl Known {
    pub(super) fn contains(&mut self, name: &str) -> bool {
        if self.recent.contains(name) {
            return true;
        }
        let is_older = self.older.remove(name);
        if is_older {
            self.insert(name);
        }
        is_older
    }

    pub(super) fn insert(&mut self, name: &str) {
        if self.recent.len() >= MOST_RECENT {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(name.to_owned());
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_chosen_by_clients_do_not_fill_the_memory_nor_drive_out_those_in_use() {
        let mut known = Known::default();
        known.insert("in use");
        for number in 0..10 * MOST_RECENT {
            known.insert(&number.to_string());
            assert!(known.contains("in use"), "after {number}");
        }
        assert!(known.recent.len() + known.older.len() <= 2 * MOST_RECENT);
        assert!(!known.contains("0"));
        known.clear();
        assert!(!known.contains("in use"));
    }
}
