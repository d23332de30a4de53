//! Settings to the plain structs that the parts take.

use crate::http::BodyLimits;
use crate::intake::{ExtraEncodings, Limits};
use crate::sentry::SentryConfig;
use crate::settings::{self, ExtraEncoding, ExtraReport, GeneralSettings, Settings};
use crate::spool::SpoolConfig;

/// The spool's settings, where there is one.
pub fn spool_config(settings: &Settings) -> Option<SpoolConfig> {
    settings.spool.as_ref().map(|spool| SpoolConfig {
        dir: spool.dir.clone(),
        max_bytes: spool.max_bytes.get(),
        min_free_bytes: spool.min_free_bytes,
    })
}

/// Where and how ERRORs are reported, where they are.
pub fn sentry_config(general: &GeneralSettings) -> Option<SentryConfig> {
    let dsn = general.sentry_dsn.clone()?;
    Some(SentryConfig {
        dsn,
        release: super::version(general).release(),
        server_name: general
            .host_id
            .clone()
            .unwrap_or_else(settings::machine_name),
        environment: general.sentry_environment.clone(),
    })
}

pub fn body_limits(settings: &Settings) -> BodyLimits {
    BodyLimits {
        payload_bytes: settings.intake.max_payload_bytes.get() as u64,
        timeout: settings.http.body_timeout,
        least_bytes_per_second: settings.http.least_bytes_per_second,
    }
}

/// Whether a `uuid` of a sender without the token costs the report.
pub fn takes_foreign_uuids(settings: &Settings) -> bool {
    let extra_reports = &settings.clients.extra_reports;
    extra_reports.contains(&ExtraReport::ForeignUuids)
}

pub fn intake_limits(settings: &Settings) -> Limits {
    let intake = &settings.intake;
    let extra_reports = &settings.clients.extra_reports;
    Limits {
        inflated_bytes: intake.max_inflated_bytes.get() as u64,
        parts: intake.max_parts.get(),
        dumps: intake.max_dumps.get(),
        annotations: intake.max_annotations.get(),
        annotation_bytes: intake.max_annotation_bytes.get() as u64,
        annotations_bytes: intake.max_annotations_bytes.get() as u64,
        takes_bare_dumps: extra_reports.contains(&ExtraReport::BareDumps),
        takes_no_annotations: extra_reports.contains(&ExtraReport::NoAnnotations),
        extra_encodings: ExtraEncodings {
            deflate: intake.extra_encodings.contains(&ExtraEncoding::Deflate),
            brotli: intake.extra_encodings.contains(&ExtraEncoding::Brotli),
            zstd: intake.extra_encodings.contains(&ExtraEncoding::Zstd),
        },
    }
}
