//! Certificates made by openssl, and a client and a tunnel that trust one of them.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;

pub const CERTIFICATE: &str = "cert.pem";
pub const KEY: &str = "key.pem";
const LONG: Duration = Duration::from_secs(60);

/// A certificate for `localhost` that nobody but its own file vouches for, in place of what was in the folder.
pub fn make_certificate(folder: &Path) {
    let ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ])
        .args(ec)
        .args(["-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", KEY, "-out", CERTIFICATE])
        .current_dir(folder)
        .output()
        .expect("openssl");
    assert!(made.status.success(), "{made:?}");
}

/// A connection of which the test can end the two layers one by one.
pub type Secure = StreamOwned<ClientConnection, TcpStream>;

/// Connects, trusting what is in the folder. The handshake comes with the first byte.
pub fn connect(address: SocketAddr, folder: &Path) -> Secure {
    let stream = TcpStream::connect(address).expect("somebody listens");
    stream.set_read_timeout(Some(LONG)).expect("a TCP option");
    let session = ClientConnection::new(client_config(folder), localhost());
    StreamOwned::new(session.expect("a session"), stream)
}

fn client_config(folder: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(folder.join(CERTIFICATE));
    roots
        .add(certificate.expect("a certificate"))
        .expect("it can be trusted");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring knows them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

fn localhost() -> ServerName<'static> {
    ServerName::try_from("localhost").expect("a name")
}

/// Makes TLS of plain connections, so that a client which knows nothing of it can be used.
pub struct Tunnel {
    address: SocketAddr,
    _runtime: Runtime,
}

impl Tunnel {
    /// A tunnel to `server`, trusting what is in the folder.
    pub fn to(server: SocketAddr, folder: &Path) -> Self {
        let connector = TlsConnector::from(client_config(folder));
        let runtime = Runtime::new().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("its address");
        runtime.spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let connector = connector.clone();
                tokio::spawn(async move {
                    let server = tokio::net::TcpStream::connect(server).await;
                    let server = server.expect("the server listens");
                    let server = connector.connect(localhost(), server).await;
                    let mut server = server.expect("a handshake");
                    // However it ends: the client sees it.
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self {
            address,
            _runtime: runtime,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
