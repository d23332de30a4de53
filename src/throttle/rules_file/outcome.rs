//! The `result` of a rule: TOML -> outcome, with or without a chance.

use std::ops::Range;

use toml_edit::{Item, TableLike};

use super::toml_reader::{Entry, Reader};
use crate::throttle::rule::{Next, RuleOutcome};
use crate::throttle::verdict::ThrottleResult;

const RESULTS: &str = "\"accept\", \"defer\", \"reject\" or \"fakeaccept\"";
const CHANCE: &str = "result = { percent = 10, then = \"accept\", else = \"reject\" }";

/// Reads the result that is the value of `entry`; `None` if there is a mistake in it.
pub(super) fn outcome(reader: &mut Reader, entry: Entry) -> Option<RuleOutcome> {
    if let Some(table) = entry.item.as_table_like() {
        return chance(reader, table, entry.item.span());
    }
    match next(reader, entry)? {
        Next::Settle(result) => Some(RuleOutcome::Settle(result)),
        Next::Continue => {
            let what = "a rule that always continues decides nothing";
            let advice = format!("make the result {RESULTS}, or remove the rule");
            reader.note(entry.item.span(), what, advice);
            None
        }
    }
}

fn chance(
    reader: &mut Reader,
    table: &dyn TableLike,
    span: Option<Range<usize>>,
) -> Option<RuleOutcome> {
    reader.only(table, &["percent", "then", "else"], "a result");
    let mut get = |key| {
        let item: Option<&Item> = table.get(key);
        if item.is_none() {
            let what = format!("a result with a chance has no `{key}`");
            reader.note(span.clone(), what, format!("write it as {CHANCE}"));
        }
        item.map(|item| Entry { key, item })
    };
    let (percent_at, then_at, else_at) = (get("percent"), get("then"), get("else"));
    let percent = percent_at.and_then(|entry| percent(reader, entry));
    let then = then_at.and_then(|entry| next(reader, entry));
    let otherwise = else_at.and_then(|entry| next(reader, entry));
    let (percent, then, otherwise) = (percent?, then?, otherwise?);
    if then == otherwise {
        let what = format!("both sides of the chance are \"{then}\"");
        reader.note(
            span,
            what,
            "make them differ, or write one result without a chance",
        );
        return None;
    }
    Some(RuleOutcome::Chance {
        percent,
        then,
        otherwise,
    })
}

fn percent(reader: &mut Reader, entry: Entry) -> Option<f64> {
    let number = match (entry.item.as_float(), entry.item.as_integer()) {
        (Some(number), _) => number,
        // Beyond what an f64 holds exactly it is far outside the range as well.
        (None, Some(number)) => number as f64,
        (None, None) => return reader.wrong_type(entry, "a number between 0 and 100"),
    };
    if number > 0.0 && number < 100.0 {
        return Some(number);
    }
    reader.note(
        entry.item.span(),
        format!("a chance of {number} % is none"),
        "make it more than 0 and less than 100, or write one result without a chance",
    );
    None
}

fn next(reader: &mut Reader, entry: Entry) -> Option<Next> {
    let word = reader.string(entry)?;
    if word == "continue" {
        return Some(Next::Continue);
    }
    let result = ThrottleResult::ALL
        .into_iter()
        .find(|result| result.as_str() == word);
    if result.is_none() {
        let advice = format!("use {RESULTS}; beside a chance also \"continue\"");
        reader.note(
            entry.item.span(),
            format!("`{}` is not a result", word.escape_debug()),
            advice,
        );
    }
    result.map(Next::Settle)
}
