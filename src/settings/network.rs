//! Kinds of value that say where something is on a network.

use std::net::{IpAddr, SocketAddr};

use super::kind::{Kind, Unfit, number, optional};

pub(super) const ADDRESS: Kind<IpAddr> = Kind {
    form: "an IP address of this machine; `0.0.0.0` or `::` for all of them",
    example: "0.0.0.0",
    secret: false,
    parse: |text| number(text.trim_start_matches('[').trim_end_matches(']')),
};

pub(super) const PORT: Kind<u16> = Kind {
    form: "a port number from 0 to 65535",
    example: "8000",
    secret: false,
    parse: |text| {
        if text.starts_with("tcp://") || text.starts_with("udp://") {
            return Err(Unfit::Because(
                "Kubernetes sets this name to an address when there is a service of that name: \
                 set enableServiceLinks to false, or set the port yourself",
            ));
        }
        number(text)
    },
};

pub(super) const OPTIONAL_SOCKET: Kind<Option<SocketAddr>> = Kind {
    form: "an IP address of this machine and a port, with a colon between them",
    example: "127.0.0.1:8001",
    secret: false,
    parse: |text| optional(text, number),
};

pub(super) const OPTIONAL_HOST: Kind<Option<String>> = Kind {
    form: "a host name or an IP address",
    example: "localhost",
    secret: false,
    parse: |text| optional(text, host),
};

pub(super) const OPTIONAL_URL: Kind<Option<String>> = Kind {
    form: "a URL that begins with `http://` or `https://`",
    example: "http://localhost:4566",
    secret: false,
    parse: |text| optional(text, url),
};

/// A name or address; an IPv6 address has two colons at least, a name with a port exactly one.
fn host(text: &str) -> Result<String, Unfit> {
    if text.matches(':').count() == 1 {
        return Err(Unfit::Because("the port belongs in STATSD_PORT"));
    }
    let bare = text.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    match text.chars().all(|c| c.is_ascii_graphic() && c != '/') {
        true => Ok(bare.unwrap_or(text).to_owned()),
        false => Err(Unfit::Form),
    }
}

fn url(text: &str) -> Result<String, Unfit> {
    let rest = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"))
        .ok_or(Unfit::Form)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        // It would stand in the log.
        return Err(Unfit::Because("a URL must not carry a password"));
    }
    match authority.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        true => Err(Unfit::Form),
        false => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken<T>(kind: &Kind<T>, text: &str) -> Option<T> {
        (kind.parse)(text).ok()
    }

    #[test]
    fn addresses_may_stand_in_brackets() {
        assert_eq!(taken(&ADDRESS, "[::1]"), "::1".parse().ok());
        assert_eq!(taken(&ADDRESS, "localhost"), None);
    }

    #[test]
    fn a_socket_has_address_and_port() {
        let socket = |text| (OPTIONAL_SOCKET.parse)(text);
        assert_eq!(socket("[::1]:80"), Ok("[::1]:80".parse().ok()));
        assert_eq!(socket(""), Ok(None));
        for text in ["8001", "127.0.0.1", "localhost:8001", ":8001"] {
            assert_eq!(socket(text), Err(Unfit::Form), "{text}");
        }
    }

    #[test]
    fn the_port_that_kubernetes_invents_is_explained() {
        let refused = (PORT.parse)("tcp://10.0.0.1:8125");
        assert!(
            matches!(refused, Err(Unfit::Because(why)) if why.contains("enableServiceLinks")),
            "{refused:?}"
        );
        assert_eq!(taken(&PORT, "0"), Some(0));
        assert_eq!(taken(&PORT, "65536"), None);
    }

    #[test]
    fn a_url_needs_scheme_and_host_and_no_password() {
        let url = "http://localhost:4566/";
        assert_eq!(taken(&OPTIONAL_URL, url), Some(Some(url.to_owned())));
        assert_eq!(taken(&OPTIONAL_URL, ""), Some(None));
        for text in [
            "localhost:4566",
            "http://",
            "ftp://a",
            "http:///a",
            "http://a b",
        ] {
            assert_eq!((OPTIONAL_URL.parse)(text), Err(Unfit::Form), "{text}");
        }
        assert!(matches!(
            (OPTIONAL_URL.parse)("http://me:pw@host/"),
            Err(Unfit::Because(_))
        ));
    }

    #[test]
    fn a_host_has_no_port() {
        let host = |text| (OPTIONAL_HOST.parse)(text);
        for text in ["localhost", "10.0.0.1", "::1"] {
            assert_eq!(host(text), Ok(Some(text.to_owned())));
        }
        assert_eq!(host("[::1]"), Ok(Some("::1".to_owned())));
        assert!(matches!(host("localhost:8125"), Err(Unfit::Because(_))));
        assert_eq!(host("http//host"), Err(Unfit::Form));
    }
}
