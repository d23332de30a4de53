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
mod given;
mod http;
mod intake;
mod kind;
mod loaded;
mod metrics;
mod network;
mod page;
mod problem;
mod reader;
mod secret;
mod setting;
mod spool;
mod strangers;
mod surroundings;
#[cfg(test)]
mod tests;
mod throttle;
mod tls;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

pub use admin::AdminSettings;
pub use aws::{AccessKey, AwsSettings};
pub use choice::{Acknowledge, ExtraEncoding, LogLevel};
pub use clients::{ClientSettings, ExtraReport};
pub use crash_publish::{PublishClass, SqsSettings};
pub use crash_storage::{FsSettings, S3Settings, StorageClass};
pub use crashmover::CrashmoverSettings;
pub use general::GeneralSettings;
pub use http::HttpSettings;
pub use intake::IntakeSettings;
pub use loaded::{Loaded, LoadedValue};
pub use metrics::StatsdSettings;
pub use page::markdown;
pub use problem::{Problem, Problems, Warning};
pub use secret::Secret;
pub use spool::SpoolSettings;
pub use surroundings::{binary_folder, environment, fail_point, machine_name, refuses_colours};
pub use throttle::ThrottleSettings;
pub use tls::TlsSettings;

use reader::{Reader, Taken};

/// Every setting, with its type.
#[derive(Clone, Debug)]
pub struct Settings {
    pub general: GeneralSettings,
    pub http: HttpSettings,
    /// None for no admin listener.
    pub admin: Option<AdminSettings>,
    /// None when plain HTTP is spoken.
    pub tls: Option<TlsSettings>,
    pub intake: IntakeSettings,
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
    ) -> Result<(Self, Loaded), Problems> {
        let declared: Vec<_> = declared().iter().map(|taken| taken.about).collect();
        let known: BTreeSet<_> = declared
            .iter()
            .flat_map(|about| about.names)
            .copied()
            .collect();
        let (lines, mut problems) = file.map(file::read).unwrap_or_default();
        let (file, mut warnings) = given::from_file(file.unwrap_or(Path::new("")), lines);
        let (environment, not_text) = given::from_environment(env, &known);
        problems.extend(not_text);
        warnings.extend(strangers::in_file(&file, &known));
        warnings.extend(strangers::in_environment(&environment, &known));

        let mut reader = Reader::new(given::stack(&declared, &file, &environment));
        let settings = Self::read(&mut reader);
        problems.append(&mut reader.problems);
        if !problems.is_empty() {
            return Err(Problems {
                problems,
                warnings,
                general: Box::new(settings.general),
                has_storage: !checks::is_default(crash_storage::CLASS.name(), &reader.taken),
            });
        }
        warnings.extend(checks::warnings(&settings, &reader.taken, &environment));
        Ok((settings, Loaded::new(&reader.taken, warnings)))
    }

    /// Asks for every setting, in the order of logs and page.
    fn read(values: &mut Reader) -> Self {
        let general = GeneralSettings::read(values);
        let http = HttpSettings::read(values);
        let admin = AdminSettings::read(values, SocketAddr::new(http.host, http.port));
        let tls = TlsSettings::read(values);
        let intake = IntakeSettings::read(values);
        let clients = ClientSettings::read(values);
        let throttle = ThrottleSettings::read(values);
        let crashmover = CrashmoverSettings::read(values);
        let spool = SpoolSettings::read(values, crashmover.acknowledge);
        Self {
            general,
            http,
            admin,
            tls,
            intake,
            clients,
            throttle,
            crashmover,
            spool,
            crash_storage: StorageClass::read(values),
            crash_publish: PublishClass::read(values),
            statsd: StatsdSettings::read(values),
        }
    }
}

/// All declarations, found by asking for everything when nothing is given.
fn declared() -> Vec<Taken> {
    let mut reader = Reader::new(config::Map::new());
    let _ = Settings::read(&mut reader);
    reader.taken
}
