//! TLS in the process: certificate and key, which can be exchanged while it runs, and the handshake.
//!
//! Only HTTP/1.1 is offered. Everything behind the handshake sees bytes, as without TLS.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::SystemTime;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::validity::not_after;
use crate::metrics::{Count, Metrics};
use crate::settings::TlsSettings;

const CERTIFICATE: &str = "TLS_CERTIFICATE";
const KEY: &str = "TLS_KEY";

/// Why certificate and key cannot be used; names the setting.
#[derive(Debug)]
pub struct TlsError {
    setting: &'static str,
    path: PathBuf,
    what: String,
}

impl TlsError {
    fn new(setting: &'static str, path: &Path, what: impl Into<String>) -> Self {
        Self {
            setting,
            path: path.to_owned(),
            what: what.into(),
        }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            setting,
            path,
            what,
        } = self;
        write!(f, "{setting}={}: {what}", path.display())
    }
}

impl std::error::Error for TlsError {}

/// The certificate that is shown to clients, with its key.
#[derive(Debug)]
pub struct Certificates {
    files: TlsSettings,
    current: Mutex<Arc<CertifiedKey>>,
}

impl Certificates {
    /// Reads both files. Blocks.
    ///
    /// # Errors
    /// A file cannot be read or holds something else, or the two do not belong together.
    pub fn load(files: &TlsSettings) -> Result<Self, TlsError> {
        Ok(Self {
            files: files.clone(),
            current: Mutex::new(Arc::new(read(files)?)),
        })
    }

    /// Reads both files again, for new connections. Blocks.
    ///
    /// # Errors
    /// As for `load`; what was in use stays in use.
    pub fn reload(&self) -> Result<(), TlsError> {
        let read = Arc::new(read(&self.files)?);
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(())
    }

    /// When the first certificate of the chain ends; none if that cannot be read.
    pub fn ends(&self) -> Option<SystemTime> {
        let current = self.current();
        current.cert.iter().filter_map(|der| not_after(der)).min()
    }

    /// How many certificates are sent: the own one and those between it and the root.
    pub fn chain_length(&self) -> usize {
        self.current().cert.len()
    }

    fn current(&self) -> Arc<CertifiedKey> {
        let current = self.current.lock();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

fn read(files: &TlsSettings) -> Result<CertifiedKey, TlsError> {
    let (certificate, key) = (&files.certificate, &files.key);
    let chain = CertificateDer::pem_slice_iter(&bytes(CERTIFICATE, certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| TlsError::new(CERTIFICATE, certificate, format!("not PEM: {error}")))?;
    if chain.is_empty() {
        let what = "no certificate in PEM form is in it (-----BEGIN CERTIFICATE-----)";
        return Err(TlsError::new(CERTIFICATE, certificate, what));
    }
    let private = PrivateKeyDer::from_pem_slice(&bytes(KEY, key)?).map_err(|error| {
        TlsError::new(
            KEY,
            key,
            format!("no private key in PEM form without a password is in it: {error}"),
        )
    })?;
    CertifiedKey::from_der(chain, private, &provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            let what = format!("the key does not match {CERTIFICATE}");
            TlsError::new(KEY, key, format!("{what}={}", certificate.display()))
        }
        rustls::Error::InvalidCertificate(error) => {
            let what = "the first certificate cannot be used";
            let why = match error {
                rustls::CertificateError::BadEncoding => "it is damaged, or no X.509 certificate".to_owned(),
                error => format!("{error}"),
            };
            TlsError::new(CERTIFICATE, certificate, format!("{what}: {why}"))
        }
        _ => {
            let what = "the key cannot be used: it must be RSA of 2048 to 8192 bits, ECDSA on P-256 or P-384, or Ed25519";
            TlsError::new(KEY, key, what)
        }
    })
}

fn bytes(setting: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    let read = std::fs::read(path);
    let mut bytes =
        read.map_err(|error| TlsError::new(setting, path, format!("cannot be read: {error}")))?;
    // The mark with which editors on Windows begin a text.
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    Ok(bytes)
}

fn provider() -> CryptoProvider {
    ring::default_provider()
}

/// What makes TLS connections of plain ones.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    metrics: Metrics,
}

impl Tls {
    pub fn new(certificates: Arc<Certificates>, metrics: Metrics) -> Self {
        let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .expect("ring has suites for both versions")
            .with_no_client_auth()
            .with_cert_resolver(certificates);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            metrics,
        }
    }

    /// The handshake; takes as long as the client does.
    pub async fn accept(&self, connection: TcpStream) -> io::Result<Secured> {
        self.acceptor.accept(connection).await.map(Secured)
    }

    /// Counts a handshake that came to nothing.
    pub fn failed(&self, why: &dyn fmt::Display) {
        self.metrics.count(Count::TlsFailed);
        tracing::debug!(error = %why, "TLS handshake failed");
    }
}

/// A connection after its handshake.
///
/// Whoever can cut a connection can make a body look shorter than it was, unless its end is signed (`close_notify`).
/// rustls' name for a missing signature is the one that hyper has for a body that ends early, which may be complete
/// nevertheless (`limits`); so here it gets the name of a broken connection.
pub struct Secured(TlsStream<TcpStream>);

impl AsyncRead for Secured {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.0).poll_read(cx, out);
        read.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::new(io::ErrorKind::ConnectionAborted, error),
            _ => error,
        })
    }
}

impl AsyncWrite for Secured {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
