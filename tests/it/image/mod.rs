//! What the image, the compose file and the pipeline promise, as far as it can be tried without a container engine: the
//! binary under the image's restrictions, and the files by the tools that read them.

mod circleci;
mod compose;
mod confined;
mod dashboard;
mod dockerfile;

use std::process::Command;

use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A file of the repository, by its path from there.
fn text_of(path: &str) -> String {
    std::fs::read_to_string(format!("{ROOT}/{path}")).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// A YAML file as JSON.
fn yaml(path: &str) -> Value {
    const TO_JSON: &str =
        "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
    let json = tool("python", &["-c", TO_JSON, path]);
    serde_json::from_str(&json).expect("JSON")
}

/// Lets a program of `target/venv` look at files of the repository, and demands that it is content. Gives what it says.
fn tool(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(format!("{ROOT}/target/venv/bin/{program}"))
        .args(arguments)
        .current_dir(ROOT)
        .output()
        .unwrap_or_else(|e| panic!("{program}: {e}; tests/run.sh installs it"));
    let said =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(
        output.status.success(),
        "{program} {arguments:?}:\n{}",
        said.concat()
    );
    let [said, _] = said;
    said
}

/// What is below `key`, which must be there.
fn at<'a>(value: &'a Value, key: &str) -> &'a Value {
    value
        .get(key)
        .unwrap_or_else(|| panic!("no {key} in {value}"))
}

fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a text: {value}"))
}

fn list(value: &Value) -> &[Value] {
    value
        .as_array()
        .unwrap_or_else(|| panic!("not a list: {value}"))
}
