//! The pipeline: CircleCI would take its file, its scripts exist, and what it runs before an image is what `.ci/run` runs.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use super::{ROOT, at, list, text_of, tool, yaml};

const CONFIG: &str = ".circleci/config.yml";

#[test]
fn the_pipeline_is_what_circleci_understands() {
    tool(
        "check-jsonschema",
        &["--builtin-schema", "vendor.circle-ci", CONFIG],
    );
}

#[test]
fn every_script_of_the_pipeline_exists_and_can_be_run() {
    let config = text_of(CONFIG);
    let words = config.split(|c: char| c.is_whitespace() || "\"'".contains(c));
    let scripts: Vec<_> = words
        .filter(|word| word.starts_with(".circleci/"))
        .collect();
    assert!(scripts.len() >= 6, "{scripts:?}");
    for script in scripts {
        let mode = Path::new(ROOT)
            .join(script)
            .metadata()
            .expect(script)
            .permissions()
            .mode();
        assert!(mode & 0o111 != 0, "{script} cannot be run");
    }
}

#[test]
fn the_pipeline_runs_what_is_run_before_a_change_is_taken() {
    let run = text_of(".ci/run");
    let scripts: Vec<_> = run
        .lines()
        .filter(|line| line.starts_with(".circleci/"))
        .collect();
    assert!(!scripts.is_empty());
    let config = yaml(CONFIG);
    for script in scripts {
        let jobs = at(&config, "jobs").as_object().expect("jobs").values();
        let has = jobs.clone().any(|job| runs(job, script));
        assert!(has, "{script} is in .ci/run and not in {CONFIG}");
    }
}

fn runs(job: &Value, script: &str) -> bool {
    let steps = list(at(job, "steps")).iter();
    let mut scripts = steps.filter_map(|step| step.get("in-rust")?.get("script")?.as_str());
    scripts.any(|other| other == script)
}

#[test]
fn nothing_is_pushed_that_was_not_tested() {
    let config = yaml(CONFIG);
    let jobs = list(at(at(at(&config, "workflows"), "antenna"), "jobs"));
    let requires = |name: &str| {
        let mut named = jobs.iter().filter_map(|job| job.get(name));
        let job = named.next().unwrap_or_else(|| panic!("no job {name}"));
        job.get("requires").cloned().unwrap_or_default()
    };
    assert_eq!(requires("push"), Value::from(["image"].to_vec()));
    assert_eq!(requires("image"), Value::from(["test"].to_vec()));
    assert_eq!(requires("test"), Value::from(["lint"].to_vec()));
}

#[test]
fn the_tests_run_with_the_rust_of_the_image() {
    let dockerfile = text_of("Dockerfile");
    let (_, version) = dockerfile.split_once(" rust:").expect("a Rust image");
    let (version, _) = version.split_once('-').expect("a version");
    assert!(
        text_of(CONFIG).contains(&format!(" rust:{version}-")),
        "{version}"
    );
}
