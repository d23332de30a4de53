//! Kinds of value that say where something is on a network.

use std::net::{IpAddr, SocketAddr};

use hyper::Uri;

use super::value_type::{ParseError, ValueType, optional, parsed, text_of};

pub(super) const ADDRESS: ValueType<IpAddr> = ValueType {
    form: "an IP address of this machine; `0.0.0.0` or `::` for all of them",
    example: "0.0.0.0",
    is_secret: false,
    parse: |text| parsed(text.trim_start_matches('[').trim_end_matches(']')),
};

pub(super) const PORT: ValueType<u16> = ValueType {
    form: "a port number from 0 to 65535",
    example: "8000",
    is_secret: false,
    parse: |text| {
        if text.starts_with("tcp://") || text.starts_with("udp://") {
            return Err(ParseError::Because(
                "Kubernetes sets this name to an address when there is a service of that name: \
                 set enableServiceLinks to false, or set the port yourself",
            ));
        }
        parsed(text)
    },
};

pub(super) const OPTIONAL_SOCKET: ValueType<Option<SocketAddr>> = ValueType {
    form: "an IP address of this machine and a port, with a colon between them",
    example: "127.0.0.1:8001",
    is_secret: false,
    parse: |text| optional(text, parsed),
};

pub(super) const OPTIONAL_HOST: ValueType<Option<String>> = ValueType {
    form: "a host name or an IP address",
    example: "localhost",
    is_secret: false,
    parse: |text| optional(text, host),
};

pub(super) const OPTIONAL_URL: ValueType<Option<String>> = ValueType {
    form: "a URL that begins with `http://` or `https://`",
    example: "http://localhost:4566",
    is_secret: false,
    parse: |text| optional(text, url),
};

/// A name or address; an IPv6 address has two colons at least, a name with a port exactly one.
fn host(text: &str) -> Result<String, ParseError> {
    if text.matches(':').count() == 1 {
        return Err(ParseError::Because("the port belongs in STATSD_PORT"));
    }
    let bare = text.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    text_of(bare.unwrap_or(text), |c| c.is_ascii_graphic() && c != '/')
}

fn url(text: &str) -> Result<String, ParseError> {
    let uri: Uri = parsed(text)?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    match uri
        .authority()
        .filter(|it| is_http && !it.host().is_empty())
    {
        None => Err(ParseError::Form),
        // It would stand in the log.
        Some(authority) if authority.as_str().contains('@') => {
            Err(ParseError::Because("a URL must not carry a password"))
        }
        Some(_) => Ok(text.to_owned()),
    }
}

/// Whether a host of a URL is the loopback, which is never behind a proxy.
pub fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken<T>(kind: &ValueType<T>, text: &str) -> Option<T> {
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
            assert_eq!(socket(text), Err(ParseError::Form), "{text}");
        }
    }

    #[test]
    fn the_port_that_kubernetes_invents_is_explained() {
        let refused = (PORT.parse)("tcp://10.0.0.1:8125");
        assert!(
            matches!(refused, Err(ParseError::Because(why)) if why.contains("enableServiceLinks")),
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
            "http://:80",
            "https://[::1",
        ] {
            assert_eq!((OPTIONAL_URL.parse)(text), Err(ParseError::Form), "{text}");
        }
        assert!(matches!(
            (OPTIONAL_URL.parse)("http://me:pw@host/"),
            Err(ParseError::Because(_))
        ));
    }

    #[test]
    fn a_host_has_no_port() {
        let host = |text| (OPTIONAL_HOST.parse)(text);
        for text in ["localhost", "10.0.0.1", "::1"] {
            assert_eq!(host(text), Ok(Some(text.to_owned())));
        }
        assert_eq!(host("[::1]"), Ok(Some("::1".to_owned())));
        assert!(matches!(
            host("localhost:8125"),
            Err(ParseError::Because(_))
        ));
        assert_eq!(host("http//host"), Err(ParseError::Form));
    }

    #[test]
    fn this_machine_is_known_by_all_its_names() {
        for host in ["localhost", "127.0.0.1", "127.3.2.1", "[::1]"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["localstack", "s3.us-west-2.amazonaws.com", "10.0.0.1"] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
