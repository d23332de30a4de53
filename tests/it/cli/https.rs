//! `antenna submit` over HTTPS: a certificate that is trusted is enough, any other is refused before anything is sent.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::antenna;
use crate::support::collector::TestCollector;
use crate::support::stored::objects_below;
use crate::support::tls::{CERTIFICATE, KEY, make_certificate};

/// Ends TLS and hands everything on to the collector, as a proxy in front of it does.
async fn end_tls(listener: TcpListener, config: ServerConfig, collector: SocketAddr) {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    loop {
        let (connection, _) = listener.accept().await.unwrap();
        // A client that does not trust us goes away here.
        let Ok(mut client) = acceptor.accept(connection).await else {
            continue;
        };
        let mut server = TcpStream::connect(collector).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    }
}

fn server_config(folder: &Path) -> ServerConfig {
    let certificate = CertificateDer::from_pem_file(folder.join(CERTIFICATE)).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join(KEY)).unwrap();
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap()
}

#[test]
fn a_report_goes_over_https_to_whom_the_system_trusts() {
    let collector = TestCollector::start(&[("BREAKPAD_THROTTLER_RULES", "all")]);
    let folder = tempfile::tempdir().unwrap();
    make_certificate(folder.path());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    runtime.spawn(end_tls(
        listener,
        server_config(folder.path()),
        collector.address(),
    ));

    let file = folder.path().join(CERTIFICATE).display().to_string();
    let trusting = [("SSL_CERT_FILE", file.as_str())];
    let url = format!("https://localhost:{port}");
    let args = [
        "submit",
        &url,
        "-a",
        "ProductName=Firefox",
        "-d",
        "Cargo.toml",
        "--gzip",
    ];
    let id = antenna(&trusting, &args).fine();
    let id = id.trim().trim_start_matches("bp-");
    let objects = objects_below(&collector.crashes());
    let dump = objects
        .iter()
        .find(|(path, _)| path.ends_with(&format!("upload_file_minidump/{id}")));
    assert_eq!(dump.unwrap().1, &std::fs::read("Cargo.toml").unwrap());

    // Another certificate of the same name does not vouch for it, and the name must be right.
    let other = tempfile::tempdir().unwrap();
    make_certificate(other.path());
    let other = other.path().join(CERTIFICATE).display().to_string();
    let stranger = [("SSL_CERT_FILE", other.as_str())];
    let by_address = format!("https://127.0.0.1:{port}");
    for (settings, url) in [(&stranger, url.as_str()), (&trusting, by_address.as_str())] {
        let said = antenna(settings, &["submit", url, "-a", "ProductName=Firefox"]);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.err.contains("invalid peer certificate"), "{said:?}");
    }
    assert_eq!(objects_below(&collector.crashes()).len(), objects.len());
    collector.stop();
}
