//! Names that look as if they were meant for the collector but that no setting has.
//!
//! They are warnings, never problems: an operator may bring along everything the original was given.

use std::collections::BTreeSet;

use super::layers::{Layer, SourcedValue};

/// What the environment holds beyond these is somebody else's.
const OURS: [&str; 6] = [
    "BREAKPAD_",
    "CRASHMOVER_",
    // As older versions of the original named what is now `CRASHMOVER_CRASHSTORAGE_…`.
    "CRASHPUBLISH_",
    "CRASHSTORAGE_",
    "GUNICORN_",
    "STATSD_",
];

/// Kubernetes describes a service called `statsd` in variables that begin with these.
const KUBERNETES: [&str; 2] = ["STATSD_PORT_", "STATSD_SERVICE_"];

/// Names of the original without a counterpart, and what to do instead.
pub(super) static CARRIED_OVER: &[(&str, &str)] = &[
    (
        "GUNICORN_WORKERS",
        "one process serves everything; remove it, or set WORKER_THREADS if one thread per processor is not right",
    ),
    (
        "GUNICORN_WORKER_CONNECTIONS",
        "set BREAKPAD_MAX_CONNECTIONS, which is for the whole process: workers times connections",
    ),
    (
        "GUNICORN_WORKER_CLASS",
        "there are no worker classes; remove it",
    ),
    (
        "GUNICORN_CMD_ARGS",
        "there is no gunicorn; the address is set by HOST and PORT, the limits by BREAKPAD_…",
    ),
    (
        "ANTENNA_ENV",
        "name the settings file on the command line: --settings FILE",
    ),
    (
        "METRICS_CLASS",
        "metrics go to statsd when STATSD_HOST is set; remove it",
    ),
    (
        "BREAKPAD_DUMP_FIELD",
        "dumps are taken under every name; remove it",
    ),
    (
        "CRASHMOVER_CRASHSTORAGE_CONNECTION_CLASS",
        "CRASHMOVER_CRASHSTORAGE_CLASS=s3 says it all; remove it",
    ),
    (
        "CRASHMOVER_CRASHPUBLISH_PROJECT_ID",
        "Google Pub/Sub is not supported; use CRASHMOVER_CRASHPUBLISH_CLASS=sqs",
    ),
    (
        "CRASHMOVER_CRASHPUBLISH_TOPIC_NAME",
        "Google Pub/Sub is not supported; use CRASHMOVER_CRASHPUBLISH_CLASS=sqs and CRASHMOVER_CRASHPUBLISH_QUEUE_NAME",
    ),
    (
        "CRASHMOVER_CRASHPUBLISH_TIMEOUT",
        "set CRASHMOVER_SAVE_TIMEOUT_SECONDS, which is for every call to storage and queue",
    ),
];

/// Warns of names in the environment. Only prefixes of ours count, the rest of it belongs to others.
pub(super) fn in_environment(layer: &Layer, known: &BTreeSet<&str>) -> Vec<String> {
    let ours = |name: &str| {
        OURS.iter().any(|prefix| name.starts_with(prefix))
            && !KUBERNETES.iter().any(|prefix| name.starts_with(prefix))
    };
    let strangers = layer.iter().filter(|(name, _)| !known.contains(&***name));
    strangers
        .filter(|(name, _)| ours(name) || advice(name).is_some())
        .map(|(name, given)| warning(name, given, layer, known))
        .collect()
}

/// Warns of names in the settings file, where every name is meant for us.
pub(super) fn in_file(layer: &Layer, known: &BTreeSet<&str>) -> Vec<String> {
    let strangers = layer.iter().filter(|(name, _)| !known.contains(&***name));
    strangers
        .map(|(name, given)| warning(name, given, layer, known))
        .collect()
}

fn warning(name: &str, given: &SourcedValue, layer: &Layer, known: &BTreeSet<&str>) -> String {
    let source = &given.source;
    if let Some(advice) = advice(name) {
        let value = replacement(name, layer).map_or_else(String::new, |it| format!(" ({it})"));
        format!("{name} ({source}) has no effect: {advice}{value}")
    } else if let Some(meant) = did_you_mean(name, known) {
        format!("{name} ({source}) is not a setting and has no effect; did you mean {meant}?")
    } else {
        format!("{name} ({source}) is not a setting and has no effect")
    }
}

fn advice(name: &str) -> Option<&'static str> {
    let mut entries = CARRIED_OVER.iter();
    entries.find_map(|(other, advice)| (*other == name).then_some(*advice))
}

/// What to write instead, where that follows from the value given.
fn replacement(name: &str, layer: &Layer) -> Option<String> {
    let number = |name: &str| layer.get(name)?.text.trim().parse::<u64>().ok();
    match name {
        "GUNICORN_WORKER_CONNECTIONS" => {
            let connections = number(name)?;
            let workers = number("GUNICORN_WORKERS").unwrap_or(1);
            Some(format!(
                "BREAKPAD_MAX_CONNECTIONS={}",
                connections.checked_mul(workers)?
            ))
        }
        "GUNICORN_WORKERS" => {
            let movers = number("CRASHMOVER_CONCURRENT_CRASHMOVERS")?;
            let workers = number(name)?;
            Some(format!(
                "CRASHMOVER_CONCURRENT_CRASHMOVERS={} for as many as before: it was for each worker",
                movers.checked_mul(workers)?
            ))
        }
        "ANTENNA_ENV" => Some(format!("--settings {}", layer.get(name)?.text.trim())),
        _ => None,
    }
}

/// The known name that is one or two slips away, or that ends in the same words: `CRASHSTORAGE_REGION`,
/// `CRASHMOVER_BUCKET_NAME`.
fn did_you_mean<'a>(name: &str, known: &BTreeSet<&'a str>) -> Option<&'a str> {
    let upper = name.to_ascii_uppercase();
    let nearest = known.iter().min_by_key(|other| slips(&upper, other))?;
    if slips(&upper, nearest) <= 2 {
        return Some(nearest);
    }
    let (_, words) = upper.split_once('_')?;
    let ends_in = |words: &str| {
        let ending = format!("_{words}");
        known.iter().find(|other| other.ends_with(&ending)).copied()
    };
    ends_in(&upper).or_else(|| ends_in(words))
}

/// Letters to insert, remove or replace to turn one word into the other (Levenshtein).
fn slips(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, a) in one.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (to, b) in other.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[to + 1];
            row[to + 1] = replaced.min(diagonal + 1).min(row[to] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 6] = [
        "CRASHMOVER_CRASHPUBLISH_REGION",
        "CRASHMOVER_CRASHSTORAGE_BUCKET_NAME",
        "CRASHMOVER_CRASHSTORAGE_REGION",
        "CRASHMOVER_QUEUE_SIZE",
        "PORT",
        "STATSD_HOST",
    ];

    fn warned(names: &[(&str, &str)], check: fn(&Layer, &BTreeSet<&str>) -> Vec<String>) -> String {
        let layer = names.iter().map(|(name, value)| {
            let given = SourcedValue {
                text: (*value).to_owned(),
                source: "environment".to_owned(),
            };
            ((*name).to_owned(), given)
        });
        check(&layer.collect(), &KNOWN.into()).join("\n")
    }

    #[test]
    fn a_misspelt_name_is_recognised() {
        for (name, meant) in [
            ("CRASHMOVER_QUEUE_SISE", "CRASHMOVER_QUEUE_SIZE"),
            ("CRASHMOVER_QUEU_SIZE", "CRASHMOVER_QUEUE_SIZE"),
            (
                "CRASHMOVER_BUCKET_NAME",
                "CRASHMOVER_CRASHSTORAGE_BUCKET_NAME",
            ),
            (
                "BREAKPAD_CRASHSTORAGE_BUCKET_NAME",
                "CRASHMOVER_CRASHSTORAGE_BUCKET_NAME",
            ),
            ("CRASHSTORAGE_REGION", "CRASHMOVER_CRASHSTORAGE_REGION"),
            ("CRASHPUBLISH_REGION", "CRASHMOVER_CRASHPUBLISH_REGION"),
            ("STATSD_HOSTS", "STATSD_HOST"),
        ] {
            let expected = format!(
                "{name} (environment) is not a setting and has no effect; did you mean {meant}?"
            );
            assert_eq!(warned(&[(name, "1")], in_environment), expected);
        }
        assert_eq!(
            warned(&[("BREAKPAD_COLOUR", "red")], in_environment),
            "BREAKPAD_COLOUR (environment) is not a setting and has no effect"
        );
    }

    #[test]
    fn the_rest_of_the_environment_is_left_alone() {
        let others = [
            ("PATH", "/bin"),
            ("PORTS", "1"),
            ("STATSD_SERVICE_HOST", "10.0.0.1"),
            ("STATSD_PORT_8125_UDP", "udp://10.0.0.1:8125"),
        ];
        assert_eq!(warned(&others, in_environment), "");
    }

    #[test]
    fn in_the_file_every_unknown_name_is_reported() {
        let warned = warned(&[("port", "1"), ("COLOUR", "red")], in_file);
        assert!(warned.contains("did you mean PORT?"), "{warned}");
        assert!(warned.contains("COLOUR (environment) is not"), "{warned}");
    }

    #[test]
    fn names_of_the_original_say_what_replaces_them() {
        let given = [
            ("GUNICORN_WORKERS", "5"),
            ("GUNICORN_WORKER_CONNECTIONS", "1000"),
            ("CRASHMOVER_CONCURRENT_CRASHMOVERS", "8"),
            ("ANTENNA_ENV", "prod.env"),
        ];
        let warned = warned(&given, in_environment);
        for part in [
            "WORKER_THREADS",
            "(CRASHMOVER_CONCURRENT_CRASHMOVERS=40 for as many as before",
            "(BREAKPAD_MAX_CONNECTIONS=5000)",
            "(--settings prod.env)",
        ] {
            assert!(warned.contains(part), "{part} in {warned}");
        }
    }

    #[test]
    fn slips_count_insertions_removals_and_replacements() {
        assert_eq!(slips("kitten", "sitting"), 3);
        assert_eq!(slips("", "abc"), 3);
        assert_eq!(slips("abc", "abc"), 0);
    }
}
