//! The outside world of a collector: a bucket and a queue of moto's, each behind a proxy that can be made to fail.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use tokio::runtime::Runtime;

use super::rig::Rig;
use crate::backends::{aws, s3, sqs};
use crate::support::collector::{FailedStart, TestCollector};
use crate::support::fault_proxy::{Fault, FaultProxy};
use crate::support::moto::{Moto, unique};
use crate::support::stored::Objects;

/// Environment variables.
pub type Settings = Vec<(String, String)>;

/// A new bucket and a new queue, and the ways to them.
pub struct Scene {
    pub bucket: String,
    pub queue: String,
    s3: FaultProxy,
    sqs: FaultProxy,
    /// What has been taken out of the queue so far, with how often it was there.
    received: Mutex<HashMap<String, usize>>,
    /// The proxies live in it, so it goes last.
    pub runtime: Runtime,
}

impl Scene {
    pub fn new() -> Self {
        let scene = Self::without_bucket_and_queue();
        scene.make_bucket();
        scene.make_queue();
        scene
    }

    /// Names that nothing has yet.
    pub fn without_bucket_and_queue() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let proxy = || runtime.block_on(FaultProxy::before(Moto::shared().address()));
        Self {
            bucket: unique("crashes"),
            queue: unique("crashes"),
            s3: proxy(),
            sqs: proxy(),
            received: Mutex::default(),
            runtime,
        }
    }

    /// How the way to S3 is from now on.
    pub fn s3(&self, fault: Fault) {
        self.runtime.block_on(self.s3.set(fault));
    }

    /// How the way to SQS is from now on.
    pub fn sqs(&self, fault: Fault) {
        self.runtime.block_on(self.sqs.set(fault));
    }

    pub fn s3_url(&self) -> String {
        self.s3.url()
    }

    pub fn sqs_url(&self) -> String {
        self.sqs.url()
    }

    /// Connections that the way to S3 has seen.
    pub fn s3_connections(&self) -> usize {
        self.s3.accepted()
    }

    pub fn make_bucket(&self) {
        self.runtime.block_on(s3::create_bucket(&self.bucket));
    }

    pub fn make_queue(&self) {
        self.runtime.block_on(sqs::create_queue(&self.queue));
    }

    pub fn delete_queue(&self) {
        self.runtime.block_on(sqs::delete_queue(&self.queue));
    }

    /// With everything in it.
    pub fn delete_bucket(&self) {
        self.runtime.block_on(async {
            let client = s3::moto_client();
            for key in keys(&client, &self.bucket).await {
                let delete = client.delete_object().bucket(&self.bucket).key(key);
                delete.send().await.unwrap();
            }
            let delete = client.delete_bucket().bucket(&self.bucket);
            delete.send().await.unwrap();
        });
    }

    /// The names of all objects but the one that a start writes.
    pub fn keys(&self) -> Vec<String> {
        let keys = self
            .runtime
            .block_on(keys(&s3::moto_client(), &self.bucket));
        let is_ours = |key: &String| !key.starts_with("test/");
        keys.into_iter().filter(is_ours).collect()
    }

    /// Everything in the bucket but the object that a start writes.
    pub fn objects(&self) -> Objects {
        let mut objects = BTreeMap::new();
        for key in self.keys() {
            let get = s3::moto_client().get_object().bucket(&self.bucket);
            let got = self.runtime.block_on(async {
                let answer = get.key(&key).send().await.unwrap();
                answer.body.collect().await.unwrap().to_vec()
            });
            objects.insert(key, got);
        }
        objects
    }

    /// Every text that was in the queue so far, with how often.
    pub fn messages(&self) -> HashMap<String, usize> {
        let new = self.runtime.block_on(sqs::messages(&self.queue));
        let mut received = self.received.lock().unwrap();
        for (text, count) in new {
            *received.entry(text).or_default() += count;
        }
        received.clone()
    }

    /// Storage in the bucket, ids to the queue.
    pub fn settings(&self) -> Settings {
        let mut settings = settings(&[
            ("CRASHMOVER_CRASHSTORAGE_CLASS", "s3"),
            ("CRASHMOVER_CRASHSTORAGE_BUCKET_NAME", &self.bucket),
            ("CRASHMOVER_CRASHPUBLISH_CLASS", "sqs"),
            ("CRASHMOVER_CRASHPUBLISH_QUEUE_NAME", &self.queue),
        ]);
        for (part, url) in [("STORAGE", self.s3_url()), ("PUBLISH", self.sqs_url())] {
            settings.extend([
                (format!("CRASHMOVER_CRASH{part}_ENDPOINT_URL"), url),
                (
                    format!("CRASHMOVER_CRASH{part}_REGION"),
                    aws::REGION.to_owned(),
                ),
                (
                    format!("CRASHMOVER_CRASH{part}_ACCESS_KEY"),
                    aws::ACCESS_KEY.to_owned(),
                ),
                (
                    format!("CRASHMOVER_CRASH{part}_SECRET_ACCESS_KEY"),
                    aws::SECRET_ACCESS_KEY.to_owned(),
                ),
            ]);
        }
        settings
    }

    /// A collector here, with these settings besides.
    pub fn start(self, more: &[(&str, &str)]) -> Rig {
        let settings = [self.settings(), settings(more)].concat();
        Rig::start(Some(self), &settings)
    }

    /// A collector that must not start.
    pub fn refused_start(&self, more: &[(&str, &str)]) -> FailedStart {
        let settings = [self.settings(), settings(more)].concat();
        match TestCollector::try_start(&settings) {
            Err(failed) => failed,
            Ok(_) => panic!("it started"),
        }
    }
}

pub fn settings(given: &[(&str, &str)]) -> Settings {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    given.iter().map(owned).collect()
}

async fn keys(client: &aws_sdk_s3::Client, bucket: &str) -> Vec<String> {
    let listed = client.list_objects_v2().bucket(bucket).send().await;
    let listed = listed.unwrap();
    assert_ne!(listed.is_truncated(), Some(true), "a test with few objects");
    let objects = listed.contents().iter();
    objects
        .filter_map(|object| object.key().map(str::to_owned))
        .collect()
}
