//! Settings of the metrics.

use super::network::{OPTIONAL_HOST, PORT};
use super::reader::Reader;
use super::setting::{Section, Setting};
use super::value_type::{TEXT, ValueType, name};

/// A statsd server that is told everything.
#[derive(Clone, Debug)]
pub struct StatsdSettings {
    pub host: String,
    pub port: u16,
    /// Stands before every name. May be empty.
    pub namespace: String,
}

static SECTION: Section = Section {
    title: "Metrics",
    intro: "All metrics are listed in [metrics.md](metrics.md).",
};

static HOST: Setting<Option<String>> = Setting {
    names: &["STATSD_HOST"],
    default: "",
    reason: "no metrics are sent",
    help: "Name or address of the statsd server, which must understand DogStatsD tags.",
    kind: OPTIONAL_HOST,
};

static STATSD_PORT: Setting<u16> = Setting {
    names: &["STATSD_PORT"],
    default: "8125",
    reason: "what statsd servers listen on",
    help: "UDP port of the statsd server.",
    kind: PORT,
};

static NAMESPACE: Setting<String> = Setting {
    names: &["STATSD_NAMESPACE"],
    default: "",
    reason: "names are sent as they are listed",
    help: "Stands, with a dot, before the name of every metric.",
    kind: ValueType {
        form: "letters, digits, `.`, `-` and `_`",
        example: "mcboatface",
        parse: |text| name(text, ".-_"),
        ..TEXT
    },
};

impl StatsdSettings {
    /// None when there is nobody to send metrics to.
    pub(super) fn read(values: &mut Reader) -> Option<Self> {
        values.section(&SECTION);
        let host = values.take(&HOST);
        let port = values.take(&STATSD_PORT);
        let namespace = values.take(&NAMESPACE);
        Some(Self {
            host: host?,
            port,
            namespace,
        })
    }
}
