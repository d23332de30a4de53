//! The node's storage, where it can be reached: reports are read back as a processor would, and taken away again.

use std::path::PathBuf;

use antenna::app;
use antenna::aws::Aws;
use antenna::crash::{CrashReport, DumpName};
use antenna::crash_storage::{CrashStorage, Layout, ReportKeys};
use antenna::settings::{PublishClass, S3Settings, Settings, StorageClass};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::reports::{Kept, MARK};

pub struct Storage {
    runtime: Runtime,
    storage: CrashStorage,
    place: Place,
}

/// Where objects are removed: the collector itself never removes any.
enum Place {
    Folder(PathBuf),
    Bucket(aws_sdk_s3::Client, String),
}

impl Storage {
    /// # Errors
    /// Storage that cannot be prepared, or has nothing to read.
    pub fn of(settings: &Settings) -> Result<Self, String> {
        let runtime = Runtime::new().map_err(|error| error.to_string())?;
        // The queue is none of our business.
        let mut settings = settings.clone();
        settings.crash_publish = PublishClass::None;
        let place = match &settings.crash_storage {
            StorageClass::Fs(fs) => Place::Folder(fs.root.clone()),
            StorageClass::S3(s3) => {
                let client = runtime.block_on(client(s3));
                Place::Bucket(client, s3.bucket_name.clone())
            }
            StorageClass::Memory | StorageClass::None => {
                return Err("CRASHMOVER_CRASHSTORAGE_CLASS: only fs and s3 can be read".to_owned());
            }
        };
        let backends = runtime.block_on(app::backends(&settings));
        let storage = backends.map_err(|error| format!("{error:#}"))?.storage;
        Ok(Self {
            runtime,
            storage,
            place,
        })
    }

    /// Reads a report back and compares it with what was sent.
    ///
    /// # Errors
    /// It is not there, or differs.
    pub fn compare(&self, kept: &Kept) -> Result<(), String> {
        let report = self.load(kept)?;
        let document: Value = serde_json::from_slice(&report.raw_crash.json())
            .map_err(|error| format!("the raw crash of {}: {error}", kept.id))?;
        for (name, expected) in [(MARK, kept.mark.as_str()), ("uuid", kept.id.as_str())] {
            let found = &document[name];
            if found != expected {
                return Err(format!("{}: {name} is {found}, not {expected:?}", kept.id));
            }
        }
        let [dump] = &report.dumps[..] else {
            return Err(format!(
                "{} has {} dumps, not 1",
                kept.id,
                report.dumps.len()
            ));
        };
        match dump.frames.concat() == kept.dump {
            true => Ok(()),
            false => Err(format!("{}: the dump differs from what was sent", kept.id)),
        }
    }

    /// Takes a report away, the raw crash first: what is left of it is invisible at once.
    ///
    /// # Errors
    /// Something could not be removed.
    pub fn remove(&self, kept: &Kept) -> Result<(), String> {
        let report = self.load(kept)?;
        let names: Vec<&DumpName> = report.dumps.iter().map(|dump| &dump.name).collect();
        let layout = match self.place {
            Place::Folder(_) => Layout::Fs,
            Place::Bucket(..) => Layout::S3,
        };
        let keys = ReportKeys::new(layout, &kept.id, &names);
        let keys = [keys.raw_crash, keys.dump_names]
            .into_iter()
            .chain(keys.dumps);
        keys.into_iter()
            .try_for_each(|key| self.remove_object(&key))
    }

    /// Whether nothing of a report can be found any more.
    pub fn is_gone(&self, kept: &Kept) -> bool {
        self.load(kept).is_err()
    }

    fn load(&self, kept: &Kept) -> Result<CrashReport, String> {
        let loaded = self.runtime.block_on(self.storage.load(&kept.id));
        loaded.map_err(|error| format!("{} is not in storage: {error}", kept.id))
    }

    fn remove_object(&self, key: &str) -> Result<(), String> {
        match &self.place {
            Place::Folder(root) => {
                std::fs::remove_file(root.join(key)).map_err(|error| format!("{key}: {error}"))
            }
            Place::Bucket(client, bucket) => {
                let removed = client.delete_object().bucket(bucket).key(key).send();
                let removed = self.runtime.block_on(removed);
                removed
                    .map(drop)
                    .map_err(|error| format!("{key}: {}", error.into_service_error()))
            }
        }
    }
}

async fn client(s3: &S3Settings) -> aws_sdk_s3::Client {
    let aws = Aws::prepare(&s3.aws).await;
    let config = aws_sdk_s3::config::Builder::from(&aws.sdk).force_path_style(true);
    aws_sdk_s3::Client::from_conf(config.build())
}
