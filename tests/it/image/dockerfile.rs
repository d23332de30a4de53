//! The Dockerfile, by hadolint and by its words: what it copies is what `.dockerignore` lets through, and it says of the
//! image what the compose file and the pages rely on.

use std::path::Path;
use std::process::Command;

use super::{ROOT, text_of, tool};
use crate::support::collector::TestCollector;

#[test]
fn hadolint_finds_nothing_in_the_dockerfile() {
    assert_eq!(tool("hadolint", &["--no-color", "Dockerfile"]), "");
}

#[test]
fn everything_that_is_copied_is_let_through_and_nothing_else() {
    let ignore = text_of(".dockerignore");
    let rules = ignore.lines().filter(|line| !line.starts_with('#'));
    let (allowed, refused): (Vec<_>, Vec<_>) = rules.partition(|rule| rule.starts_with('!'));
    assert_eq!(refused, ["*"]);
    let mut allowed: Vec<_> = allowed
        .iter()
        .map(|rule| rule.trim_start_matches('!'))
        .collect();
    let dockerfile = text_of("Dockerfile");
    let copied = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("COPY "));
    let copied = copied.filter(|line| !line.contains("--from="));
    let sources = copied.flat_map(|line| {
        let mut words: Vec<_> = line.split_whitespace().collect();
        words.pop();
        words
    });
    let mut sources: Vec<_> = sources.collect();
    for path in &sources {
        assert!(Path::new(ROOT).join(path).exists(), "{path}");
    }
    allowed.sort_unstable();
    sources.sort_unstable();
    assert_eq!(sources, allowed);
}

#[test]
fn the_image_is_for_nobody_in_particular_and_stops_in_good_order() {
    let dockerfile = text_of("Dockerfile");
    let (_, image) = dockerfile.rsplit_once("\nFROM ").expect("stages");
    for line in [
        "scratch",
        "USER 10001:10001",
        "STOPSIGNAL SIGTERM",
        "EXPOSE 8000",
        r#"ENTRYPOINT ["/app/bin/antenna"]"#,
        r#"CMD ["serve"]"#,
    ] {
        assert!(image.lines().any(|other| other == line), "{line}");
    }
    // Nothing in the image could run it.
    assert!(!image.lines().any(|line| line.starts_with("RUN")));
}

#[test]
fn the_health_check_tells_a_live_collector_from_none() {
    let dockerfile = text_of("Dockerfile");
    let (_, check) = dockerfile.split_once("\nHEALTHCHECK ").expect("a check");
    let (_, command) = check.split_once(" CMD ").expect("a command");
    let command = command.lines().next().unwrap_or_default();
    let words: Vec<String> = serde_json::from_str(command).expect("a list of words");
    assert_eq!(words[0], "/app/bin/antenna");
    for settings in [vec![], vec![("PROXY_PROTOCOL", "on")]] {
        let collector = TestCollector::start(&settings);
        let port = collector.address().port().to_string();
        let is_healthy = || {
            let mut check = Command::new(env!("CARGO_BIN_EXE_antenna"));
            check.args(&words[1..]).env_clear();
            check.env("PORT", &port).envs(settings.iter().copied());
            let checked = check.output().expect("the binary can be started");
            checked.status.success()
        };
        assert!(is_healthy(), "{settings:?}");
        collector.stop();
        assert!(!is_healthy(), "{settings:?}");
    }
}

#[test]
fn the_compiler_of_the_image_is_the_one_that_the_crate_asks_for() {
    let manifest = text_of("Cargo.toml");
    let wanted = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "));
    let wanted = wanted.expect("a Rust version").trim_matches('"');
    let dockerfile = text_of("Dockerfile");
    assert!(dockerfile.contains(&format!(" rust:{wanted}-")), "{wanted}");
}
