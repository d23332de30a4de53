//! What every crash storage does, whatever the reports are kept in.
//!
//! Every check makes its own crash ids, so that the suite can run against a store that holds other reports.

use std::sync::Arc;

use antenna::crash::{CrashId, CrashReport, Dump, DumpName, RawCrash, ThrottleDigit};
use antenna::crash_storage::{
    Blob, BlobStore, CrashStorage, Layout, ReportKeys, StorageError, StorageErrorKind,
};
use bytes::Bytes;
use chrono::NaiveDate;

/// Runs every check that needs nothing but a working store.
pub async fn behaves(store: Arc<dyn BlobStore>, layout: Layout) {
    let backend = Backend {
        storage: CrashStorage::new(Arc::clone(&store), layout),
        store,
        layout,
    };
    backend.is_verified_and_checked().await;
    backend.loads_what_was_saved().await;
    backend.puts_every_part_under_its_key().await;
    backend.takes_a_report_without_dumps().await;
    backend.takes_an_empty_dump().await;
    backend.takes_a_dump_in_many_pieces().await;
    backend.takes_a_big_dump().await;
    backend.keeps_dumps_that_want_the_same_key().await;
    backend.overwrites_a_report_of_the_same_id().await;
    backend.says_not_found_for_what_is_missing().await;
    backend.takes_many_reports_at_once().await;
}

/// A part that cannot be written keeps the report invisible, whichever part it is.
///
/// `obstruct` makes sure that nothing can be stored under the key it is given, from then on. The errors are given back,
/// to be looked at: one for the dump names, one for a dump, one for the raw crash.
pub async fn hides_what_is_not_whole(
    store: Arc<dyn BlobStore>,
    layout: Layout,
    obstruct: impl AsyncFn(&str),
) -> Vec<StorageError> {
    let storage = CrashStorage::new(Arc::clone(&store), layout);
    let pick: [fn(ReportKeys) -> String; 3] = [
        |keys| keys.dump_names,
        |keys| keys.dumps[1].clone(),
        |keys| keys.raw_crash,
    ];
    let mut errors = Vec::new();
    for pick in pick {
        let report = report(&[("memory_report", b"abc"), ("upload_file_minidump", b"def")]);
        obstruct(&pick(keys_of(&report, layout))).await;
        errors.push(storage.save(&report).await.unwrap_err());
        assert!(storage.load(&report.id).await.is_err());
        let raw_crash = keys_of(&report, layout).raw_crash;
        assert!(store.get(&raw_crash).await.is_err());
    }
    errors
}

/// A report of today's kind with a new id and these dumps.
pub fn report(dumps: &[(&str, &[u8])]) -> CrashReport {
    let dumps = dumps
        .iter()
        .map(|(name, bytes)| Dump::whole(name_of(name), Bytes::copy_from_slice(bytes)))
        .collect();
    report_of(dumps)
}

pub fn keys_of(report: &CrashReport, layout: Layout) -> ReportKeys {
    let names: Vec<_> = report.dumps.iter().map(|dump| &dump.name).collect();
    ReportKeys::new(layout, &report.id, &names)
}

/// Compares bytes, not pieces: what is read back comes in one piece.
pub fn assert_same(loaded: &CrashReport, saved: &CrashReport) {
    assert_eq!(loaded.id, saved.id);
    assert_eq!(loaded.raw_crash, saved.raw_crash);
    let parts = |report: &CrashReport| -> Vec<_> {
        let dumps = report.dumps.iter();
        dumps
            .map(|dump| (dump.name.clone(), dump.length_bytes, dump.sha256_hex()))
            .collect()
    };
    assert_eq!(parts(loaded), parts(saved));
    for (loaded, saved) in std::iter::zip(&loaded.dumps, &saved.dumps) {
        assert!(
            loaded.frames.concat() == saved.frames.concat(),
            "bytes differ"
        );
    }
}

fn report_of(dumps: Vec<Dump>) -> CrashReport {
    let date = NaiveDate::from_ymd_opt(2026, 7, 9).unwrap();
    let random = *uuid::Uuid::new_v4().as_bytes();
    let id = CrashId::make(random, ThrottleDigit::Accept, date);
    let raw_crash = RawCrash::written(format!(r#"{{"uuid": "{id}", "version": 2}}"#).into());
    CrashReport::new(id, raw_crash, dumps)
}

fn name_of(name: &str) -> DumpName {
    DumpName::sanitise(name).unwrap()
}

/// Bytes without a pattern that a store could have by chance.
fn noise(length_bytes: usize) -> Bytes {
    let mut state = 1_u64;
    let words = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state.to_be_bytes()
    });
    words.flatten().take(length_bytes).collect()
}

/// The pieces share one buffer, as those of a network stream do.
fn dump_in_pieces(name: &str, bytes: &[u8], piece_bytes: usize) -> Dump {
    let name = name_of(name);
    let frames = bytes
        .chunks(piece_bytes)
        .map(Bytes::copy_from_slice)
        .collect();
    // Small pieces of a body are put together before they are a dump; a store must not rely on that.
    Dump {
        frames,
        ..Dump::whole(name, Bytes::copy_from_slice(bytes))
    }
}

struct Backend {
    storage: CrashStorage,
    store: Arc<dyn BlobStore>,
    layout: Layout,
}

impl Backend {
    async fn round_trip(&self, report: &CrashReport) {
        self.storage.save(report).await.unwrap();
        assert_same(&self.storage.load(&report.id).await.unwrap(), report);
    }

    async fn is_verified_and_checked(&self) {
        self.storage.verify().await.unwrap();
        self.storage.check().await.unwrap();
        assert!(!self.storage.describe().is_empty());
    }

    async fn loads_what_was_saved(&self) {
        self.round_trip(&report(&[
            ("upload_file_minidump", b"MDMP\0\xff\r\n--"),
            ("upload_file_minidump_browser", b"MDMP"),
            ("memory_report", b"\x1f\x8b"),
        ]))
        .await;
    }

    async fn puts_every_part_under_its_key(&self) {
        let report = report(&[("b", b"1"), ("a", b"22")]);
        self.storage.save(&report).await.unwrap();
        let keys = keys_of(&report, self.layout);
        let raw_crash = self.store.get(&keys.raw_crash).await.unwrap();
        assert_eq!(raw_crash, report.raw_crash.json());
        let dump_names = self.store.get(&keys.dump_names).await.unwrap();
        assert_eq!(dump_names, r#"["a", "b"]"#);
        assert_eq!(self.store.get(&keys.dumps[0]).await.unwrap(), "22");
        assert_eq!(self.store.get(&keys.dumps[1]).await.unwrap(), "1");
    }

    async fn takes_a_report_without_dumps(&self) {
        let report = report(&[]);
        self.round_trip(&report).await;
        let dump_names = keys_of(&report, self.layout).dump_names;
        assert_eq!(self.store.get(&dump_names).await.unwrap(), "[]");
    }

    async fn takes_an_empty_dump(&self) {
        self.round_trip(&report(&[("upload_file_minidump", b"")]))
            .await;
    }

    async fn takes_a_dump_in_many_pieces(&self) {
        let dump = dump_in_pieces("upload_file_minidump", &noise(20_000), 7);
        assert!(dump.frames.len() > 2000);
        self.round_trip(&report_of(vec![dump])).await;
    }

    async fn takes_a_big_dump(&self) {
        let dump = dump_in_pieces("upload_file_minidump", &noise(26_000_001), 65_536);
        self.round_trip(&report_of(vec![dump])).await;
    }

    async fn keeps_dumps_that_want_the_same_key(&self) {
        self.round_trip(&report(&[
            ("", b"without a name"),
            ("dump", b"named dump"),
            ("upload_file_minidump", b"minidump"),
        ]))
        .await;
    }

    async fn overwrites_a_report_of_the_same_id(&self) {
        let older = report(&[
            ("upload_file_minidump", b"a long older dump"),
            ("log", b"x"),
        ]);
        let mut newer = report(&[("upload_file_minidump", b"new")]);
        newer.id = older.id.clone();
        self.round_trip(&older).await;
        self.round_trip(&newer).await;
    }

    async fn says_not_found_for_what_is_missing(&self) {
        let report = report(&[("upload_file_minidump", b"abc")]);
        let error = self.storage.load(&report.id).await.unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::NotFound, "{error}");
        let key = keys_of(&report, self.layout).dumps.remove(0);
        let error = self.store.get(&key).await.unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::NotFound, "{error}");
        let blob = Blob::whole(key.clone(), Bytes::from_static(b"abc"));
        self.store.put(&[], &blob).await.unwrap();
        assert_eq!(self.store.get(&key).await.unwrap(), "abc");
    }

    async fn takes_many_reports_at_once(&self) {
        let reports: Vec<_> = (0..50_u8)
            .map(|number| report(&[("upload_file_minidump", &[number; 10_000])]))
            .collect();
        let saves = reports.iter().map(|report| self.storage.save(report));
        for saved in futures_util::future::join_all(saves).await {
            saved.unwrap();
        }
        for report in &reports {
            assert_same(&self.storage.load(&report.id).await.unwrap(), report);
        }
    }
}
