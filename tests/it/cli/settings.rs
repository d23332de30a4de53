//! `antenna config`: every setting, with where its value comes from.

use super::antenna;

#[test]
fn every_setting_is_shown_with_its_source_and_secrets_are_masked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("antenna.env");
    std::fs::write(
        &file,
        "# a comment\nPORT=8001\nexport HOST='127.0.0.1'\nPROT=1\n",
    )
    .unwrap();
    let file = file.display().to_string();
    let settings = [
        ("HOST", "127.0.0.2"),
        ("HOSTNAME", "collector-1"),
        ("BREAKPAD_STAGE_SUBMITTER_BEARER_TOKEN", "a secret"),
        ("GUNICORN_WORKERS", "5"),
    ];
    let page = antenna(&settings, &["--settings", &file, "config"]).fine();
    for line in [
        format!("PORT=8001  ({file} line 2)"),
        "HOST=127.0.0.2  (environment)".to_owned(),
        "HOST_ID=collector-1  (environment, HOSTNAME)".to_owned(),
        "LOGGING_LEVEL=INFO  (default)".to_owned(),
        "BREAKPAD_STAGE_SUBMITTER_BEARER_TOKEN=*****  (environment)".to_owned(),
    ] {
        assert!(page.lines().any(|shown| shown == line), "{line} in {page}");
    }
    for words in [
        "# warning: PROT",
        "did you mean PORT?",
        "# warning: GUNICORN_WORKERS",
        "WORKER_THREADS",
    ] {
        assert!(page.contains(words), "{words} in {page}");
    }
    assert!(!page.contains("a secret"), "{page}");
    let names = include_str!("../../../docs/configuration.md").lines();
    let names = names.filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'));
    for name in names {
        let is_shown = page
            .lines()
            .any(|line| line.starts_with(&format!("{name}=")));
        assert!(is_shown, "{name} is in docs/configuration.md but not shown");
    }
}

#[test]
fn a_reader_that_stops_early_is_no_trouble() {
    let command = format!(
        "{} config | head -n 1; exit ${{PIPESTATUS[0]}}",
        env!("CARGO_BIN_EXE_antenna")
    );
    let output = std::process::Command::new("bash")
        .args(["-c", &command])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}
