//! One run against one node: the checks, then storage, then tidying up.

use crate::checks::{self, Said};
use crate::node::Node;
use crate::reports::Kept;

/// How a run ended.
#[derive(Debug, Default)]
pub struct Summary {
    pub passed: usize,
    pub failed: Vec<&'static str>,
}

impl Summary {
    pub fn is_passed(&self) -> bool {
        self.failed.is_empty()
    }

    fn note(&mut self, name: &'static str, said: Said) {
        match said {
            Ok(remark) if remark.is_empty() => println!("ok    {name}"),
            Ok(remark) => println!("ok    {name}: {remark}"),
            Err(wrong) => println!("FAIL  {name}: {wrong}"),
        }
    }
}

/// Makes the checks whose names have `word` and says how each went.
pub fn all(node: &Node, word: &str) -> Summary {
    println!("system: {}", node.url());
    let mut summary = Summary::default();
    let mut kept = Vec::new();
    let mut one = |name: &'static str, said: Said| {
        match said.is_ok() {
            true => summary.passed += 1,
            false => summary.failed.push(name),
        }
        summary.note(name, said);
    };
    for (name, check) in checks::chosen(word) {
        one(name, check(node, &mut kept));
    }
    if !kept.is_empty() && node.storage.is_some() {
        one(
            "what was kept is in storage as it was sent",
            stored(node, &kept),
        );
        one("what was kept is taken away again", removed(node, &kept));
    } else if !kept.is_empty() {
        let ids: Vec<_> = kept.iter().map(|report| report.id.as_str()).collect();
        println!(
            "      not looked for in storage, and left there: {}",
            ids.join(" ")
        );
    }
    let failed = summary.failed.len();
    println!("system: {} passed, {failed} failed\n", summary.passed);
    summary
}

fn stored(node: &Node, kept: &[Kept]) -> Said {
    let storage = node.storage.as_ref().ok_or("no storage")?;
    kept.iter().try_for_each(|report| storage.compare(report))?;
    Ok(format!("{} reports", kept.len()))
}

fn removed(node: &Node, kept: &[Kept]) -> Said {
    let storage = node.storage.as_ref().ok_or("no storage")?;
    kept.iter().try_for_each(|report| storage.remove(report))?;
    match kept.iter().find(|report| !storage.is_gone(report)) {
        Some(report) => Err(format!("{} is still there", report.id)),
        None => Ok(format!("{} reports", kept.len())),
    }
}
