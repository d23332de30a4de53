//! The dashboard shows metrics that the collector sends, by names and tags that it sends them with. Its queries are read
//! by a PromQL parser, so a metric that is renamed in the catalog fails here.

use std::collections::{BTreeMap, BTreeSet};

use antenna::app::tag_values;
use antenna::metrics::{Count, Described, Gauge, Histogram, Timing};
use serde::Deserialize;
use serde_json::Value;

use super::{at, list, text, text_of, tool, yaml};

/// Prints what a query reads: every metric with its label matchers, and the labels by which anything is summed up.
const READ_QUERIES: &str = r#"
import json, promql_parser as promql, sys
for query in json.loads(sys.argv[1]):
    metrics, labels = [], []
    def visit(node):
        if isinstance(node, promql.VectorSelector):
            metrics.append([node.name, [[m.name, str(m.op), m.value] for m in node.matchers.matchers]])
        if isinstance(node, promql.AggregateExpr) and node.modifier:
            labels.extend(node.modifier.labels)
    promql.walk(promql.parse(query), visit)
    print(json.dumps({"query": query, "metrics": metrics, "labels": labels}))
"#;

/// Label, operator, value.
type Matcher = (String, String, String);

#[derive(Debug, Deserialize)]
struct Query {
    query: String,
    metrics: Vec<(String, Vec<Matcher>)>,
    labels: Vec<String>,
}

/// What Prometheus has of a metric: its labels, and for those with a bounded set, their values.
type Labels = BTreeMap<&'static str, BTreeSet<String>>;

/// The catalog as Prometheus has it, by the rules in `docs/dashboards/statsd.yml`.
fn catalog() -> BTreeMap<String, Labels> {
    let mut catalog = BTreeMap::new();
    let mut add = |metric: &dyn Described, endings: &[&str]| {
        for ending in endings {
            let name = format!("{}{ending}", metric.name().replace('.', "_"));
            let labels: &mut Labels = catalog.entry(name).or_default();
            if let Some((label, value)) = metric.tag() {
                labels.entry(label).or_default().insert(value.to_owned());
            }
        }
    };
    for count in Count::all(&tag_values(["a_rule"])) {
        add(&count, &[""]);
    }
    Gauge::ALL.iter().for_each(|gauge| add(gauge, &[""]));
    let observed = ["_bucket", "_sum", "_count"];
    Timing::ALL.iter().for_each(|timing| add(timing, &observed));
    Histogram::ALL
        .iter()
        .for_each(|histogram| add(histogram, &observed));
    catalog
}

fn dashboard() -> Value {
    serde_json::from_str(&text_of("docs/dashboards/antenna.json")).expect("JSON")
}

/// Every query of every panel.
fn queries() -> Vec<Query> {
    let dashboard = dashboard();
    let panels = list(at(&dashboard, "panels")).iter();
    let targets = panels.filter_map(|panel| panel.get("targets"));
    let queries = targets.flat_map(list);
    let queries = queries.map(|target| text(at(target, "expr")));
    // What Grafana puts in.
    let plain = queries.map(|query| {
        let query = query.replace("$__rate_interval", "1m");
        query.replace("$__range", "1h").replace("$host", ".*")
    });
    let plain: Vec<_> = plain.collect();
    assert!(plain.len() > 40, "{}", plain.len());
    let read = tool(
        "python",
        &["-c", READ_QUERIES, &Value::from(plain).to_string()],
    );
    read.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn every_metric_of_the_dashboard_is_in_the_catalog() {
    let catalog = catalog();
    for Query {
        query,
        metrics,
        labels,
    } in queries()
    {
        for (name, matchers) in metrics {
            let known = catalog.get(&name);
            let known = known.unwrap_or_else(|| panic!("{name} is not in the catalog: {query}"));
            let asked = matchers.iter().map(|(label, ..)| label).chain(&labels);
            for label in asked.filter(|label| !["host", "le"].contains(&label.as_str())) {
                assert!(
                    known.contains_key(label.as_str()),
                    "{name} has no {label}: {query}"
                );
            }
        }
    }
}

#[test]
fn outcomes_and_fates_that_the_dashboard_asks_for_exist() {
    let page = text_of("docs/metrics.md");
    let (_, tables) = page
        .split_once("### Outcomes and fates")
        .expect("the tables");
    let (tables, _) = tables.split_once("\n## ").expect("what follows");
    let metrics = queries().into_iter().flat_map(|query| query.metrics);
    let matchers = metrics.flat_map(|(_, matchers)| matchers);
    let mut found = 0;
    for (label, _, values) in matchers.filter(|(label, ..)| label == "outcome" || label == "fate") {
        for value in values.split('|') {
            assert!(
                tables.contains(&format!("| `{value}` |")),
                "{label} {value}"
            );
            found += 1;
        }
    }
    assert!(found > 3, "{found}");
}

#[test]
fn the_dashboard_shows_every_gauge_and_every_loss() {
    let queries = queries();
    let shown: BTreeSet<_> = queries
        .iter()
        .flat_map(|q| &q.metrics)
        .map(|(name, _)| name.as_str())
        .collect();
    let gauges = Gauge::ALL
        .iter()
        .map(|gauge| gauge.name().replace('.', "_"));
    let losses = [
        Count::SaveCrashDropped,
        Count::PublishCrashDropped,
        Count::SavedLate,
    ];
    let losses = losses.iter().map(|count| count.name().replace('.', "_"));
    for name in gauges.chain(losses) {
        assert!(shown.contains(name.as_str()), "{name}");
    }
}

#[test]
fn the_rules_for_metrics_are_about_metrics_that_exist() {
    let known: BTreeSet<_> = Histogram::ALL.iter().map(Described::name).collect();
    let rules = yaml("docs/dashboards/statsd.yml");
    for rule in list(at(&rules, "mappings")) {
        let (wire, name) = (text(at(rule, "match")), text(at(rule, "name")));
        assert!(known.contains(wire), "{wire}");
        assert_eq!(name, wire.replace('.', "_"));
    }
    // Sizes in the buckets for seconds would all be "more than five minutes".
    assert_eq!(list(at(&rules, "mappings")).len(), known.len());
}

#[test]
fn panels_are_numbered_and_do_not_overlap() {
    let dashboard = dashboard();
    let mut ids = BTreeSet::new();
    let mut covered = BTreeSet::new();
    for panel in list(at(&dashboard, "panels")) {
        assert!(ids.insert(at(panel, "id").as_u64()), "{panel}");
        let place = at(panel, "gridPos");
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| at(place, side).as_u64().unwrap());
        assert!(x + w <= 24, "{panel}");
        for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(covered.insert(cell), "{panel}");
        }
    }
}
