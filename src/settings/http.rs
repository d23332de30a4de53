//! Settings of the front door: where it listens, how many may come, how slow they may be.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::kind::{
    BYTES_OR_ZERO, COUNT, Kind, OPTIONAL_MEMORY_BYTES, OPTIONAL_SECRET, SECONDS, SWITCH, TEXT,
    Unfit,
};
use super::network::{ADDRESS, PORT};
use super::reader::Reader;
use super::secret::Secret;
use super::setting::{Section, Setting};

/// The front door.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    pub host: IpAddr,
    /// 0 for any free port.
    pub port: u16,
    pub proxy_protocol: bool,
    pub max_connections: NonZeroUsize,
    pub header_timeout: Duration,
    pub body_timeout: Duration,
    /// 0 for no least rate.
    pub least_bytes_per_second: u64,
    /// None for a share of the memory that there is.
    pub max_in_flight_bytes: Option<NonZeroUsize>,
    /// Stands before the crash id in the reply. May be empty.
    pub dump_id_prefix: String,
    /// Without it no report may bring its own crash id.
    pub stage_submitter_bearer_token: Option<Secret>,
}

static SECTION: Section = Section {
    title: "HTTP",
    intro: "",
};

static HOST: Setting<IpAddr> = Setting {
    names: &["HOST"],
    default: "0.0.0.0",
    because: "all IPv4 addresses, which is what a container needs",
    help: "Address to listen on.",
    kind: ADDRESS,
};

static LISTEN_PORT: Setting<u16> = Setting {
    names: &["PORT"],
    default: "8000",
    because: "the original's",
    help: "Port to listen on. With `0` the system picks a free one; the log says which.",
    kind: PORT,
};

static PROXY_PROTOCOL: Setting<bool> = Setting {
    names: &["PROXY_PROTOCOL"],
    default: "false",
    because: "only some load balancers speak it, and with it on nobody else is heard",
    help: "For [load balancers](operating.md#behind-a-tcp-load-balancer) that begin each connection with a header of the \
           PROXY protocol, version 1 or 2. The header is taken away; a connection without one is closed.",
    kind: SWITCH,
};

pub(super) static MAX_CONNECTIONS: Setting<NonZeroUsize> = Setting {
    names: &["BREAKPAD_MAX_CONNECTIONS"],
    default: "2000",
    because: "twice what the original was run with",
    help: "Connections open at the same time. Further ones wait in the system's queue. The process needs about as many \
           file descriptors (`ulimit -n`).",
    kind: COUNT,
};

static HEADER_TIMEOUT: Setting<Duration> = Setting {
    names: &["BREAKPAD_HEADER_TIMEOUT_SECONDS"],
    default: "30",
    because: "headers are 1 KB; whoever needs longer is not a crash reporter",
    help: "Time for a TLS handshake, for the head of a request to arrive, and for the next request on a connection kept alive.",
    kind: SECONDS,
};

static BODY_TIMEOUT: Setting<Duration> = Setting {
    names: &["BREAKPAD_BODY_TIMEOUT_SECONDS"],
    default: "300",
    because: "the largest report over a line of 700 kbit/s",
    help: "Time for a whole body to arrive.",
    kind: SECONDS,
};

static LEAST_BYTES_PER_SECOND: Setting<u64> = Setting {
    names: &["BREAKPAD_LEAST_BYTES_PER_SECOND"],
    default: "500",
    because: "slower than any network in use, faster than a client that only holds a place",
    help: "A body that arrives more slowly than this is given up.",
    kind: BYTES_OR_ZERO,
};

pub(super) static MAX_IN_FLIGHT_BYTES: Setting<Option<NonZeroUsize>> = Setting {
    names: &["BREAKPAD_MAX_IN_FLIGHT_BYTES"],
    default: "",
    because: "half of the memory that the process may use beyond 64 MiB, by the limits of its cgroup and those above, else by \
              what the machine has: at least 16 MiB, at most 512 MiB, which is 20 reports of the largest size or 1300 of \
              the usual 400 KB. The other half is for connections, TLS, the clients of S3 and SQS and the kernel's memory \
              of files. The log says at start what was chosen",
    help: "Memory for all reports together, from the first byte read until they are saved. When it is used up, new requests \
           are answered `503` before their body is read.",
    kind: OPTIONAL_MEMORY_BYTES,
};

static DUMP_ID_PREFIX: Setting<String> = Setting {
    names: &["BREAKPAD_DUMP_ID_PREFIX"],
    default: "bp-",
    because: "what clients know",
    help: "Stands before the crash id in the reply, `CrashID=bp-…`. May be empty.",
    kind: Kind {
        form: "ASCII characters without blanks",
        example: "bp-",
        parse: |text| match text.chars().all(|c| c.is_ascii_graphic()) {
            true => Ok(text.to_owned()),
            false => Err(Unfit::Form),
        },
        ..TEXT
    },
};

static STAGE_SUBMITTER_BEARER_TOKEN: Setting<Option<Secret>> = Setting {
    names: &["BREAKPAD_STAGE_SUBMITTER_BEARER_TOKEN"],
    default: "",
    because: "no report may bring its own crash id",
    help: "A report with a `uuid` annotation keeps it as its crash id if the request has the header `Authorization: Bearer` \
           with this token; without the header it is refused.",
    kind: OPTIONAL_SECRET,
};

impl HttpSettings {
    pub(super) fn read(values: &mut Reader) -> Self {
        values.section(&SECTION);
        Self {
            host: values.take(&HOST),
            port: values.take(&LISTEN_PORT),
            proxy_protocol: values.take(&PROXY_PROTOCOL),
            max_connections: values.take(&MAX_CONNECTIONS),
            header_timeout: values.take(&HEADER_TIMEOUT),
            body_timeout: values.take(&BODY_TIMEOUT),
            least_bytes_per_second: values.take(&LEAST_BYTES_PER_SECOND),
            max_in_flight_bytes: values.take(&MAX_IN_FLIGHT_BYTES),
            dump_id_prefix: values.take(&DUMP_ID_PREFIX),
            stage_submitter_bearer_token: values.take(&STAGE_SUBMITTER_BEARER_TOKEN),
        }
    }
}
