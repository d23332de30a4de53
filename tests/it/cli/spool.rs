//! `antenna spool` on a spool that a real collector has filled.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{antenna, url};
use crate::support::collector::TestCollector;

/// The one entry of a spool, left behind by a collector whose storage was away.
struct Left {
    _folder: TempDir,
    spool: String,
    entry: PathBuf,
    id: String,
}

fn left_behind() -> Left {
    let spool = tempfile::tempdir().unwrap();
    let dir = spool.path().join("spool");
    let collector = TestCollector::start(&[
        ("CRASHMOVER_SPOOL_DIR", dir.to_str().unwrap()),
        ("CRASHMOVER_ACKNOWLEDGE", "spooled"),
        ("CRASHMOVER_CRASHSTORAGE_CLASS", "s3"),
        ("CRASHMOVER_CRASHSTORAGE_BUCKET_NAME", "crashes"),
        // Nobody listens there.
        ("CRASHMOVER_CRASHSTORAGE_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("CRASHMOVER_CRASHSTORAGE_ACCESS_KEY", "key"),
        ("CRASHMOVER_CRASHSTORAGE_SECRET_ACCESS_KEY", "secret"),
    ]);
    let url = url(&collector);
    let sent = [
        "submit",
        &url,
        "-a",
        "ProductName=Thunderbird",
        "-d",
        "Cargo.toml",
    ];
    let id = antenna(&[], &sent).fine().trim().to_owned();
    collector.stop();
    let entry = only_file(&dir.join("save"));
    Left {
        spool: dir.display().to_string(),
        _folder: spool,
        entry,
        id,
    }
}

fn only_file(folder: &Path) -> PathBuf {
    let mut files = std::fs::read_dir(folder).unwrap();
    let file = files.next().expect("an entry").unwrap().path();
    assert!(files.next().is_none(), "one entry");
    file
}

#[test]
fn check_looks_into_the_spool_and_changes_nothing() {
    let left = left_behind();
    let check = |spool: &str| {
        let root = tempfile::tempdir().unwrap();
        let settings = [
            ("CRASHMOVER_SPOOL_DIR", spool),
            (
                "CRASHMOVER_CRASHSTORAGE_FS_ROOT",
                root.path().to_str().unwrap(),
            ),
            ("PORT", "0"),
        ];
        antenna(&settings, &["check"])
    };
    let unfinished = Path::new(&left.spool).join("incoming/unfinished");
    std::fs::write(&unfinished, "").unwrap();
    let found = check(&left.spool).fine();
    let line = format!(
        "spool: fine, {}, 1 report waits, 0 are set aside, room for ",
        left.spool
    );
    assert!(found.contains(&line), "{found}");
    assert!(left.entry.exists() && unfinished.exists());

    let new = format!("{}/new", left.spool);
    let found = check(&new).fine();
    assert!(
        found.contains(&format!("spool: fine, a start makes {new}\n")),
        "{found}"
    );
    assert!(!Path::new(&new).exists());

    std::fs::create_dir(&new).unwrap();
    let found = check(&new).fine();
    let line = format!("spool: fine, {new}, 0 reports wait, ");
    assert!(found.contains(&line), "{found}");

    let said = check("/no/such/spool");
    assert_eq!(said.code, Some(1), "{said:?}");
    let line = "spool: write to the folder /no/such: ";
    assert!(said.out.contains(line), "{said:?}");
    let advice = "a start would fail: spool cannot be used";
    assert!(said.err.contains(advice), "{said:?}");
}

#[test]
fn what_waits_is_listed_shown_and_exported() {
    let left = left_behind();
    let settings = [("CRASHMOVER_SPOOL_DIR", left.spool.as_str())];
    let listed = antenna(&settings, &["spool", "ls"]).fine();
    assert!(listed.starts_with("save "), "{listed}");
    assert!(listed.contains("\n1 entry, "), "{listed}");
    let shown = antenna(&settings, &["spool", "show", &left.id]).fine();
    assert!(
        shown.contains("ProductName                  Thunderbird\n"),
        "{shown}"
    );
    let into = tempfile::tempdir().unwrap();
    let into_text = into.path().display().to_string();
    antenna(&settings, &["spool", "export", &left.id, &into_text]).fine();
    let folder = into.path().join(left.id.trim_start_matches("bp-"));
    let dump = std::fs::read(folder.join("upload_file_minidump")).unwrap();
    assert_eq!(dump, std::fs::read("Cargo.toml").unwrap());
}

#[test]
fn a_turned_bit_is_found_by_verifying() {
    let left = left_behind();
    let settings = [("CRASHMOVER_SPOOL_DIR", left.spool.as_str())];
    let said = antenna(&settings, &["spool", "verify"]).fine();
    assert_eq!(said, "1 whole, 0 damaged, 0 moved on meanwhile\n");
    let mut bytes = std::fs::read(&left.entry).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&left.entry, bytes).unwrap();
    let said = antenna(&settings, &["spool", "verify"]);
    let name = left.entry.file_name().unwrap().to_string_lossy();
    let expected = format!("save/{name}: the dump upload_file_minidump does not fit its SHA-256\n");
    assert!(said.out.starts_with(&expected), "{said:?}");
    assert_eq!(said.code, Some(1));
    assert_eq!(
        said.err,
        format!("1 damaged file in the spool {}\n", left.spool)
    );
}

#[test]
fn what_was_not_set_aside_is_not_put_back_and_the_answer_says_so() {
    let left = left_behind();
    let settings = [("CRASHMOVER_SPOOL_DIR", left.spool.as_str())];
    let said = antenna(&settings, &["spool", "retry", &left.id]);
    let expected = format!(
        "nothing to put back: {} was not set aside, it is in save and the collector takes it up by itself\n",
        left.id
    );
    assert_eq!((said.code, said.err), (Some(1), expected));
    let said = antenna(&settings, &["spool", "retry", "bp-0"]);
    assert_eq!(
        said.err,
        format!("nothing of the name bp-0 is in the spool {}\n", left.spool)
    );
}

#[test]
fn what_was_set_aside_is_put_back_once_it_is_whole() {
    let left = left_behind();
    let settings = [("CRASHMOVER_SPOOL_DIR", left.spool.as_str())];
    let name = left.entry.file_name().unwrap();
    let aside = Path::new(&left.spool).join("failed").join(name);
    let whole = std::fs::read(&left.entry).unwrap();
    std::fs::rename(&left.entry, &aside).unwrap();
    std::fs::write(&aside, &whole[..100]).unwrap();
    let said = antenna(&settings, &["spool", "retry", &left.id]);
    assert_eq!(said.code, Some(1));
    assert_eq!(said.err.matches("is corrupt").count(), 1, "{said:?}");
    std::fs::write(&aside, whole).unwrap();
    let said = antenna(&settings, &["spool", "retry", &left.id]).fine();
    assert!(said.contains(" is back in the line: save."), "{said}");
    assert_eq!(only_file(&Path::new(&left.spool).join("save")), left.entry);
}

#[test]
fn a_failure_says_its_cause_once() {
    let no_spool = [("CRASHMOVER_SPOOL_DIR", "/no/such/folder")];
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("a-file");
    std::fs::write(&root, "").unwrap();
    let no_root = [("CRASHMOVER_CRASHSTORAGE_FS_ROOT", root.to_str().unwrap())];
    let id = "f5d6c950-7db5-4e96-a378-914db0261123";
    for (settings, args, cause) in [
        (
            &no_spool[..],
            &["spool", "ls"][..],
            "No such file or directory",
        ),
        (&no_root, &["show", id], "Not a directory"),
    ] {
        let said = antenna(settings, args);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert_eq!(said.err.matches(cause).count(), 1, "{said:?}");
    }
}
