//! Connects, and where the collector expects it begins with a header of the PROXY protocol, before TLS.

use std::io;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use hyper::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tower::Service;

/// Says that there is no other client behind this one.
const HEADER: &[u8] = b"PROXY UNKNOWN\r\n";

#[derive(Clone)]
pub(super) struct Connector {
    tcp: HttpConnector,
    header: &'static [u8],
}

impl Connector {
    pub fn new(is_proxied: bool) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let header = if is_proxied { HEADER } else { &[] };
        Self { tcp, header }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Response>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp.poll_ready(cx).map_err(io::Error::other)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (connecting, header) = (self.tcp.call(uri), self.header);
        Box::pin(async move {
            let mut connection = connecting.await.map_err(io::Error::other)?.into_inner();
            connection.write_all(header).await?;
            Ok(TokioIo::new(connection))
        })
    }
}
