//! Settings of TLS in the process. Off unless both files are given; what is in them is `http::Certificates`' business.

use std::path::PathBuf;

use super::reader::Reader;
use super::setting::{Section, Setting};
use super::value_type::{OPTIONAL_FOLDER, ValueType};

/// Where certificate and key are, in PEM.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

static SECTION: Section = Section {
    title: "TLS",
    intro: "For running without a proxy in front. Both files are read at the start, and again on SIGHUP.",
};

static CERTIFICATE: Setting<Option<PathBuf>> = Setting {
    names: &["TLS_CERTIFICATE"],
    default: "",
    reason: "plain HTTP is spoken, to a proxy that ends TLS",
    help: "File with the certificate of this host and those between it and the root, in PEM. With it only HTTPS is spoken, \
           TLS 1.2 and 1.3; it needs `TLS_KEY`.",
    kind: ValueType {
        example: "/etc/antenna/fullchain.pem",
        ..OPTIONAL_FOLDER
    },
};

static KEY: Setting<Option<PathBuf>> = Setting {
    names: &["TLS_KEY"],
    default: "",
    reason: "there is no certificate either",
    help: "File with the private key of `TLS_CERTIFICATE`, in PEM and without a password.",
    kind: ValueType {
        example: "/etc/antenna/privkey.pem",
        ..OPTIONAL_FOLDER
    },
};

impl TlsSettings {
    /// None when TLS is off; one file without the other is a problem.
    pub(super) fn read(values: &mut Reader) -> Option<Self> {
        values.section(&SECTION);
        let (certificate, key) = (values.take(&CERTIFICATE), values.take(&KEY));
        if certificate.is_none() && key.is_none() {
            return None;
        }
        let certificate = values.required(&CERTIFICATE, certificate, KEY.name());
        let key = values.required(&KEY, key, CERTIFICATE.name());
        Some(Self {
            certificate: certificate?,
            key: key?,
        })
    }
}
