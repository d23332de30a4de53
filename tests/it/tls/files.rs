//! Certificate and key: what stops a start, and what SIGHUP does.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rustix::process::Signal;

use super::{Scene, answers, files};
use crate::support::collector::TestCollector;
use crate::support::tls::{CERTIFICATE, KEY, connect, make_certificate};
use crate::support::wait::wait_for;
use crate::support::wire::{Exchange, play};

fn antenna(args: &[&str], settings: &[(&str, String)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_antenna"))
        .args(args)
        .env_clear()
        .env("PORT", "0")
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .current_dir(folder.path())
        .output()
        .expect("the binary can be started")
}

/// Neither a start nor a check succeeds, and both say these words.
fn assert_refused(settings: &[(&str, String)], words: &str) {
    let failed = TestCollector::try_start(settings).err().expect("no start");
    assert_eq!(failed.status.code(), Some(78), "{words}");
    let log = failed.log.join("\n");
    assert!(log.contains(words), "{words}: {log}");
    let checked = antenna(&["check"], settings);
    assert_eq!(checked.status.code(), Some(78));
    let said = String::from_utf8(checked.stderr).unwrap();
    assert!(said.contains(words), "{words}: {said}");
}

#[test]
fn what_cannot_be_used_stops_the_start_and_names_its_setting() {
    let folder = tempfile::tempdir().unwrap();
    make_certificate(folder.path());
    let good = files(folder.path());
    let other = tempfile::tempdir().unwrap();
    make_certificate(other.path());
    let [_, other_key] = files(other.path());
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let block = |what: &str, content: &str| {
        format!("-----BEGIN {what}-----\n{content}\n-----END {what}-----\n")
    };
    let [certificate, key] = good.clone();
    let missing = folder.path().join("none.pem").display().to_string();
    let text = file("text", "no PEM at all\n");
    let broken = file("broken", &block("CERTIFICATE", "!"));
    let odd = file("odd", &block("CERTIFICATE", "AAAA"));
    let odd_key = file("odd_key", &block("PRIVATE KEY", "AAAA"));
    let locked = file("locked", &block("ENCRYPTED PRIVATE KEY", "AAAA"));
    let (at, by) = ("TLS_CERTIFICATE", "TLS_KEY");

    assert_refused(
        std::slice::from_ref(&certificate),
        "TLS_KEY is missing: TLS_CERTIFICATE needs it",
    );
    assert_refused(
        std::slice::from_ref(&key),
        "TLS_CERTIFICATE is missing: TLS_KEY needs it",
    );
    for (path, words) in [
        (&missing, "cannot be read: No such file or directory"),
        (&text, "no certificate in PEM form is in it"),
        (&key.1, "no certificate in PEM form is in it"),
        (&broken, "not PEM"),
        (&odd, "the first certificate cannot be used"),
    ] {
        assert_refused(
            &[(at, path.clone()), key.clone()],
            &format!("{at}={path}: {words}"),
        );
    }
    for (path, words) in [
        (&missing, "cannot be read: No such file or directory"),
        (
            &text,
            "no private key in PEM form without a password is in it",
        ),
        (
            &locked,
            "no private key in PEM form without a password is in it",
        ),
        (&odd_key, "the key cannot be used"),
        (&other_key.1, "the key does not match TLS_CERTIFICATE"),
    ] {
        assert_refused(
            &[certificate.clone(), (by, path.clone())],
            &format!("{by}={path}: {words}"),
        );
    }
}

/// Makes a key as openssl's `genpkey` does, and says where it is.
fn key_of(folder: &Path, name: &str, arguments: &[&str]) -> String {
    let path = folder.join(name).display().to_string();
    let made = Command::new("openssl")
        .arg("genpkey")
        .args(arguments)
        .args(["-out", &path])
        .output()
        .expect("openssl");
    assert!(made.status.success(), "{made:?}");
    path
}

#[test]
fn keys_that_no_client_may_meet_are_refused_in_plain_words() {
    let folder = tempfile::tempdir().unwrap();
    make_certificate(folder.path());
    let [certificate, _] = files(folder.path());
    let large = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"];
    let small = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"];
    for (name, arguments) in [("p521", large), ("rsa1024", small)] {
        let key = key_of(folder.path(), name, &arguments);
        let words = "the key cannot be used: it must be RSA of 2048 to 8192 bits, ECDSA on P-256";
        assert_refused(&[certificate.clone(), ("TLS_KEY", key)], words);
    }
}

#[test]
fn a_file_may_begin_with_the_mark_of_an_editor() {
    let folder = tempfile::tempdir().unwrap();
    make_certificate(folder.path());
    for name in [CERTIFICATE, KEY] {
        let path = folder.path().join(name);
        let marked = [b"\xef\xbb\xbf", &std::fs::read(&path).unwrap()[..]].concat();
        std::fs::write(&path, marked).unwrap();
    }
    TestCollector::start(&files(folder.path())).stop();
}

#[test]
fn a_certificate_that_ends_soon_is_warned_of_and_measured() {
    let admin = ("ADMIN_LISTEN", "127.0.0.1:0");
    let scene = Scene::start(&[admin]);
    wait_for("the warning", || {
        scene.log_has("the certificate ends soon").then_some(())
    });
    let asked = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answers = play(scene.collector.admin(), &Exchange::of(asked.to_vec()));
    let page = answers[0].response().text();
    assert!(page.contains("\ntls_certificate_days_left 1\n"), "{page}");
    scene.collector.stop();
}

#[test]
fn a_check_says_what_it_found() {
    let folder = tempfile::tempdir().unwrap();
    make_certificate(folder.path());
    for (settings, words) in [
        (
            files(folder.path()).to_vec(),
            "TLS: warning: 1 in the chain; the certificate ends soon: ",
        ),
        (Vec::new(), "TLS: off, TLS_CERTIFICATE is not set\n"),
    ] {
        let said = antenna(&["check"], &settings);
        let text = String::from_utf8(said.stdout).unwrap();
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn a_collector_with_tls_is_asked_over_tls_whether_it_lives() {
    let scene = Scene::start(&[]);
    let port = ("PORT", scene.collector.address().port().to_string());
    let [certificate, key] = files(scene.folder.path());
    let said = antenna(&["check", "--live"], &[port.clone(), certificate, key]);
    assert!(said.status.success(), "{said:?}");
    let said = antenna(&["check", "--live"], &[port]);
    assert_eq!(said.status.code(), Some(1), "{said:?}");
    scene.collector.stop();
}

/// The certificate of a moment, for clients that still trust that one.
fn copy_of(certificate: &Path) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(certificate, folder.path().join(CERTIFICATE)).unwrap();
    let path = folder.path().to_owned();
    (folder, path)
}

#[test]
fn a_hangup_brings_the_new_certificate_and_a_bad_one_changes_nothing() {
    let scene = Scene::start(&[]);
    let folder = scene.folder.path();
    let address = scene.collector.address();
    let (_old, old) = copy_of(&folder.join(CERTIFICATE));
    let mut open = scene.connect();
    assert!(answers(&mut open));

    make_certificate(folder);
    // Not before it is asked for.
    assert!(!scene.is_answered());
    scene.collector.signal(Signal::HUP);
    wait_for("the new certificate", || {
        scene
            .log_has("certificate and key were read again")
            .then_some(())
    });
    assert!(scene.is_answered());
    assert!(!answers(&mut connect(address, &old)));
    assert!(answers(&mut open), "open connections go on");

    let (_new, new) = copy_of(&folder.join(CERTIFICATE));
    let good_key = std::fs::read(folder.join(KEY)).unwrap();
    make_certificate(folder);
    std::fs::write(folder.join(KEY), good_key).unwrap();
    scene.collector.signal(Signal::HUP);
    wait_for("the refusal", || {
        scene.log_has("the old one stays in use").then_some(())
    });
    assert!(scene.log_has("the key does not match TLS_CERTIFICATE"));
    assert!(answers(&mut connect(address, &new)));
    assert!(answers(&mut open));
    scene.collector.stop();
}
