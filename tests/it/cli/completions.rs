//! `antenna completions`: a real shell that has read the script completes what a person begins.

use std::process::Command;

use tempfile::TempDir;

use super::antenna;

const COMMANDS: [&str; 8] = [
    "serve",
    "check",
    "show",
    "submit",
    "throttle",
    "config",
    "spool",
    "completions",
];

/// What bash offers for a line that ends in the word being typed.
fn offered(script: &str, line: &[&str]) -> Vec<String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), script).unwrap();
    let last = line.len() - 1;
    let program = format!(
        "source {}; COMP_WORDS=({}); COMP_CWORD={last}; _antenna antenna \"${{COMP_WORDS[{last}]}}\" \"${{COMP_WORDS[{}]}}\"; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        file.path().display(),
        line.iter()
            .map(|word| format!("'{word}'"))
            .collect::<Vec<_>>()
            .join(" "),
        last - 1,
    );
    let output = Command::new("bash")
        .args(["-c", &program])
        .output()
        .expect("bash");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let offered = String::from_utf8(output.stdout).unwrap();
    offered.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_and_options() {
    let script = antenna(&[], &["completions", "bash"]).fine();
    let commands = offered(&script, &["antenna", ""]);
    for command in COMMANDS {
        assert!(
            commands.iter().any(|it| it == command),
            "{command} in {commands:?}"
        );
    }
    assert_eq!(offered(&script, &["antenna", "sub"]), ["submit"]);
    assert_eq!(offered(&script, &["antenna", "submit", "--gz"]), ["--gzip"]);
    assert_eq!(offered(&script, &["antenna", "completions", "f"]), ["fish"]);
    assert_eq!(offered(&script, &["antenna", "spool", "re"]), ["retry"]);
}

#[test]
fn fish_completes_commands_and_options() {
    let script = script_file("fish", "antenna.fish");
    let offers = |line: &str| {
        let path = script.path().join("antenna.fish");
        let program = format!("source {}; complete -C '{line}'", path.display());
        shell("fish", &["--no-config", "-c", &program])
    };
    let offered = offers("antenna ");
    for command in COMMANDS {
        assert!(
            offered.contains(&format!("{command}\t")),
            "{command} in {offered}"
        );
    }
    assert!(offers("antenna submit --gz").starts_with("--gzip\t"));
    assert!(offers("antenna spool re").starts_with("retry\t"));
}

#[test]
fn zsh_finds_its_script_and_can_load_it() {
    let folder = script_file("zsh", "_antenna");
    let program = format!(
        "fpath=({} $fpath); autoload -Uz compinit && compinit -u -D; print -- $_comps[antenna]; autoload +X _antenna",
        folder.path().display()
    );
    assert_eq!(shell("zsh", &["-f", "-c", &program]), "_antenna\n");
    let script = std::fs::read_to_string(folder.path().join("_antenna")).unwrap();
    for command in COMMANDS {
        assert!(
            script.contains(&format!("({command})\n")),
            "{command} in {script}"
        );
    }
}

#[test]
fn another_shell_is_a_wrong_command_line() {
    let said = antenna(&[], &["completions", "cmd"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("bash, zsh, fish"), "{said:?}");
}

/// A folder with the script in it.
fn script_file(shell: &str, name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let script = antenna(&[], &["completions", shell]).fine();
    std::fs::write(folder.path().join(name), script).unwrap();
    folder
}

/// What a shell prints; it must have nothing to complain of.
fn shell(name: &str, args: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(name)
        .args(args)
        .env("HOME", home.path())
        .output();
    let output =
        output.unwrap_or_else(|error| panic!("{name}, which tests/run.sh installs: {error}"));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout).unwrap()
}
