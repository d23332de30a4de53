//! Settings of the front door: where it listens, how many may come, how slow they may be.

use std::net::IpAddr;
use std::time::Duration;

use super::network::{ADDRESS, PORT};
use super::reader::Reader;
use super::secret::Secret;
use super::setting::{Section, Setting};
use super::value_type::{
    COUNT, OPTIONAL_MEMORY_BYTES, OPTIONAL_SECRET, SECONDS, SWITCH, TEXT, ValueType, text_of,
};

/// The front door.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    pub host: IpAddr,
    /// 0 for any free port.
    pub port: u16,
    pub proxy_protocol: bool,
    pub max_connections: usize,
    pub header_timeout: Duration,
    pub keep_alive: Duration,
    /// None for a share of the memory that there is.
    pub max_in_flight_bytes: Option<u64>,
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
    reason: "all IPv4 addresses, which is what a container needs",
    help: "Address to listen on.",
    kind: ADDRESS,
};

static LISTEN_PORT: Setting<u16> = Setting {
    names: &["PORT"],
    default: "8000",
    reason: "the original's",
    help: "Port to listen on. With `0` the system picks a free one; the log says which.",
    kind: PORT,
};

static PROXY_PROTOCOL: Setting<bool> = Setting {
    names: &["PROXY_PROTOCOL"],
    default: "false",
    reason: "only some load balancers speak it, and with it on nobody else is heard",
    help: "For [load balancers](operating.md#behind-a-tcp-load-balancer) that begin each connection with a header of the \
           PROXY protocol, version 1 or 2. The header is taken away; a connection without one is closed.",
    kind: SWITCH,
};

pub(super) static MAX_CONNECTIONS: Setting<usize> = Setting {
    names: &["BREAKPAD_MAX_CONNECTIONS"],
    default: "2000",
    reason: "twice what the original was run with",
    help: "Connections open at the same time. For further ones those without a request give way, the longest idle first, or \
           they wait in the system's queue. The process needs about as many file descriptors: it raises its limit as far \
           as it may (`ulimit -Hn`), and with too few serves fewer connections and warns.",
    kind: COUNT,
};

static HEADER_TIMEOUT: Setting<Duration> = Setting {
    names: &["BREAKPAD_HEADER_TIMEOUT_SECONDS"],
    default: "30",
    reason: "headers are 1 KB; whoever needs longer is not a crash reporter",
    help: "Time from opening a connection until the head of its first request is here, a TLS handshake included; for the head \
           of each further request, from its first byte; and for an answer to be taken by its client.",
    kind: SECONDS,
};

static KEEP_ALIVE: Setting<Duration> = Setting {
    names: &["BREAKPAD_KEEP_ALIVE_SECONDS"],
    default: "620",
    reason: "longer than load balancers keep theirs: AWS 60 s, Google 600 s",
    help: "Time for the next request on a connection that is kept alive. It must be longer than the proxy or load balancer in \
           front keeps idle connections, or reports are lost that it sends on one just being closed \
           ([idle connections](operating.md#idle-connections)). When all `BREAKPAD_MAX_CONNECTIONS` are in use, the \
           connection that has waited longest gives way sooner.",
    kind: SECONDS,
};

pub(super) static MAX_IN_FLIGHT_BYTES: Setting<Option<u64>> = Setting {
    names: &["BREAKPAD_MAX_IN_FLIGHT_BYTES"],
    default: "",
    reason: "half of the memory that the process may use beyond 64 MiB, by the limits of its cgroup and those above, else by \
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
    reason: "what clients know",
    help: "Stands before the crash id in the reply, `CrashID=bp-…`. May be empty.",
    kind: ValueType {
        form: "ASCII characters without blanks",
        example: "bp-",
        parse: |text| text_of(text, |c| c.is_ascii_graphic()),
        ..TEXT
    },
};

static STAGE_SUBMITTER_BEARER_TOKEN: Setting<Option<Secret>> = Setting {
    names: &["BREAKPAD_STAGE_SUBMITTER_BEARER_TOKEN"],
    default: "",
    reason: "no report may bring its own crash id",
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
            keep_alive: values.take(&KEEP_ALIVE),
            max_in_flight_bytes: values.take(&MAX_IN_FLIGHT_BYTES),
            dump_id_prefix: values.take(&DUMP_ID_PREFIX),
            stage_submitter_bearer_token: values.take(&STAGE_SUBMITTER_BEARER_TOKEN),
        }
    }
}
