//! Settings: each is declared once, in the file of its area, and everything else follows from the declaration.
//!
//! Values come from three layers: defaults, under a file of `NAME=value` lines, under the environment. They are checked
//! all at once. Nothing else in the collector reads the environment, and nothing here acts on a setting.

mod admin;
mod aws;
mod checks;
mod choice;
mod clients;
mod crash_publish;
mod crash_storage;
mod crashmover;
mod file;
mod general;
mod http;
mod intake;
mod layers;
mod metrics;
mod network;
mod page;
mod problem;
mod process_env;
mod reader;
mod resolved;
mod secret;
mod setting;
mod spool;
#[cfg(test)]
mod tests;
mod throttle;
mod tls;
mod unknown_names;
mod value_type;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

pub use admin::AdminSettings;
pub use aws::{AccessKey, AwsSettings};
pub use choice::{Acknowledge, LogLevel};
pub use clients::ClientSettings;
pub use crash_publish::{PublishClass, SqsSettings};
pub use crash_storage::{FsSettings, S3Settings, StorageClass};
pub use crashmover::CrashmoverSettings;
pub use general::GeneralSettings;
pub use http::HttpSettings;
pub use intake::BodyLimits;
pub use metrics::StatsdSettings;
pub use network::is_this_machine;
pub use page::markdown;
pub use problem::{Problem, Problems};
pub use process_env::{binary_folder, environment, fail_point, machine_name, refuses_colours};
pub use resolved::{ResolvedSettings, ResolvedValue};
pub use secret::Secret;
pub use spool::SpoolSettings;
pub use throttle::ThrottleSettings;
pub use tls::TlsSettings;

use crate::intake::Limits;
use reader::Reader;
use resolved::is_default;
use setting::SettingInfo;

/// Every setting, with its type.
#[derive(Clone, Debug)]
pub struct Settings {
    pub general: GeneralSettings,
    pub http: HttpSettings,
    /// None for no admin listener.
    pub admin: Option<AdminSettings>,
    /// None when plain HTTP is spoken.
    pub tls: Option<TlsSettings>,
    pub body: BodyLimits,
    pub intake: Limits,
    pub clients: ClientSettings,
    pub throttle: ThrottleSettings,
    pub crashmover: CrashmoverSettings,
    /// None when there is no spool.
    pub spool: Option<SpoolSettings>,
    pub crash_storage: StorageClass,
    pub crash_publish: PublishClass,
    /// None when no metrics are sent.
    pub statsd: Option<StatsdSettings>,
}

impl Settings {
    /// Reads and checks everything. `env` holds the variables of the environment, `file` the path of a settings file.
    ///
    /// # Errors
    /// All problems at once.
    pub fn load(
        env: impl IntoIterator<Item = (OsString, OsString)>,
        file: Option<&Path>,
    ) -> Result<(Self, ResolvedSettings), Problems> {
        let declared = declared();
        let known = declared.iter().flat_map(|info| info.names).copied();
        let known: BTreeSet<_> = known.collect();
        let (lines, mut problems) = file.map(file::read).unwrap_or_default();
        let (file, mut warnings) = layers::from_file(file.unwrap_or(Path::new("")), lines);
        let (environment, not_text) = layers::from_environment(env, &known);
        problems.extend(not_text);
        warnings.extend(unknown_names::in_file(&file, &known));
        warnings.extend(unknown_names::in_environment(&environment, &known));

        let mut reader = Reader::new(layers::stack(&declared, &file, &environment));
        let settings = Self::read(&mut reader);
        problems.append(&mut reader.problems);
        if !problems.is_empty() {
            return Err(Problems {
                problems,
                warnings,
                general: Box::new(settings.general),
                has_storage: has_storage(&reader.resolved),
            });
        }
        let values = reader.resolved;
        warnings.extend(checks::warnings(&settings, &values, &environment));
        Ok((settings, ResolvedSettings { values, warnings }))
    }

    /// Asks for every setting, in the order of logs and page.
    fn read(values: &mut Reader) -> Self {
        let general = GeneralSettings::read(values);
        let http = HttpSettings::read(values);
        let admin = AdminSettings::read(values, SocketAddr::new(http.host, http.port));
        let tls = TlsSettings::read(values);
        let (body, mut intake) = intake::read(values);
        let clients = ClientSettings::read(values);
        intake.takes_no_annotations = clients.extra_reports.no_annotations;
        intake.takes_bare_dumps = clients.extra_reports.bare_dumps;
        let throttle = ThrottleSettings::read(values);
        let crashmover = CrashmoverSettings::read(values);
        let spool = SpoolSettings::read(values, crashmover.acknowledge);
        let call_timeout = crashmover.save_timeout;
        Self {
            general,
            http,
            admin,
            tls,
            body,
            intake,
            clients,
            throttle,
            crash_storage: StorageClass::read(values, call_timeout, spool.is_some()),
            crash_publish: PublishClass::read(values, call_timeout),
            statsd: StatsdSettings::read(values),
            crashmover,
            spool,
        }
    }
}

impl ResolvedSettings {
    /// Whether the operator chose where reports are stored. If not, somebody tries the collector out.
    pub fn has_storage(&self) -> bool {
        has_storage(&self.values)
    }
}

fn has_storage(values: &[ResolvedValue]) -> bool {
    !is_default(crash_storage::CLASS.name(), values)
}

/// All declarations, found by asking for everything when nothing is given.
fn declared() -> Vec<SettingInfo> {
    let mut reader = Reader::new(config::Map::new());
    let _ = Settings::read(&mut reader);
    reader.resolved.iter().map(|value| value.info).collect()
}
