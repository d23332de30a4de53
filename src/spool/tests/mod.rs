//! What the spool promises, on a real file system and on one that fails.

mod capacity;
mod damage;
mod faults;
mod offline;
mod recovery;
mod way;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::*;
use crate::crash::{CrashId, Dump, DumpName, RawCrash};
use crate::disk::RealDisk;
use crate::disk::testing::{FaultyDisk, Operation};

impl Spool {
    /// Takes a spool and finds what waits.
    pub fn open(config: SpoolSettings, disk: Arc<dyn Disk>) -> Result<Self, SpoolError> {
        let spool = Self::take(config, disk)?;
        spool.inner.look_through().1?;
        Ok(spool)
    }

    /// The oldest entry that nobody has, if there is one.
    pub fn claim(&self, state: State) -> Option<Entry> {
        self.inner.queues.claim(state)
    }
}

/// A spool in a folder of its own, on a disk that can be made to fail.
struct Place {
    dir: tempfile::TempDir,
    disk: Arc<FaultyDisk>,
}

impl Place {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            disk: Arc::new(FaultyDisk::new(Arc::new(RealDisk::private(true)))),
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("spool")
    }

    fn config(&self) -> SpoolSettings {
        SpoolSettings {
            dir: self.path(),
            max_bytes: 1 << 30,
            min_free_bytes: 0,
        }
    }

    fn open(&self) -> Spool {
        self.open_with(self.config())
    }

    fn open_with(&self, config: SpoolSettings) -> Spool {
        // The last disk job of a spool that was dropped may hold its lock a moment longer.
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            match Spool::open(config.clone(), self.disk.clone()) {
                Err(SpoolError::Io { source, .. })
                    if source.kind() == io::ErrorKind::WouldBlock && Instant::now() < deadline =>
                {
                    std::thread::yield_now();
                }
                opened => return opened.unwrap(),
            }
        }
    }

    fn files(&self, folder: Folder) -> Vec<PathBuf> {
        let dir = std::fs::read_dir(self.path().join(folder.as_str())).unwrap();
        let mut files: Vec<_> = dir.map(|found| found.unwrap().path()).collect();
        files.sort();
        files
    }
}

fn id(number: u32) -> CrashId {
    CrashId::parse(&format!("{number:08x}-0000-4000-8000-000000260709")).unwrap()
}

fn report(number: u32) -> CrashReport {
    let dump = |name, bytes: Vec<u8>| Dump::whole(DumpName::sanitise(name).unwrap(), bytes.into());
    let json = format!("{{\"number\": {number}}}");
    let dumps = vec![
        dump("upload_file_minidump", vec![number as u8; 10_000]),
        dump("memory_report", vec![]),
    ];
    CrashReport::new(id(number), RawCrash::written(json.into()), dumps)
}

fn entries(spool: &Spool) -> (usize, usize, usize) {
    let stats = spool.stats();
    (
        stats.save.entries,
        stats.publish.entries,
        stats.failed.entries,
    )
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    let deadline = Duration::from_secs(10);
    tokio::time::timeout(deadline, what).await.expect("in time")
}
