//! Storage and queue, as the settings choose them.

use std::sync::Arc;
use std::time::Duration;

use rustix::fs::Mode;

use crate::aws::AwsConfig;
use crate::crash_publish::{CrashPublisher, MemoryPublisher, NoPublisher, SqsConfig, SqsPublisher};
use crate::crash_storage::{
    CrashStorage, FsStore, Layout, MemoryStore, NoStore, S3Config, S3Store,
};
use crate::settings::{self, AwsSettings, PublishClass, Settings, StorageClass};

/// The outside world as the settings describe it.
pub struct Backends {
    pub storage: CrashStorage,
    pub publisher: Arc<dyn CrashPublisher>,
}

/// Prepares storage and queue. Neither network nor disk is used yet.
///
/// # Errors
/// AWS settings that cannot work, or a relative folder where there is no working directory.
pub async fn backends(settings: &Settings) -> anyhow::Result<Backends> {
    let timeout = settings.crashmover.save_timeout;
    let storage = match &settings.crash_storage {
        StorageClass::Fs(fs) => {
            forbid(fs.umask);
            // What leaves the spool has to be as safe as it was there.
            let fsync = fs.fsync || settings.spool.is_some();
            CrashStorage::new(Arc::new(FsStore::open(&fs.root, fsync)?), Layout::Fs)
        }
        StorageClass::Memory => CrashStorage::new(Arc::new(MemoryStore::default()), Layout::Fs),
        StorageClass::None => CrashStorage::new(Arc::new(NoStore), Layout::Fs),
        StorageClass::S3(s3) => {
            let config = S3Config {
                aws: aws_config(&s3.aws, timeout),
                bucket: s3.bucket_name.clone(),
            };
            CrashStorage::new(Arc::new(S3Store::connect(config).await?), Layout::S3)
        }
    };
    let publisher: Arc<dyn CrashPublisher> = match &settings.crash_publish {
        PublishClass::None => Arc::new(NoPublisher),
        PublishClass::Memory => Arc::new(MemoryPublisher::default()),
        PublishClass::Sqs(sqs) => {
            let config = SqsConfig {
                aws: aws_config(&sqs.aws, timeout),
                queue: sqs.queue_name.clone(),
            };
            Arc::new(SqsPublisher::connect(config).await?)
        }
    };
    Ok(Backends { storage, publisher })
}

/// Takes rights from every file and folder that this process makes from now on, besides those that it takes already.
fn forbid(umask: u32) {
    let wanted = Mode::from_bits_truncate(umask);
    let before = rustix::process::umask(wanted);
    rustix::process::umask(before | wanted);
}

fn aws_config(settings: &AwsSettings, call_timeout: Duration) -> AwsConfig {
    let exposed = |secret: &settings::Secret| secret.expose().to_owned();
    let keys = settings.access_key.as_ref();
    AwsConfig {
        region: Some(settings.region.clone()).filter(|region| !region.is_empty()),
        endpoint_url: settings.endpoint_url.clone(),
        access_key: keys.map(|key| exposed(&key.id)),
        secret_access_key: keys.map(|key| exposed(&key.secret)),
        call_timeout,
    }
}
