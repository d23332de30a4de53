//! Where a collector's reports go, with a way to take it away and to look behind the collector's back.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use futures_util::{StreamExt, TryStreamExt, stream};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::process::Settings;
use super::support::fault_proxy::{Fault, FaultProxy};
use super::support::moto::{Moto, unique};
use super::support::stored::{Objects, objects_below};

const REGION: &str = "eu-west-3";
const KEY: &str = "key";
const OBJECTS_AT_ONCE: usize = 4;
/// Longer than any run: no message is seen twice because it was not deleted in time.
const VISIBILITY_SECONDS: i32 = 6 * 3600;

/// What kind of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A folder on disk, and no queue.
    Disk,
    /// S3 and SQS by moto, behind a proxy.
    Moto,
}

/// How storage and queue behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    Fine,
    /// Nothing can be saved, and the collector learns so at once.
    Away,
    /// Nothing is answered. On disk as `Away`: a disk cannot be made to hang.
    Hanging,
}

/// A place of its own for one collector, with the folder in which that collector lives.
pub struct Site {
    folder: TempDir,
    crashes: PathBuf,
    spool: PathBuf,
    cloud: Option<Cloud>,
}

struct Cloud {
    runtime: Runtime,
    moto: Moto,
    proxy: FaultProxy,
    bucket: String,
    queue: String,
}

impl Site {
    pub fn new(place: Place) -> Self {
        let folder = own_folder();
        Self {
            crashes: folder.path().join("crashes"),
            spool: folder.path().join("spool"),
            folder,
            cloud: (place == Place::Moto).then(Cloud::new),
        }
    }

    /// With reports and spool on another disk, the reports in a folder `volume` there.
    pub fn on(disk: &Path, volume: &str) -> Self {
        Self {
            folder: own_folder(),
            crashes: disk.join(volume).join("crashes"),
            spool: disk.join("spool"),
            cloud: None,
        }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves the folder where it is, for a person to look into.
    pub fn keep(&mut self) -> PathBuf {
        self.folder.disable_cleanup(true);
        self.folder.path().to_owned()
    }

    pub fn spool(&self) -> &Path {
        &self.spool
    }

    /// The files that wait in a folder of the spool.
    pub fn spooled(&self, state: &str) -> usize {
        std::fs::read_dir(self.spool().join(state)).map_or(0, Iterator::count)
    }

    pub fn settings(&self) -> Settings {
        let settings = match &self.cloud {
            None => vec![
                ("CRASHMOVER_CRASHSTORAGE_CLASS", "fs".to_owned()),
                (
                    "CRASHMOVER_CRASHSTORAGE_FS_ROOT",
                    self.crashes.display().to_string(),
                ),
            ],
            Some(cloud) => cloud.settings(),
        };
        let owned = settings
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        owned.collect()
    }

    /// In force when this returns.
    pub fn set(&self, weather: Weather) {
        match &self.cloud {
            Some(cloud) => cloud.runtime.block_on(cloud.proxy.set(match weather {
                Weather::Fine => Fault::Pass,
                Weather::Away => Fault::Refuse,
                Weather::Hanging => Fault::Hang,
            })),
            None => self.set_disk(weather == Weather::Fine),
        }
    }

    /// With a file in place of its folder, storage on disk can neither save nor make its folder anew. They change places
    /// in one step: a collector makes a folder again that is missing for a moment.
    fn set_disk(&self, is_there: bool) {
        let (crashes, other) = (&self.crashes, self.folder().join("crashes-other"));
        if !crashes.exists() || crashes.is_dir() == is_there {
            return;
        }
        if !other.exists() {
            std::fs::write(&other, b"").expect("the test's own folder");
        }
        renameat_with(CWD, crashes, CWD, &other, RenameFlags::EXCHANGE)
            .expect("a file system that can exchange names");
    }

    /// Everything in storage: path to content.
    pub fn stored(&self) -> Objects {
        match &self.cloud {
            None => objects_below(&self.crashes),
            Some(cloud) => cloud.runtime.block_on(cloud.objects()),
        }
    }

    /// Takes everything out of the queue: each crash id with how often it was there. None where there is no queue.
    pub fn published(&self) -> Option<HashMap<String, usize>> {
        let cloud = self.cloud.as_ref()?;
        Some(cloud.runtime.block_on(cloud.messages()))
    }
}

fn own_folder() -> TempDir {
    TempDir::with_prefix("antenna-fault-").expect("a temporary folder")
}

impl Cloud {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let moto = Moto::start();
        let proxy = runtime.block_on(FaultProxy::before(moto.address()));
        let (bucket, queue) = (unique("bucket"), unique("queue"));
        let cloud = Self {
            runtime,
            moto,
            proxy,
            bucket,
            queue,
        };
        cloud.runtime.block_on(cloud.make());
        cloud
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = vec![
            ("CRASHMOVER_CRASHSTORAGE_CLASS", "s3".to_owned()),
            ("CRASHMOVER_CRASHSTORAGE_BUCKET_NAME", self.bucket.clone()),
            ("CRASHMOVER_CRASHPUBLISH_CLASS", "sqs".to_owned()),
            ("CRASHMOVER_CRASHPUBLISH_QUEUE_NAME", self.queue.clone()),
        ];
        for (region, endpoint, key, secret) in [
            (
                "CRASHMOVER_CRASHSTORAGE_REGION",
                "CRASHMOVER_CRASHSTORAGE_ENDPOINT_URL",
                "CRASHMOVER_CRASHSTORAGE_ACCESS_KEY",
                "CRASHMOVER_CRASHSTORAGE_SECRET_ACCESS_KEY",
            ),
            (
                "CRASHMOVER_CRASHPUBLISH_REGION",
                "CRASHMOVER_CRASHPUBLISH_ENDPOINT_URL",
                "CRASHMOVER_CRASHPUBLISH_ACCESS_KEY",
                "CRASHMOVER_CRASHPUBLISH_SECRET_ACCESS_KEY",
            ),
        ] {
            settings.push((region, REGION.to_owned()));
            settings.push((endpoint, self.proxy.url()));
            settings.push((key, KEY.to_owned()));
            settings.push((secret, KEY.to_owned()));
        }
        settings
    }

    /// Past the proxy, with a configuration that is not the collector's.
    fn config(&self) -> aws_config::SdkConfig {
        let credentials = Credentials::new(KEY, KEY, None, None, "test");
        aws_config::SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(self.moto.url())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .credentials_provider(aws_sdk_s3::config::SharedCredentialsProvider::new(
                credentials,
            ))
            .build()
    }

    fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config());
        aws_sdk_s3::Client::from_conf(config.force_path_style(true).build())
    }

    async fn make(&self) {
        use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
        let place = CreateBucketConfiguration::builder()
            .location_constraint(BucketLocationConstraint::from(REGION))
            .build();
        let create = self.s3().create_bucket().bucket(&self.bucket);
        let made = create.create_bucket_configuration(place).send().await;
        made.expect("moto makes buckets");
        let sqs = aws_sdk_sqs::Client::new(&self.config());
        let made = sqs.create_queue().queue_name(&self.queue).send().await;
        made.expect("moto makes queues");
    }

    async fn objects(&self) -> Objects {
        let s3 = self.s3();
        let mut pages = s3
            .list_objects_v2()
            .bucket(&self.bucket)
            .into_paginator()
            .send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.expect("moto lists objects");
            let named = page.contents().iter().filter_map(|object| object.key());
            keys.extend(named.map(str::to_owned));
        }
        let get = |key: String| {
            let get = s3.get_object().bucket(&self.bucket).key(&key);
            async move {
                let whole = get.send().await.expect("moto gives objects").body.collect();
                whole.await.map(|body| (key, body.into_bytes().to_vec()))
            }
        };
        let objects = stream::iter(keys)
            .map(get)
            .buffer_unordered(OBJECTS_AT_ONCE);
        objects
            .try_collect()
            .await
            .expect("moto gives whole objects")
    }

    async fn messages(&self) -> HashMap<String, usize> {
        let sqs = aws_sdk_sqs::Client::new(&self.config());
        let url = sqs.get_queue_url().queue_name(&self.queue).send().await;
        let url = url
            .expect("the queue is there")
            .queue_url
            .expect("a queue has a URL");
        let mut ids = HashMap::new();
        loop {
            let receive = sqs
                .receive_message()
                .queue_url(&url)
                .max_number_of_messages(10);
            let answer = receive.visibility_timeout(VISIBILITY_SECONDS).send().await;
            let answer = answer.expect("moto gives messages");
            if answer.messages().is_empty() {
                return ids;
            }
            // Each start writes `test` to see whether it may.
            let texts = answer
                .messages()
                .iter()
                .filter_map(|message| message.body());
            for id in texts.filter(|text| *text != "test") {
                *ids.entry(id.to_owned()).or_default() += 1;
            }
        }
    }
}
