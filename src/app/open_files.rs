//! How many files the process may open, and how many connections that is enough for.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::settings::Settings;

/// The admin listener, log, metrics, Sentry, signals, the runtime.
const EVERYTHING_ELSE: u64 = 128;
/// Files and folders of a report, or connections to S3.
const PER_MOVER: u64 = 8;
/// Threads that work on the spool, each with a file.
const SPOOL: u64 = 64;

/// Descriptors: what there are, and what is wanted.
pub struct OpenFiles {
    limit: u64,
    others: u64,
    max_connections: u64,
}

impl OpenFiles {
    /// With the limit as it is now.
    pub fn of(settings: &Settings) -> Self {
        let movers = settings.crashmover.concurrent_crashmovers as u64;
        let spool = settings.spool.as_ref().map_or(0, |_| SPOOL);
        Self {
            limit: getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX),
            others: EVERYTHING_ELSE + spool + PER_MOVER * movers,
            max_connections: settings.http.max_connections as u64,
        }
    }

    /// Raises the limit as far as the process may. Where it cannot be raised, it stays.
    pub fn raise_limit() {
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        let current = maximum;
        let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum });
    }

    /// How many connections may be open, so that enough is left for everything else.
    pub fn connections(&self) -> usize {
        let left = self.limit.saturating_sub(self.others).max(self.limit / 2);
        usize::try_from(self.max_connections.min(left)).unwrap_or(usize::MAX)
    }

    /// What an operator should know, if anything.
    pub fn warning(&self) -> Option<String> {
        let (connections, wanted) = (self.connections() as u64, self.max_connections);
        (connections < wanted).then(|| {
            format!(
                "{connections} instead of BREAKPAD_MAX_CONNECTIONS={wanted} connections at once: only {} files may be \
                 open (ulimit -Hn, LimitNOFILE), {} are needed",
                self.limit,
                wanted + self.others
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_else_is_needed_is_left() {
        let connections = |limit| {
            let files = OpenFiles {
                limit,
                others: 200,
                max_connections: 2000,
            };
            (files.connections(), files.warning().is_some())
        };
        assert_eq!(connections(4096), (2000, false));
        assert_eq!(connections(2200), (2000, false));
        assert_eq!(connections(1024), (824, true));
        assert_eq!(connections(100), (50, true));
    }
}
