//! `docs/metrics.md`, rendered from the catalog.

use std::fmt::Write;

use super::catalog::{Count, Described, Fate, Gauge, Histogram, Outcome, TagValues, Timing};

const HEAD: &str = "\
# Metrics

<!-- Made by `cargo run -- metrics > docs/metrics.md`; a test compares the two. -->

Metrics go to StatsD over UDP where `STATSD_HOST` names a server ([settings](configuration.md#metrics)), with tags as
DogStatsD writes them:

```text
socorro.collector.breakpad_resource.malformed:1|c|#host:collector-1,reason:bad_gzip
```

`STATSD_NAMESPACE` (here `socorro.collector`) goes before every name. Every metric has the tag `host` with the value of
`HOST_ID`, if that is set. Metrics never hold up a request or a start: lines are sent within a second, and what does not
get through, or finds 10,000 lines waiting, is lost; `statsd.lines_lost` and `statsd.send_failed` count what is noticed
here. The server's name is looked up every 30 seconds; while it has no address, every 5, and lines wait. Where it has
several, the next one is used when nobody listens at the first.

The same metrics are at `/metrics` of the [admin listener](operating.md#admin-listener), as Prometheus reads them. There
nothing gets lost. Names are the same with `_` for every `.`, durations are in seconds, and timers and histograms come as
`_bucket`, `_sum` and `_count`: what statsd_exporter would make of the lines above, so one dashboard fits both.

Every counter is there from the start, as 0 for each value of its tag, and StatsD is sent `:0|c` for it once: so
`increase()` sees the first report that is lost. Gauges are looked up when `/metrics` is asked for.
";

const BOOKS: &str = "
## Books

Every POST to `/submit` has one outcome, so over any time the outcomes add up to the requests answered:

```text
kept + faked + rejected + malformed + unauthorized + too_large + too_slow + overloaded + not_kept + disconnected
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

where `spool.resumed` are the reports in its spool that it had not acknowledged itself. With the admin listener one command
adds it up; it prints 0 when nothing is under way (a report that is in the spool and in memory counts twice meanwhile):

```sh
curl -s localhost:8001/metrics | awk '
  /^breakpad_resource_outcome.*outcome=\"kept\"/ || /^spool_resumed/ { sum += $NF }
  /^crashmover_fate.*fate=\"(saved|failed)\"/ || /^crashmover_(save|work)_queue_size/ || /^spool_save_entries/ { sum -= $NF }
  END { print sum + 0 }'
```

The panel \"Unaccounted\" of the [dashboard](dashboards/antenna.json) is the same. A `kill -9` loses what was not sent to
StatsD yet: up to a second of metrics. `/metrics` begins anew with each process, so there it balances after a kill too.
";

/// The page. Regenerate it with `cargo run -- metrics > docs/metrics.md`.
pub fn markdown(values: &TagValues) -> String {
    let mut page = HEAD.to_owned();
    let counts = Count::all(values);
    let counts = counts
        .chunk_by(|one, other| one.name() == other.name())
        .map(|counts| row(&counts[0], &tag(counts), counts[0].help()));
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
    let intro = "What is the case now, told StatsD every ten seconds; those of the spool where there is one, once it was looked through.";
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
fn tag(counts: &[Count]) -> String {
    let Some((name, _)) = counts[0].tag() else {
        return String::new();
    };
    let values = match counts[0] {
        Count::ThrottleRule(_) => "names of [throttle rules](throttling.md)".to_owned(),
        Count::Outcome(_) | Count::Fate(_) => "[below](#outcomes-and-fates)".to_owned(),
        _ => listed(counts),
    };
    format!("`{name}`: {values}")
}

fn both_values(pair: &[Histogram]) -> String {
    let name = pair[0].tag().map_or("", |(name, _)| name);
    format!("`{name}`: {}", listed(pair))
}

fn listed(metrics: &[impl Described]) -> String {
    let tags = metrics.iter().filter_map(Described::tag);
    let values: Vec<_> = tags.map(|(_, value)| format!("`{value}`")).collect();
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
            throttle_rules: vec!["a_rule".into()],
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
            throttle_rules: vec!["a_rule".into()],
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
