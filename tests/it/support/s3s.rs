//! A second, independent S3: the `s3s` crate over a temporary folder, in this process. Strict about signatures.

use std::net::{Ipv4Addr, SocketAddr};

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The only keys it knows.
pub const ACCESS_KEY: &str = "s3s-access";
pub const SECRET_ACCESS_KEY: &str = "s3s-secret";

/// A running server. It ends, and its folder goes, when dropped.
pub struct S3s {
    folder: TempDir,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl S3s {
    /// Starts with these buckets.
    pub async fn start(buckets: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        for bucket in buckets {
            std::fs::create_dir(folder.path().join(bucket)).unwrap();
        }
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_ACCESS_KEY));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(serve(listener, service.build()));
        Self {
            folder,
            address,
            task,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The names in a bucket's folder, objects and the server's own notes about them.
    pub fn files(&self, bucket: &str) -> Vec<String> {
        std::fs::read_dir(self.folder.path().join(bucket))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }
}

impl Drop for S3s {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, service: S3Service) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let connection =
            http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone());
        tokio::spawn(connection);
    }
}
