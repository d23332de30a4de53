//! Settings of the process as a whole: where it stands, who it is, how it logs.

use std::path::PathBuf;

use super::choice::{LOG_LEVEL, LogLevel};
use super::process_env::machine_name;
use super::reader::Reader;
use super::secret::Secret;
use super::setting::{Section, Setting};
use super::value_type::{
    FOLDER, OPTIONAL_SECRET, OPTIONAL_TEXT, OPTIONAL_THREADS, ParseError, SWITCH, ValueType,
    optional,
};

/// The process as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneralSettings {
    pub basedir: PathBuf,
    /// None for one thread per processor.
    pub worker_threads: Option<usize>,
    pub local_dev_env: bool,
    pub logging_level: LogLevel,
    /// None for the machine's own name.
    pub host_id: Option<String>,
    pub sentry_dsn: Option<Secret>,
    /// None leaves it to Sentry.
    pub sentry_environment: Option<String>,
}

static SECTION: Section = Section {
    title: "The process",
    intro: "",
};

static BASEDIR: Setting<PathBuf> = Setting {
    names: &["BASEDIR"],
    default: ".",
    reason: "the folder in which the collector was started",
    help: "Folder of `version.json`, which `/__version__` answers with. If it is not there, it is looked for beside the \
           binary.",
    kind: FOLDER,
};

static WORKER_THREADS: Setting<Option<usize>> = Setting {
    names: &["WORKER_THREADS"],
    default: "",
    reason: "one per processor",
    help: "Threads of the one process that does everything. They never wait for the network, so more than processors do not help.",
    kind: OPTIONAL_THREADS,
};

static LOCAL_DEV_ENV: Setting<bool> = Setting {
    names: &["LOCAL_DEV_ENV"],
    default: "false",
    reason: "servers want mozlog",
    help: "Logs text for people when true, mozlog 2.0 (one JSON object per line) when false.",
    kind: SWITCH,
};

static LOGGING_LEVEL: Setting<LogLevel> = Setting {
    names: &["LOGGING_LEVEL"],
    default: "INFO",
    reason: "one line for each step of a report",
    help: "The least severity that is logged. `CRITICAL` (or `FATAL`) logs the same lines as `ERROR`, `NOTSET` those of `WARNING`, as with the original. Of what libraries say, nothing below `WARNING` is logged.",
    kind: LOG_LEVEL,
};

static HOST_ID: Setting<Option<String>> = Setting {
    // HOST_ID comes first because containers are given a HOSTNAME unasked, but a HOST_ID only on purpose.
    names: &["HOST_ID", "HOSTNAME"],
    default: "",
    reason: "the machine's own name",
    help: "What this instance is called in logs, metrics and Sentry.",
    kind: ValueType {
        example: "collector-1",
        ..OPTIONAL_TEXT
    },
};

static SECRET_SENTRY_DSN: Setting<Option<Secret>> = Setting {
    names: &["SECRET_SENTRY_DSN"],
    default: "",
    reason: "nothing is sent to Sentry",
    help: "Where every ERROR of the log is reported to, panics and failed starts included, without bodies, annotations and \
           addresses of clients. Sending is done aside: a Sentry that is away costs requests nothing, and the end of the \
           process two seconds at most. `docs/operating.md` says what the events mean.",
    kind: ValueType {
        form: "a Sentry DSN",
        example: "https://key@sentry.example.com/1",
        parse: |text| {
            optional(text, |text| match text.parse::<sentry::types::Dsn>() {
                Ok(_) => Ok(Secret::new(text)),
                Err(_) => Err(ParseError::Form),
            })
        },
        ..OPTIONAL_SECRET
    },
};

static SENTRY_ENVIRONMENT: Setting<Option<String>> = Setting {
    names: &["SENTRY_ENVIRONMENT"],
    default: "",
    reason: "Sentry takes it for `production`",
    help: "The environment under which events stand in Sentry, if `SECRET_SENTRY_DSN` is set.",
    kind: ValueType {
        example: "stage",
        ..OPTIONAL_TEXT
    },
};

impl GeneralSettings {
    pub(super) fn read(values: &mut Reader) -> Self {
        values.section(&SECTION);
        Self {
            basedir: values.take(&BASEDIR),
            worker_threads: values.take(&WORKER_THREADS),
            local_dev_env: values.take(&LOCAL_DEV_ENV),
            logging_level: values.take(&LOGGING_LEVEL),
            host_id: values.take(&HOST_ID),
            sentry_dsn: values.take(&SECRET_SENTRY_DSN),
            sentry_environment: values.take(&SENTRY_ENVIRONMENT),
        }
    }

    /// `HOST_ID`, or the machine's own name.
    pub fn host_name(&self) -> String {
        self.host_id.clone().unwrap_or_else(machine_name)
    }
}
