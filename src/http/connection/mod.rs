//! What happens to a connection before, between and after its requests.

mod http10_chunked;
mod odd_target;
mod proxied;
mod proxy_header;
mod server;
mod tls;

pub use server::{Server, ServerConfig};
pub use tls::{Certificates, Tls, TlsError};
