//! Holds `docs/throttling.md` to the truth: its examples, tables and messages are tried out.

use chrono::DateTime;
use serde_json::Value;

use super::Throttler;
use super::rules_file::parse;
use crate::crash::Annotations;

const PAGE: &str = include_str!("../../docs/throttling.md");

fn mozilla() -> Throttler {
    Throttler::new("mozilla", "mozilla", "mozilla").unwrap()
}

/// The fenced blocks of the page, each with the words behind its opening fence.
fn blocks() -> Vec<(&'static str, &'static str)> {
    PAGE.split("```")
        .skip(1)
        .step_by(2)
        .map(|block| block.split_once('\n').unwrap())
        .collect()
}

/// The cells of the table rows under a heading, back quotes removed.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let (_, section) = PAGE.split_once(&format!("# {heading}\n")).unwrap();
    let section = section.split("\n#").next().unwrap();
    section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            line.trim_matches('|')
                .split(" | ")
                .map(|cell| cell.trim().trim_matches('`').to_owned())
                .collect()
        })
        .collect()
}

#[test]
fn every_example_is_a_sound_rules_file() {
    let examples: Vec<_> = blocks()
        .into_iter()
        .filter(|(words, _)| *words == "toml")
        .collect();
    assert!(examples.len() >= 3);
    for (_, text) in examples {
        if let Err(mistakes) = parse("example", text, &[]) {
            panic!("{}\n{text}", mistakes[0]);
        }
    }
}

#[test]
fn the_file_with_mistakes_gets_the_messages_on_the_page() {
    let blocks = blocks();
    let at = blocks
        .iter()
        .position(|(words, _)| *words == "toml mistakes")
        .unwrap();
    let told = parse("rules.toml", blocks[at].1, &[]).unwrap_err();
    let told: String = told.iter().map(|mistake| format!("{mistake}\n")).collect();
    assert_eq!(told, blocks[at + 1].1);
}

#[test]
fn the_report_on_the_page_takes_the_way_on_the_page() {
    let blocks = blocks();
    let at = blocks
        .iter()
        .position(|(words, _)| *words == "json")
        .unwrap();
    let sent: serde_json::Map<String, Value> = serde_json::from_str(blocks[at].1).unwrap();
    let annotations: Annotations = sent.into_iter().collect();
    let mut rolls = [0.0, 0.99].into_iter();
    let now = DateTime::from_timestamp(1_784_000_000, 0).unwrap();
    let explanation = mozilla().explain(&annotations, now, &mut || rolls.next().unwrap());
    let way: String = explanation
        .steps
        .iter()
        .map(|step| format!("{}: {}\n", step.rule, step.finding))
        .collect();
    assert_eq!(way, blocks[at + 1].1);
}

#[test]
fn the_table_of_mozillas_rules_is_the_rule_set() {
    let throttler = mozilla();
    let rules = throttler.rule_set.rules.iter();
    let catch_all = &throttler.rule_set.catch_all;
    let rules: Vec<[String; 2]> = rules
        .map(|rule| [rule.name.to_string(), rule.outcome.to_string()])
        .chain([[catch_all.name.to_string(), catch_all.result.to_string()]])
        .collect();
    let rows: Vec<[String; 2]> = rows("Mozilla's rules")
        .into_iter()
        .map(|row| [row[0].clone(), row[2].clone()])
        .collect();
    assert_eq!(rows, rules);
}

#[test]
fn mozillas_products_are_listed() {
    let listed: Vec<String> = mozilla()
        .supported
        .products
        .iter()
        .map(|product| format!("`{product}`"))
        .collect();
    assert!(PAGE.contains(&format!("Products: {}.", listed.join(", "))));
}

#[test]
fn every_condition_in_the_table_can_be_written_so() {
    let rows = rows("Conditions");
    assert!(rows.len() >= 16);
    for row in rows {
        let rest = "[[rule]]\nname = \"rest\"\nresult = \"accept\"\n";
        let rule = format!(
            "[[rule]]\nname = \"a\"\nresult = \"reject\"\nwhen = {}\n{rest}",
            row[0]
        );
        if let Err(mistakes) = parse("table", &rule, &[]) {
            panic!("{}\n{}", row[0], mistakes[0]);
        }
    }
}
