//! Commands whose output nobody reads to its end, and what is in it besides text.

use std::process::{Command, Stdio};

use super::antenna;

#[test]
fn no_command_panics_when_nobody_reads() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["check"][..],
        &["check", "--live"],
        &["config"],
        &["config", "--markdown"],
        &["metrics"],
        &["completions", "bash"],
        &["throttle", "-a", "ProductName=Firefox"],
        &["submit", "http://127.0.0.1:1", "-a", "A=1"],
        &["spool", "ls"],
        &["--help"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        let (errors, error_writer) = std::io::pipe().unwrap();
        // Both streams are closed at the other end before anything is written.
        drop((reader, errors));
        let status = Command::new(env!("CARGO_BIN_EXE_antenna"))
            .args(arguments)
            .env_clear()
            .env("PORT", "0")
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(error_writer)
            .status()
            .unwrap();
        // 101 is what a panic ends with.
        assert!(
            matches!(status.code(), Some(0 | 1)),
            "{arguments:?}: {status}"
        );
    }
}

#[test]
fn levels_are_taken_as_the_original_does() {
    for (level, logs_warnings) in [("FATAL", false), ("NOTSET", true)] {
        let settings = [
            ("LOGGING_LEVEL", level),
            ("CRASHMOVER_CRASHSTORAGE_CLASS", "memory"),
            ("PORT", "1"),
            ("HOST", "192.0.2.1"),
        ];
        let said = antenna(&settings, &["serve"]);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(
            said.out.contains("cannot listen on 192.0.2.1:1"),
            "{said:?}"
        );
        assert_eq!(said.out.contains("in memory only"), logs_warnings);
        assert!(!said.out.contains("LOGGING_LEVEL="), "an INFO: {said:?}");
    }
}

/// What a start says on a terminal of `script`'s until it fails.
fn on_a_terminal(more: &[(&str, &str)]) -> String {
    let command = format!("{} serve", env!("CARGO_BIN_EXE_antenna"));
    let said = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .env_clear()
        .env("CRASHMOVER_CRASHSTORAGE_FS_ROOT", "/proc/nothing")
        .env("PORT", "0")
        .envs(more.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("script of util-linux");
    String::from_utf8_lossy(&said.stdout).into_owned()
}

#[test]
fn colours_can_be_refused() {
    assert!(on_a_terminal(&[]).contains("\x1b[31mERROR"));
    assert!(on_a_terminal(&[("NO_COLOR", "")]).contains("\x1b[31mERROR"));
    let plain = on_a_terminal(&[("NO_COLOR", "1")]);
    assert!(plain.contains("ERROR"), "{plain}");
    assert!(!plain.contains('\x1b'), "{plain}");
}

#[test]
fn bad_settings_are_told_as_text_where_nobody_chose_a_storage() {
    let told = |settings: &[(&str, &str)]| antenna(settings, &["serve"]).out;
    let bad = ("PORT", "sixty");
    assert!(!told(&[bad]).starts_with('{'));
    let storage = ("CRASHMOVER_CRASHSTORAGE_CLASS", "memory");
    assert!(told(&[bad, storage]).starts_with('{'));
}
