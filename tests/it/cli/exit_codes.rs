//! `--help` names every command, and the table of exit codes is true: each of them is brought about.

use std::collections::BTreeMap;

use super::{antenna, url};
use crate::support::collector::TestCollector;

/// Commands as `antenna --help` lists them, without clap's own.
fn commands(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// Code to meaning, from the lines below `Exit codes:`.
fn codes_of_help(help: &str) -> BTreeMap<i32, String> {
    let lines = help
        .lines()
        .skip_while(|line| *line != "Exit codes:")
        .skip(1);
    let pairs = lines.filter_map(|line| line.trim().split_once("  "));
    pairs
        .map(|(code, means)| (code.parse().unwrap(), means.to_owned()))
        .collect()
}

/// The codes of the table in the page.
fn codes_of_page() -> Vec<i32> {
    let page = include_str!("../../../docs/operating.md");
    let rows = page
        .lines()
        .skip_while(|line| !line.starts_with("| exit code |"))
        .skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('|').nth(1).unwrap().trim().parse().unwrap())
        .collect()
}

#[test]
fn help_has_every_command_with_a_sentence_and_its_own_help() {
    let help = antenna(&[], &["--help"]).fine();
    let commands = commands(&help);
    assert_eq!(
        commands,
        [
            "serve",
            "check",
            "show",
            "submit",
            "throttle",
            "config",
            "spool",
            "completions"
        ]
    );
    for command in commands {
        let own = antenna(&[], &[&command, "--help"]).fine();
        let sentence = own.lines().next().unwrap();
        assert!(
            help.contains(sentence) && sentence.len() > 20,
            "{command}: {sentence}"
        );
        assert!(own.contains(&format!("Usage: antenna {command}")), "{own}");
        assert!(
            own.lines().last().unwrap().len() > 20,
            "{command} has nothing below its options"
        );
    }
}

#[test]
fn every_exit_code_is_listed_and_comes_about() {
    let codes = codes_of_help(&antenna(&[], &["--help"]).fine());
    let listed: Vec<_> = codes.keys().copied().collect();
    assert_eq!(listed, codes_of_page(), "--help and docs/operating.md");

    let collector = TestCollector::start::<&str, &str>(&[]);
    let url = url(&collector);
    let firefox = ["submit", &url, "-a", "ProductName=Firefox"];
    let editor = ["submit", &url, "-a", "ProductName=Editor"];
    let folder = tempfile::tempdir().unwrap();
    let root = [
        (
            "CRASHMOVER_CRASHSTORAGE_FS_ROOT",
            folder.path().to_str().unwrap(),
        ),
        ("PORT", "0"),
    ];
    let no_root = [("CRASHMOVER_CRASHSTORAGE_FS_ROOT", "/proc/nothing")];
    let wrong = [("PORT", "sixty")];
    let no_rules = [("BREAKPAD_THROTTLER_RULES", "/no/such/file")];
    let unknown_id = ["show", "f5d6c950-7db5-4e96-a378-914db0261123"];
    let none: &[(&str, &str)] = &[];
    let mut seen: Vec<i32> = [
        (none, &firefox[..], 0),
        (&root, &["check"], 0),
        (none, &["config"], 0),
        (none, &["throttle", "-a", "A=1"], 0),
        (&root, &unknown_id, 1),
        (&no_root, &["check"], 1),
        (&no_root, &["serve"], 1),
        (&no_root, &[], 1),
        (none, &["spool", "ls"], 1),
        (none, &["submit", "http://127.0.0.1:1", "-a", "A=1"], 1),
        (none, &["serve", "--no-such-option"], 2),
        (none, &["no-such-command"], 2),
        (none, &["submit", &url], 2),
        (none, &editor, 3),
        (&wrong, &["serve"], 78),
        (&wrong, &["check"], 78),
        (&wrong, &["config"], 78),
        (&no_rules, &["serve"], 78),
        (&no_rules, &["check"], 78),
        (&no_rules, &["throttle", "-a", "A=1"], 78),
    ]
    .into_iter()
    .map(|(settings, args, code)| {
        let said = antenna(settings, args);
        assert_eq!(said.code, Some(code), "{settings:?} {args:?}: {said:?}");
        code
    })
    .collect();
    seen.dedup();
    assert_eq!(
        seen, listed,
        "a code that is listed but never comes about, or the other way round"
    );
    collector.stop();
}
