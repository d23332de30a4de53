//! An SQS that takes single messages, and of every batch at first only each other entry.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

#[derive(Default)]
struct Seen {
    taken: Vec<String>,
    refused: HashSet<String>,
}

struct Inner {
    seen: Mutex<Seen>,
    held: watch::Sender<bool>,
    address: SocketAddr,
}

/// Runs as long as the runtime it was started on.
pub struct FlakyQueue(Arc<Inner>);

impl FlakyQueue {
    pub fn start(runtime: &Runtime) -> Self {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let inner = Arc::new(Inner {
            seen: Mutex::default(),
            held: watch::Sender::new(false),
            address: listener.local_addr().unwrap(),
        });
        let app = Router::new()
            .route("/", post(answer))
            .with_state(inner.clone());
        runtime.spawn(async { axum::serve(listener, app).await });
        Self(inner)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.0.address)
    }

    /// No message is answered until the release, so that ids wait and make batches.
    pub fn hold(&self) {
        self.0.held.send_replace(true);
    }

    pub fn release(&self) {
        self.0.held.send_replace(false);
    }

    /// Texts of all messages taken so far.
    pub fn taken(&self) -> Vec<String> {
        self.0.seen.lock().unwrap().taken.clone()
    }

    /// Entries refused so far; none is refused twice.
    pub fn refused(&self) -> u64 {
        self.0.seen.lock().unwrap().refused.len() as u64
    }
}

async fn answer(State(queue): State<Arc<Inner>>, headers: HeaderMap, body: String) -> String {
    let target = headers["x-amz-target"].to_str().unwrap();
    let request: Value = serde_json::from_str(&body).unwrap();
    if target == "AmazonSQS.GetQueueUrl" {
        let url = format!("http://{}/123456789012/crashes", queue.address);
        return json!({"QueueUrl": url}).to_string();
    }
    let mut held = queue.held.subscribe();
    held.wait_for(|held| !held).await.unwrap();
    let mut seen = queue.seen.lock().unwrap();
    let text = |entry: &Value| entry["MessageBody"].as_str().unwrap().to_owned();
    let answer = match target {
        "AmazonSQS.SendMessage" => {
            seen.taken.push(text(&request));
            json!({"MessageId": "m", "MD5OfMessageBody": "0"})
        }
        "AmazonSQS.SendMessageBatch" => {
            let (mut successful, mut failed) = (Vec::new(), Vec::new());
            for (at, entry) in request["Entries"].as_array().unwrap().iter().enumerate() {
                let id = &entry["Id"];
                if at % 2 == 1 && seen.refused.insert(text(entry)) {
                    let fault = json!({"Id": id, "SenderFault": false, "Code": "InternalError"});
                    failed.push(fault);
                } else {
                    seen.taken.push(text(entry));
                    successful.push(json!({"Id": id, "MessageId": "m", "MD5OfMessageBody": "0"}));
                }
            }
            json!({"Successful": successful, "Failed": failed})
        }
        other => panic!("{other} is not expected"),
    };
    answer.to_string()
}
