//! Settings of the admin listener: where it listens, and for whom.

use std::net::SocketAddr;

use super::network::OPTIONAL_SOCKET;
use super::reader::Reader;
use super::secret::Secret;
use super::setting::{Section, Setting};
use super::value_type::{OPTIONAL_SECRET, ParseError, ValueType, list, name};

/// The admin listener.
#[derive(Clone, Debug)]
pub struct AdminSettings {
    pub listen: SocketAddr,
    /// None for no token.
    pub token: Option<Secret>,
    /// Names in small letters by which it may be asked, besides addresses, `localhost` and the machine's name.
    pub hosts: Vec<String>,
}

static SECTION: Section = Section {
    title: "Admin listener",
    intro: "For operators and their tools ([what is there](operating.md#admin-listener)).",
};

pub(super) static LISTEN: Setting<Option<SocketAddr>> = Setting {
    names: &["ADMIN_LISTEN"],
    default: "",
    reason: "nothing listens",
    help: "Address and port for metrics, `/live`, `/ready`, settings, spool and log level. It belongs on an address that the \
           outside cannot reach.",
    kind: OPTIONAL_SOCKET,
};

pub(super) static TOKEN: Setting<Option<Secret>> = Setting {
    names: &["ADMIN_TOKEN"],
    default: "",
    reason: "whoever reaches the address may ask",
    help: "With it everything but `/live` and `/ready` needs the header `Authorization: Bearer` with this token; without the \
           header the answer is `401`.",
    kind: OPTIONAL_SECRET,
};

static HOSTS: Setting<Vec<String>> = Setting {
    names: &["ADMIN_HOSTS"],
    default: "",
    reason: "addresses, `localhost` and the machine's own name are enough for most",
    help: "Further names by which the listener is asked, with commas between them: the `Host` of a request. Any other name is \
           answered `403`, because a web page in an operator's browser can give its own name the listener's address.",
    kind: ValueType {
        form: "host names with commas between them, without ports",
        example: "collector,collector.internal",
        is_secret: false,
        parse: |text| list(text, host_name),
    },
};

fn host_name(text: &str) -> Result<String, ParseError> {
    match text.is_empty() {
        true => Err(ParseError::Form),
        false => name(&text.to_ascii_lowercase(), ".-_"),
    }
}

impl AdminSettings {
    /// None when nothing is to listen. `front` is where reports are taken: the admin listener needs another address.
    pub(super) fn read(values: &mut Reader, front: SocketAddr) -> Option<Self> {
        values.section(&SECTION);
        let listen = values.take(&LISTEN);
        if listen.is_some_and(|listen| is_same(listen, front)) {
            values.refuse(
                &LISTEN,
                "HOST and PORT are the front door's; the admin listener needs a port of its own",
            );
        }
        let (token, hosts) = (values.take(&TOKEN), values.take(&HOSTS));
        Some(Self {
            listen: listen?,
            token,
            hosts,
        })
    }
}

fn is_same(admin: SocketAddr, front: SocketAddr) -> bool {
    admin.port() != 0
        && admin.port() == front.port()
        && (admin.ip() == front.ip() || front.ip().is_unspecified() || admin.ip().is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_a_list_without_ports() {
        let taken = |text| (HOSTS.kind.parse)(text).ok();
        assert_eq!(taken(""), Some(vec![]));
        let names = ["collector", "a.example"].map(str::to_owned);
        assert_eq!(taken("Collector, a.example"), Some(names.to_vec()));
        for text in ["a:80", "http://a", "a,", "a b"] {
            assert_eq!(taken(text), None, "{text}");
        }
    }
}
