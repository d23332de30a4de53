//! `docker-compose.yml` by Compose's schema and, as far as its parts are here, by doing what it says: bucket and queue are
//! made by its own script, and the collector is content with the settings that it is given.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{ROOT, at, list, text, tool, yaml};
use crate::support::moto::Moto;

const FILE: &str = "docker-compose.yml";
const AWS: &str = "http://aws:5000";

fn services() -> serde_json::Map<String, Value> {
    at(&yaml(FILE), "services")
        .as_object()
        .expect("services")
        .clone()
}

fn environment(service: &Value, moto: &Moto) -> Vec<(String, String)> {
    let settings = at(service, "environment")
        .as_object()
        .expect("a map")
        .iter();
    let settings =
        settings.map(|(name, value)| (name.clone(), text(value).replace(AWS, &moto.url())));
    settings.collect()
}

#[test]
fn the_compose_file_is_what_compose_understands() {
    tool(
        "check-jsonschema",
        &["--builtin-schema", "vendor.compose-spec", FILE],
    );
}

#[test]
fn every_file_that_is_mounted_exists() {
    let services = services();
    let volumes = services
        .values()
        .filter_map(|service| service.get("volumes"));
    let mounts = volumes.flat_map(list).map(text);
    let files: Vec<_> = mounts
        .filter_map(|mount| Some(mount.strip_prefix("./")?.split_once(':')?.0))
        .collect();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        assert!(Path::new(ROOT).join(file).is_file(), "{file}");
    }
}

#[test]
fn who_is_waited_for_can_say_that_it_is_ready() {
    let services = services();
    for (name, service) in &services {
        let Some(waited_for) = service.get("depends_on") else {
            continue;
        };
        for (other, how) in waited_for.as_object().expect("a map") {
            let is_built_here = other == "collector";
            let other = &services[other];
            match text(at(how, "condition")) {
                // The collector's check is in its image.
                "service_healthy" => assert!(
                    is_built_here || other.get("healthcheck").is_some(),
                    "{name}"
                ),
                "service_completed_successfully" => {
                    assert!(other.get("restart").is_none(), "{name}")
                }
                condition => panic!("{name}: {condition}"),
            }
        }
    }
}

#[test]
fn ports_are_open_to_this_machine_only() {
    for (name, service) in services() {
        for port in service.get("ports").map_or(&[][..], |ports| list(ports)) {
            assert!(text(port).starts_with("127.0.0.1:"), "{name}: {port}");
        }
    }
}

#[test]
fn the_collector_has_longer_to_stop_than_it_takes() {
    let services = services();
    let grace = text(at(&services["collector"], "stop_grace_period"));
    let grace: u32 = grace
        .strip_suffix('s')
        .expect("seconds")
        .parse()
        .expect("a number");
    // The default of CRASHMOVER_SHUTDOWN_TIMEOUT_SECONDS.
    assert!(grace > 60, "{grace}");
}

#[test]
fn bucket_and_queue_are_made_and_the_collector_is_content_with_its_settings() {
    let moto = Moto::shared();
    let services = services();
    let python = format!("{ROOT}/target/venv/bin/python");
    let health = list(at(at(&services["aws"], "healthcheck"), "test"));
    let health =
        text(health.last().expect("a script")).replace("http://127.0.0.1:5000", &moto.url());
    assert!(health.contains(&moto.url()), "{health}");
    tool("python", &["-c", &health]);
    let setup = &services["aws-setup"];
    assert_eq!(list(at(setup, "entrypoint")), ["python", "-c"]);
    let [script] = list(at(setup, "command")) else {
        panic!("not one script");
    };
    // Twice, because `docker compose up` may be.
    for _ in 0..2 {
        let made = Command::new(&python)
            .args(["-c", text(script)])
            .env_clear()
            .envs(environment(setup, moto))
            .output()
            .expect("Python");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = environment(&services["collector"], moto);
    settings.push((
        "CRASHMOVER_SPOOL_DIR".to_owned(),
        folder.path().display().to_string(),
    ));
    // The set's own names exist in the set only.
    settings.push(("STATSD_HOST".to_owned(), "localhost".to_owned()));
    let checked = Command::new(env!("CARGO_BIN_EXE_antenna"))
        .arg("check")
        .env_clear()
        .env("PORT", "0")
        .envs(settings)
        .output()
        .expect("the binary can be started");
    let said =
        [checked.stdout, checked.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(checked.status.success(), "{said:?}");
    assert!(!said.concat().contains("warning"), "{said:?}");
}
