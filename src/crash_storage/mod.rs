//! Where reports are saved: what is written of a report, under which keys, and in which order.
//!
//! The dump names and the dumps come first, the raw crash last: whoever finds a raw crash finds the rest too. Where the
//! bytes go is a [`BlobStore`]'s business. Nothing here logs or tries again; [`StorageError`] says whether it may help.

mod blob;
mod fs;
mod keys;
mod memory;
mod none;
mod s3;

use std::sync::Arc;

use bytes::Bytes;

pub use blob::{Blob, BlobStore, StorageError, StorageErrorKind};
pub use fs::FsStore;
pub use keys::{Layout, ReportKeys};
pub use memory::MemoryStore;
pub use none::NoStore;
pub use s3::{S3Config, S3Store};

use crate::crash::{CrashId, CrashReport, Dump, DumpName, RawCrash, to_python_json};

/// Crash storage: a store of bytes and the layout by which reports lie in it. Cheap to clone.
#[derive(Clone)]
pub struct CrashStorage {
    store: Arc<dyn BlobStore>,
    layout: Layout,
}

impl CrashStorage {
    pub fn new(store: Arc<dyn BlobStore>, layout: Layout) -> Self {
        Self { store, layout }
    }

    /// Saves the whole report, or leaves nothing of it that a reader would take for a report.
    ///
    /// An older report of the same id is overwritten.
    ///
    /// # Errors
    /// As the store classified them, never "not found".
    pub async fn save(&self, report: &CrashReport) -> Result<(), StorageError> {
        let names: Vec<_> = report.dumps.iter().map(|dump| &dump.name).collect();
        let keys = ReportKeys::new(self.layout, &report.id, &names);
        let mut first = Vec::with_capacity(1 + report.dumps.len());
        first.push(Blob::whole(keys.dump_names, dump_names_document(&names)));
        first.extend(std::iter::zip(keys.dumps, &report.dumps).map(dump_blob));
        let last = Blob::of(keys.raw_crash, report.raw_crash.pieces().to_vec());
        self.store.put(&first, &last).await
    }

    /// Reads a report back, for people: the dumps are read one after the other and hashed again.
    ///
    /// # Errors
    /// "Not found" if there is no raw crash of this id. A report of which another part is missing or cannot be
    /// understood is a permanent error.
    pub async fn load(&self, id: &CrashId) -> Result<CrashReport, StorageError> {
        let keys = ReportKeys::new(self.layout, id, &[]);
        let raw_crash = self.store.get(&keys.raw_crash).await?;
        let names = self.load_part(id, &keys.dump_names).await?;
        let names = parse_dump_names(id, &names)?;
        let keys = ReportKeys::new(self.layout, id, &names.iter().collect::<Vec<_>>());
        let mut dumps = Vec::with_capacity(names.len());
        for (name, key) in std::iter::zip(names, keys.dumps) {
            dumps.push(Dump::whole(name, self.load_part(id, &key).await?));
        }
        Ok(CrashReport::new(
            id.clone(),
            RawCrash::written(raw_crash),
            dumps,
        ))
    }

    /// Really writes `test/testfile-<random uuid>.txt`, as the original does at start, then checks the store.
    ///
    /// Where objects cannot be taken away (a bucket), the file stays.
    pub async fn verify(&self) -> Result<(), StorageError> {
        let key = format!("test/testfile-{}.txt", uuid::Uuid::new_v4());
        let probe = Blob::whole(key, Bytes::from_static(b"test"));
        self.store.verify(&probe).await?;
        self.store.check().await
    }

    /// Cheap look whether reports could be saved; for the heartbeat.
    pub async fn check(&self) -> Result<(), StorageError> {
        self.store.check().await
    }

    /// One line for the start log: what the store is and where.
    pub fn describe(&self) -> String {
        self.store.describe()
    }

    /// A part of a report whose raw crash is there, so that this part should be there too.
    async fn load_part(&self, id: &CrashId, key: &str) -> Result<Bytes, StorageError> {
        self.store.get(key).await.map_err(|error| {
            if error.kind == StorageErrorKind::NotFound {
                damaged(id, error)
            } else {
                error
            }
        })
    }
}

fn dump_names_document(names: &[&DumpName]) -> Bytes {
    let names: Vec<_> = names.iter().map(|name| name.as_str()).collect();
    to_python_json(&names).into()
}

fn dump_blob((key, dump): (String, &Dump)) -> Blob {
    Blob {
        key,
        frames: dump.frames.clone(),
        length_bytes: dump.length_bytes,
        sha256: Some(dump.sha256),
    }
}

/// Only names that could have been saved: whatever else the document holds must not become a path.
fn parse_dump_names(id: &CrashId, document: &[u8]) -> Result<Vec<DumpName>, StorageError> {
    let names: Vec<String> =
        serde_json::from_slice(document).map_err(|error| damaged(id, error))?;
    names
        .into_iter()
        .map(|text| match DumpName::sanitise(&text) {
            Ok(name) if name.as_str() == text => Ok(name),
            _ => Err(damaged(id, format!("{text:?} is not the name of a dump"))),
        })
        .collect()
}

fn damaged(
    id: &CrashId,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StorageError {
    StorageError::new(
        StorageErrorKind::Permanent,
        format!("report {id} is damaged"),
        source,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> CrashId {
        CrashId::parse("de1bb258-cbbf-4589-a673-34f800160918").unwrap()
    }

    fn report(names: &[&str]) -> CrashReport {
        let dumps = names
            .iter()
            .map(|name| {
                let bytes = Bytes::from(format!("dump {name}"));
                Dump::whole(DumpName::sanitise(name).unwrap(), bytes)
            })
            .collect();
        CrashReport::new(id(), RawCrash::written(Bytes::from_static(b"{}")), dumps)
    }

    fn storage() -> (Arc<MemoryStore>, CrashStorage) {
        let store = Arc::new(MemoryStore::default());
        (store.clone(), CrashStorage::new(store, Layout::Fs))
    }

    async fn overwrite(store: &MemoryStore, key: &str, text: &'static str) {
        let blob = Blob::whole(key.to_owned(), Bytes::from_static(text.as_bytes()));
        store.put(&[], &blob).await.unwrap();
    }

    #[tokio::test]
    async fn the_dump_names_are_written_as_python_writes_them() {
        let (store, storage) = storage();
        storage.save(&report(&["b", "a"])).await.unwrap();
        let keys = ReportKeys::new(Layout::Fs, &id(), &[]);
        assert_eq!(store.get(&keys.dump_names).await.unwrap(), r#"["a", "b"]"#);
    }

    #[tokio::test]
    async fn the_hash_of_a_dump_is_handed_on() {
        let report = report(&["a"]);
        let blob = dump_blob(("key".to_owned(), &report.dumps[0]));
        assert_eq!(blob.sha256, Some(report.dumps[0].sha256));
        assert_eq!(blob.frames[0].as_ptr(), report.dumps[0].frames[0].as_ptr());
    }

    #[tokio::test]
    async fn verifying_writes_a_test_file() {
        let (store, storage) = storage();
        storage.verify().await.unwrap();
        let keys = store.keys();
        assert_eq!(keys.len(), 1);
        assert!(keys[0].starts_with("test/testfile-") && keys[0].ends_with(".txt"));
        assert_eq!(store.get(&keys[0]).await.unwrap(), "test");
    }

    #[tokio::test]
    async fn a_report_without_its_dump_is_damaged_not_missing() {
        let (store, storage) = storage();
        let keys = ReportKeys::new(Layout::Fs, &id(), &[]);
        overwrite(&store, &keys.raw_crash, "{}").await;
        overwrite(&store, &keys.dump_names, r#"["a"]"#).await;
        let error = storage.load(&id()).await.unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Permanent);
        assert!(
            error.to_string().contains(&format!("a/{}", id())),
            "{error}"
        );
    }

    #[tokio::test]
    async fn no_stored_document_can_lead_outside_the_layout() {
        let (store, storage) = storage();
        let keys = ReportKeys::new(Layout::Fs, &id(), &[]);
        overwrite(&store, &keys.raw_crash, "{}").await;
        for names in [r#"["../../etc"]"#, r#"["raw_crash"]"#, "{}", "[1]", ""] {
            overwrite(&store, &keys.dump_names, names).await;
            let error = storage.load(&id()).await.unwrap_err();
            assert_eq!(error.kind, StorageErrorKind::Permanent, "{names}");
        }
    }
}
