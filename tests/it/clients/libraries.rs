//! Programs and libraries with which people send reports, run for real: curl, wget, requests, aiohttp, form-data. The forms
//! are those of the captures. What is stored is compared with what was sent, byte for byte.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::capture::folder;
use super::{SETTINGS, in_target};
use crate::support::canonical_json::parse;
use crate::support::collector::TestCollector;
use crate::support::crash::{Crash, gzip};
use crate::support::stored::objects_below;

const DUMP: &str = "crashpad-chromium156-segv.dmp";
const BOUNDARY: &str =
    "Content-Type: multipart/form-data; boundary=01659896d5dc42cabd7f3d8a3dcdd3bb";

/// What a test needs: a collector, a minidump, a folder for files.
struct Scene {
    collector: TestCollector,
    minidump: PathBuf,
    files: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        Self::with_minidump(folder().join(DUMP))
    }

    fn with_minidump(minidump: PathBuf) -> Self {
        Self {
            collector: TestCollector::start(&SETTINGS),
            minidump,
            files: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    fn url(&self) -> String {
        format!("http://{}/submit", self.collector.address())
    }

    /// `name=@` and where the minidump is.
    fn form_file(&self) -> String {
        format!("upload_file_minidump=@{}", self.minidump.display())
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.files.path().join(name);
        std::fs::write(&path, content).expect("a writable folder");
        path
    }

    /// Runs the client to its end, and demands that what it sent is stored under the id that it was told.
    fn delivers(&self, client: &mut Command) {
        let output = client.stderr(Stdio::piped()).output();
        let output = output.unwrap_or_else(|error| panic!("{client:?}: {error}; see tests/run.sh"));
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let id = told.trim_start_matches("200 ").strip_prefix("CrashID=bp-");
        let id = id.and_then(|rest| rest.strip_suffix('\n'));
        let id = id.unwrap_or_else(|| panic!("{client:?} was told {told:?}: {output:?}"));
        let stored = objects_below(&self.collector.crashes());
        let of_kind = |kind: &str| {
            let found = stored
                .iter()
                .find(|(path, _)| path.contains(kind) && path.contains(id));
            found
                .unwrap_or_else(|| panic!("{client:?}: no {kind} of {id}"))
                .1
        };
        let sent = std::fs::read(&self.minidump).expect("a minidump");
        assert!(
            of_kind("/upload_file_minidump/") == &sent,
            "{client:?}: the dump differs"
        );
        let raw_crash = parse(of_kind("/raw_crash/")).expect("JSON");
        assert_eq!(raw_crash["ProductName"], "Firefox", "{client:?}");
        assert_eq!(raw_crash["Version"], "128.0", "{client:?}");
    }

    fn end(self) {
        self.collector.stop();
    }
}

fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments);
    command
}

fn curl(arguments: &[&str]) -> Command {
    program(
        "curl",
        &[&["--silent", "--show-error", "--max-time", "60"], arguments].concat(),
    )
}

const FIELDS: [&str; 4] = ["-F", "ProductName=Firefox", "-F", "Version=128.0"];

#[test]
fn curl_delivers_forms() {
    let scene = Scene::new();
    let (url, file) = (scene.url(), scene.form_file());
    let quotes = format!("{file};filename=d \"q\" x.dmp");
    let from_stdin = "upload_file_minidump=@-;filename=x.dmp";
    for more in [
        &["-F", &file][..],
        &["-F", &file, "-H", "Transfer-Encoding: chunked"],
        &["-F", &file, "-H", "Expect: 100-continue"],
        &[
            "-F",
            &file,
            "-H",
            "User-Agent: Breakpad/1.0 (Linux)",
            "--http1.0",
        ],
        &["-F", &quotes],
    ] {
        scene.delivers(&mut curl(&[&FIELDS, more, &[&url]].concat()));
    }
    let minidump = std::fs::File::open(&scene.minidump).expect("a minidump");
    scene.delivers(curl(&[&FIELDS[..], &["-F", from_stdin, &url]].concat()).stdin(minidump));
    scene.end();
}

/// The body that a program has made beforehand.
fn made_body(scene: &Scene) -> Vec<u8> {
    let minidump = std::fs::read(&scene.minidump).expect("a minidump");
    let crash = Crash::default().annotation("ProductName", "Firefox");
    let crash = crash.annotation("Version", "128.0");
    crash.dump("upload_file_minidump", &minidump).body()
}

#[test]
fn curl_delivers_compressed_bodies() {
    let scene = Scene::new();
    let body = scene.file("body.gz", &gzip(&made_body(&scene), 6));
    let (url, body) = (scene.url(), format!("@{}", body.display()));
    let common = [
        "--data-binary",
        &body,
        "-H",
        BOUNDARY,
        "-H",
        "Content-Encoding: gzip",
    ];
    for more in [
        &[][..],
        &["-H", "Transfer-Encoding: chunked"],
        &["-H", "Expect: 100-continue"],
    ] {
        scene.delivers(&mut curl(&[&common[..], more, &[&url]].concat()));
    }
    scene.end();
}

/// With the options of old Chromium: one try, ten seconds.
#[test]
fn wget_delivers_a_file() {
    let scene = Scene::new();
    let body = made_body(&scene);
    let plain = scene.file("body", &body);
    let gzipped = scene.file("body.gz", &gzip(&body, 6));
    let type_header = format!("--header={BOUNDARY}");
    for (file, encoding) in [
        (plain, None),
        (gzipped, Some("--header=Content-Encoding: gzip")),
    ] {
        let file = format!("--post-file={}", file.display());
        let mut wget = program(
            "wget",
            &[
                &type_header,
                &file,
                "--timeout=60",
                "--tries=1",
                "-q",
                "-O",
                "-",
            ],
        );
        scene.delivers(wget.args(encoding).arg(scene.url()));
    }
    scene.end();
}

fn python(scene: &Scene, how: &str) -> Command {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/clients/send.py");
    let minidump = scene.minidump.display().to_string();
    program(
        &in_target("venv/bin/python"),
        &[script, how, &scene.url(), &minidump],
    )
}

#[test]
fn pythons_requests_delivers() {
    let scene = Scene::new();
    scene.delivers(&mut python(&scene, "requests"));
    scene.delivers(&mut python(&scene, "requests-extra"));
    scene.end();
}

#[test]
fn pythons_aiohttp_delivers() {
    let scene = Scene::new();
    scene.delivers(&mut python(&scene, "aiohttp"));
    scene.delivers(&mut python(&scene, "aiohttp-chunked-gzip"));
    scene.end();
}

#[test]
fn nodes_form_data_delivers() {
    let scene = Scene::new();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/clients/send.js");
    let minidump = scene.minidump.display().to_string();
    for how in ["submit", "chunked"] {
        let mut node = program("node", &[script, how, &scene.url(), &minidump]);
        scene.delivers(node.env("NODE_PATH", in_target("node/node_modules")));
    }
    scene.end();
}

/// A program that crashes here and now, by two signals; its minidump is larger and different every time.
#[test]
fn the_minidump_of_a_program_that_really_crashed_is_delivered() {
    for how in ["segfault", "abort"] {
        let files = tempfile::tempdir().expect("a temporary folder");
        let minidump = files.path().join("it.dmp");
        let path = minidump.display().to_string();
        let output = program(&in_target("tools/bin/crasher"), &[how, &path]).output();
        let output = output.expect("put there by tests/run.sh");
        let died = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success() && died.starts_with("signal: "),
            "{output:?}"
        );
        assert!(
            std::fs::read(&minidump)
                .expect("a minidump")
                .starts_with(b"MDMP")
        );
        let scene = Scene::with_minidump(minidump);
        let (url, file) = (scene.url(), scene.form_file());
        scene.delivers(&mut curl(&[&FIELDS[..], &["-F", &file, &url]].concat()));
        scene.end();
    }
}
