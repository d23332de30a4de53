//! What the S3 replay asks of moto, over plain HTTP: a second opinion besides the SDK that the collector uses.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::support::canonical_json::parse;
use crate::support::moto::unique;
use crate::support::stored::Objects;
use crate::support::wire::{Exchange, Response, play};

const REGION: &str = "us-east-1";

/// A bucket and a queue of one's own.
pub struct Cloud {
    address: SocketAddr,
    bucket: String,
    queue: String,
}

impl Cloud {
    /// Makes both at the moto server at `address`.
    pub fn new(address: SocketAddr) -> Self {
        let cloud = Self {
            address,
            bucket: unique("crashes"),
            queue: unique("standard"),
        };
        cloud.create_bucket();
        cloud.create_queue();
        cloud
    }

    /// The settings of a collector that saves and publishes here, reaching the server at `endpoint`.
    pub fn settings(&self, endpoint: &str) -> Vec<(String, String)> {
        let mut settings = vec![
            ("CRASHMOVER_CRASHSTORAGE_CLASS", "s3"),
            ("CRASHMOVER_CRASHSTORAGE_BUCKET_NAME", &self.bucket),
            ("CRASHMOVER_CRASHPUBLISH_CLASS", "sqs"),
            ("CRASHMOVER_CRASHPUBLISH_QUEUE_NAME", &self.queue),
        ];
        for (storage, publish, value) in [
            (
                "CRASHMOVER_CRASHSTORAGE_ENDPOINT_URL",
                "CRASHMOVER_CRASHPUBLISH_ENDPOINT_URL",
                endpoint,
            ),
            (
                "CRASHMOVER_CRASHSTORAGE_REGION",
                "CRASHMOVER_CRASHPUBLISH_REGION",
                REGION,
            ),
            (
                "CRASHMOVER_CRASHSTORAGE_ACCESS_KEY",
                "CRASHMOVER_CRASHPUBLISH_ACCESS_KEY",
                "test-key",
            ),
            (
                "CRASHMOVER_CRASHSTORAGE_SECRET_ACCESS_KEY",
                "CRASHMOVER_CRASHPUBLISH_SECRET_ACCESS_KEY",
                "test-secret",
            ),
        ] {
            settings.extend([(storage, value), (publish, value)]);
        }
        settings
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// Everything in the bucket.
    pub fn objects(&self) -> Objects {
        let keys = self.keys();
        keys.into_iter()
            .map(|key| {
                let path = format!("/{}/{key}", self.bucket);
                let content = self.s3("GET", &path).body;
                (key, content)
            })
            .collect()
    }

    /// Takes all messages out of the queue.
    pub fn take_messages(&self) -> Vec<String> {
        let url = json!({"QueueName": self.queue});
        let url = self.sqs("GetQueueUrl", &url)["QueueUrl"].clone();
        let mut taken = Vec::new();
        loop {
            let ask = json!({"QueueUrl": url, "MaxNumberOfMessages": 10});
            let answer = self.sqs("ReceiveMessage", &ask);
            let Some(messages) = answer["Messages"].as_array() else {
                return taken;
            };
            for message in messages {
                taken.push(message["Body"].as_str().expect("a text body").to_owned());
                let receipt = &message["ReceiptHandle"];
                let done = json!({"QueueUrl": url, "ReceiptHandle": receipt});
                self.sqs("DeleteMessage", &done);
            }
        }
    }

    pub fn create_bucket(&self) {
        self.s3("PUT", &format!("/{}", self.bucket));
    }

    pub fn delete_bucket(&self) {
        for key in self.keys() {
            self.s3("DELETE", &format!("/{}/{key}", self.bucket));
        }
        self.s3("DELETE", &format!("/{}", self.bucket));
    }

    pub fn create_queue(&self) {
        self.sqs("CreateQueue", &json!({"QueueName": self.queue}));
    }

    pub fn delete_queue(&self) {
        let url = json!({"QueueName": self.queue});
        let url = self.sqs("GetQueueUrl", &url)["QueueUrl"].clone();
        self.sqs("DeleteQueue", &json!({"QueueUrl": url}));
    }

    fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        loop {
            let start = keys.last().cloned().unwrap_or_default();
            let path = format!("/{}?list-type=2&start-after={start}", self.bucket);
            let page = self.s3("GET", &path).text();
            let new = page.split("<Key>").skip(1);
            let new = new.filter_map(|rest| rest.split_once("</Key>"));
            keys.extend(new.map(|(key, _)| key.to_owned()));
            if !page.contains("<IsTruncated>true</IsTruncated>") {
                return keys;
            }
        }
    }

    fn s3(&self, method: &str, path: &str) -> Response {
        let response = self.call(method, path, "s3", "", "");
        assert!(response.status < 300, "{method} {path}: {response:?}");
        response
    }

    fn sqs(&self, action: &str, parameters: &Value) -> Value {
        let headers = format!(
            "X-Amz-Target: AmazonSQS.{action}\r\nContent-Type: application/x-amz-json-1.0\r\n"
        );
        let response = self.call("POST", "/", "sqs", &headers, &parameters.to_string());
        assert!(response.status < 300, "{action}: {response:?}");
        parse(&response.body).unwrap_or_default()
    }

    /// The signature is not checked, but names the service that is meant.
    fn call(&self, method: &str, path: &str, service: &str, headers: &str, body: &str) -> Response {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/{service}/aws4_request, \
             SignedHeaders=host, Signature=0\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let answers = play(self.address, &Exchange::of(request.into_bytes()));
        answers[0].response().clone()
    }
}
