//! Reports in an S3 bucket, or in anything that speaks S3. Keys come from outside; retries too.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use aws_runtime::auth::PayloadSigningOverride;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::interceptors::BeforeSerializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use http_body_util::StreamBody;
use hyper::body::Frame;
use sha2::{Digest, Sha256};

use super::blob::{Blob, BlobStore, StorageError, StorageErrorKind};
use crate::aws::{Aws, AwsError, AwsErrorKind};
use crate::fail_point;
use crate::settings::S3Settings;

/// Real reports have up to five dumps. More connections at once for a single report would only crowd out the others.
const UPLOADS_AT_ONCE: usize = 8;

/// One bucket, addressed by path (`endpoint/bucket/key`), as the original does.
#[derive(Debug)]
pub struct S3Store {
    client: Client,
    aws: Aws,
    bucket: String,
    /// The bucket has answered before, so that "no such bucket" or "no such key" is an outage rather than a mistake in the
    /// settings.
    was_there: AtomicBool,
}

impl S3Store {
    /// Prepares everything but does not use the network.
    pub async fn connect(settings: &S3Settings) -> Self {
        let aws = Aws::prepare(&settings.aws).await;
        let config = aws_sdk_s3::config::Builder::from(&aws.sdk).force_path_style(true);
        Self {
            client: Client::from_conf(config.build()),
            aws,
            bucket: settings.bucket_name.clone(),
            was_there: AtomicBool::new(false),
        }
    }

    /// One PUT: S3 shows an object only when all of it has arrived and its hash is right.
    async fn put_one(&self, blob: &Blob) -> Result<(), StorageError> {
        let length_bytes = i64::try_from(blob.length_bytes).unwrap_or(i64::MAX);
        fail_point::reach("s3.put.before");
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(&blob.key)
            .content_length(length_bytes)
            .body(body(&blob.frames))
            .customize()
            .interceptor(KnownPayloadHash(sha256_hex(blob)))
            .send()
            .await
            .map_err(|error| {
                let doing = format!("saving {} to {}", blob.key, self.describe());
                self.failed(doing, AwsError::of(&error), "s3:PutObject", "/*")
            })?;
        fail_point::reach("s3.put.after");
        self.was_there.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn get_whole(&self, key: &str) -> Result<Bytes, AwsError> {
        let answer = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
            .map_err(|error| AwsError::of(&error))?;
        match answer.body.collect().await {
            Ok(whole) => Ok(whole.into_bytes()),
            Err(error) => Err(AwsError::broken_off(&error)),
        }
    }

    fn failed(
        &self,
        doing: String,
        error: AwsError,
        permission: &str,
        below: &str,
    ) -> StorageError {
        let kind = match (error.kind(), error.code()) {
            (AwsErrorKind::Missing, Some("NoSuchKey")) => StorageErrorKind::NotFound,
            // A key that was made just now is not known everywhere at once.
            (AwsErrorKind::Missing | AwsErrorKind::BadCredentials, _)
                if self.was_there.load(Ordering::Relaxed) =>
            {
                StorageErrorKind::Transient
            }
            (AwsErrorKind::Transient, _) => StorageErrorKind::Transient,
            _ => StorageErrorKind::Permanent,
        };
        let error = match kind {
            StorageErrorKind::NotFound => error,
            _ => error.advising(
                permission,
                &format!("arn:aws:s3:::{}{below}", self.bucket),
                "create the bucket or correct CRASHMOVER_CRASHSTORAGE_BUCKET_NAME",
            ),
        };
        StorageError::new(kind, doing, error)
    }
}

#[async_trait]
impl BlobStore for S3Store {
    async fn put(&self, first: &[Blob], last: &Blob) -> Result<(), StorageError> {
        let uploads: Vec<_> = first.iter().map(|blob| self.put_one(blob)).collect();
        stream::iter(uploads)
            .buffer_unordered(UPLOADS_AT_ONCE)
            .try_collect::<()>()
            .await?;
        self.put_one(last).await
    }

    async fn get(&self, key: &str) -> Result<Bytes, StorageError> {
        // The SDK's own deadline ends with the head of the answer.
        let deadline = self.aws.call_timeout;
        let got = tokio::time::timeout(deadline, self.get_whole(key)).await;
        let too_late = || format!("no whole answer within {} s", deadline.as_secs_f64());
        got.unwrap_or_else(|_| Err(AwsError::passing(too_late())))
            .map_err(|error| {
                let doing = format!("loading {key} from {}", self.describe());
                self.failed(doing, error, "s3:GetObject", "/*")
            })
    }

    /// HEAD of the bucket.
    async fn check(&self) -> Result<(), StorageError> {
        let answer = self.client.head_bucket().bucket(&self.bucket).send().await;
        answer.map_err(|error| {
            let doing = format!("looking for {}", self.describe());
            self.failed(doing, AwsError::of(&error), "s3:ListBucket", "")
        })?;
        self.was_there.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn describe(&self) -> String {
        format!("S3 bucket {} ({})", self.bucket, self.aws.place)
    }
}

/// The frames as they are. Pieces are sent one after the other instead of being joined first.
fn body(frames: &[Bytes]) -> ByteStream {
    match frames {
        [] => ByteStream::default(),
        [whole] => ByteStream::from(whole.clone()),
        pieces => {
            let pieces: Vec<_> = pieces.iter().cloned().map(Frame::data).collect();
            let pieces = stream::iter(pieces.into_iter().map(Ok::<_, Infallible>));
            ByteStream::from_body_1_x(StreamBody::new(pieces))
        }
    }
}

fn sha256_hex(blob: &Blob) -> String {
    let hash = blob.sha256.unwrap_or_else(|| {
        let mut hasher = Sha256::new();
        blob.frames.iter().for_each(|frame| hasher.update(frame));
        hasher.finalize().into()
    });
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Signs the hash that is known already. Otherwise the SDK would hash a body of one piece a second time, and would leave
/// one of several pieces unsigned. The store refuses the object if what arrives has another hash.
#[derive(Debug)]
struct KnownPayloadHash(String);

impl Intercept for KnownPayloadHash {
    fn name(&self) -> &'static str {
        "KnownPayloadHash"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        bag.interceptor_state()
            .store_put(PayloadSigningOverride::Precomputed(self.0.clone()));
        Ok(())
    }
}
