//! `docs/metrics.md`, rendered from the catalog.

use std::fmt::Write;

use super::catalog::{Count, Described, Fate, Gauge, Histogram, Outcome, Timing};

/// Tag values that other parts decide.
#[derive(Clone, Debug)]
pub struct TagValues {
    /// Of `breakpad_resource.malformed`.
    pub malformed_reasons: Vec<&'static str>,
    /// Of `breakpad_resource.throttle`.
    pub throttle_results: Vec<&'static str>,
}

const HEAD: &str = "\
# Metrics

<!-- Made by `cargo run -- metrics > docs/metrics.md`; a test compares the two. -->

Metrics go to StatsD over UDP where `STATSD_HOST` names a server ([settings](configuration.md#metrics)), with tags as
DogStatsD writes them:

```text
socorro.collector.breakpad_resource.malformed:1|c|#host:collector-1,reason:bad_gzip
```

`STATSD_NAMESPACE` (here `socorro.collector`) goes before every name. Every metric has the tag `host` with the value of
`HOST_ID`, if that is set. Metrics never hold up a request: lines are sent within a second, and what does not get
through, or finds 10,000 lines waiting, is lost; `statsd.lines_lost` and `statsd.send_failed` count what is noticed here.

The same metrics are at `/metrics` of the [admin listener](operating.md#admin-listener), as Prometheus reads them. There
nothing gets lost. Names are the same with `_` for every `.`, durations are in seconds, and timers and histograms come as
`_bucket`, `_sum` and `_count`: what statsd_exporter would make of the lines above, so one dashboard fits both. A counter
appears when it has counted for the first time.
";

const BOOKS: &str = "
## Books

Every POST has one outcome, so over any time the outcomes add up to the requests answered:

```text
kept + faked + rejected + malformed + bad_framing + wrong_path + unauthorized + too_large + too_slow + overloaded
    + not_kept + internal_error + disconnected
```

Every kept report has one fate in the end. What has none yet is in memory (`crashmover.save_queue_size`,
`crashmover.work_queue_size`) or in the spool (`spool.save_entries`):

```text
kept = saved + spooled + failed + what waits
```

A report whose fate was `spooled` is counted once more, as `saved`, by the process that saves it: over restarts it is
`kept = saved + failed + what waits`. For one process it is

```text
kept + spool.resumed = saved + failed + what waits in memory and in the spool
```

where `spool.resumed` are the reports that it found in the spool at its start. A `kill -9` loses what was not sent yet:
up to a second of metrics.
";

/// The page. Regenerate it with `cargo run -- metrics > docs/metrics.md`.
pub fn markdown(values: &TagValues) -> String {
    let mut page = HEAD.to_owned();
    let counts = Count::all();
    let counts = counts
        .iter()
        .map(|count| row(count, &tag(count, values), count.help()));
    section(&mut page, "Counters (`c`)", "Things that happen.", counts);
    outcomes(&mut page);
    let timings = Timing::ALL
        .iter()
        .map(|timing| row(timing, "", timing.help()));
    section(
        &mut page,
        "Timers (`ms`)",
        "In whole milliseconds.",
        timings,
    );
    let histograms = Histogram::ALL.chunks(2).filter_map(|pair| {
        let first = pair.first()?;
        Some(row(first, &both_values(pair), first.help()))
    });
    section(
        &mut page,
        "Histograms (`h`)",
        "Sizes and the like.",
        histograms,
    );
    let gauges = Gauge::ALL.iter().map(|gauge| row(gauge, "", gauge.help()));
    let intro =
        "What is the case now, told every ten seconds; those of the spool where there is one.";
    section(&mut page, "Gauges (`g`)", intro, gauges);
    page.push_str(BOOKS);
    page
}

fn section(page: &mut String, title: &str, intro: &str, rows: impl Iterator<Item = String>) {
    let rows: String = rows.collect();
    // Writing to a string cannot fail.
    let _ = write!(
        page,
        "\n## {title}\n\n{intro}\n\n| name | tag | what it says |\n|---|---|---|\n{rows}"
    );
}

fn row(metric: &impl Described, tag: &str, help: &str) -> String {
    format!("| `{}` | {tag} | {help} |\n", metric.name())
}

fn outcomes(page: &mut String) {
    page.push_str("\n### Outcomes and fates\n\n| outcome | the client was told |\n|---|---|\n");
    page.extend(
        Outcome::ALL.map(|outcome| format!("| `{}` | {} |\n", outcome.code(), outcome.help())),
    );
    page.push_str("\n| fate | the report is |\n|---|---|\n");
    page.extend(Fate::ALL.map(|fate| format!("| `{}` | {} |\n", fate.code(), fate.help())));
}

/// The tag's name and what it can be.
fn tag(count: &Count, values: &TagValues) -> String {
    let Some((name, _)) = count.tag() else {
        return String::new();
    };
    let values = match count {
        Count::Malformed(_) => listed(&values.malformed_reasons),
        Count::Throttle(_) => listed(&values.throttle_results),
        Count::ThrottleRule(_) => "names of [throttle rules](throttling.md)".to_owned(),
        Count::Retry(_) => listed(&[
            "save_crash_exception.count",
            "publish_crash_exception.count",
        ]),
        _ => "[below](#outcomes-and-fates)".to_owned(),
    };
    format!("`{name}`: {values}")
}

fn both_values(pair: &[Histogram]) -> String {
    let tags: Vec<_> = pair.iter().filter_map(Described::tag).collect();
    let values: Vec<_> = tags.iter().map(|(_, value)| *value).collect();
    let name = tags.first().map_or("", |(name, _)| name);
    format!("`{name}`: {}", listed(&values))
}

fn listed(values: &[&str]) -> String {
    let values: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
    values.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_catalog_is_on_the_page() {
        let page = markdown(&TagValues {
            malformed_reasons: vec!["bad_gzip"],
            throttle_results: vec!["accept"],
        });
        let catalog = include_str!("catalog.rs");
        let names: Vec<_> = catalog
            .split('"')
            .skip(1)
            .step_by(2)
            .filter(|word| word.contains('.'))
            .collect();
        assert!(names.len() > 30, "{names:?}");
        for name in names {
            assert!(page.contains(&format!("| `{name}` |")), "{name} is missing");
        }
    }

    #[test]
    fn tags_are_shown_with_their_values() {
        let page = markdown(&TagValues {
            malformed_reasons: vec!["bad_gzip", "no_annotations"],
            throttle_results: vec!["accept"],
        });
        for row in [
            "| `breakpad_resource.malformed` | `reason`: `bad_gzip`, `no_annotations` | A body that is no crash report. |",
            "| `breakpad_resource.crash_size` | `payload`: `compressed`, `uncompressed` | Bytes of a body as sent. |",
            "| `crashmover.save_queue_size` |  | Reports waiting for a crashmover. |",
        ] {
            assert!(page.contains(row), "{row}");
        }
    }
}
