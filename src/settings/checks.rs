//! Settings that are each fine but together probably not what was meant. Never more than warnings.

use std::num::NonZeroUsize;

use super::Settings;
use super::admin;
use super::choice::Acknowledge;
use super::crash_publish::{self, PublishClass};
use super::crash_storage::{self, StorageClass};
use super::crashmover::{ACK_TIMEOUT, ACKNOWLEDGE_WHEN, RETRY_SLEEP};
use super::given::Layer;
use super::http::MAX_IN_FLIGHT_BYTES;
use super::intake::{
    MAX_ANNOTATION_BYTES, MAX_ANNOTATIONS_BYTES, MAX_INFLATED_BYTES, MAX_PAYLOAD_BYTES,
};
use super::problem::Warning;
use super::reader::{DEFAULT, Taken};

/// Everything odd about settings that hold no problem.
pub(super) fn warnings(settings: &Settings, taken: &[Taken], environment: &Layer) -> Vec<Warning> {
    let found = [
        losses(settings),
        openness(settings),
        sizes(settings),
        times(settings),
        unused(settings, taken),
        regions(settings, taken, environment),
        authorities(environment),
    ];
    found.into_iter().flatten().map(Warning).collect()
}

/// Choices with which reports get lost, or are not kept at all.
fn losses(settings: &Settings) -> Vec<String> {
    let mut found = Vec::new();
    if settings.crashmover.acknowledge == Acknowledge::Queued {
        let name = ACKNOWLEDGE_WHEN.name();
        found.push(format!(
            "{name}=queued: when the process is killed, acknowledged reports that are still in the queue are lost"
        ));
    }
    match settings.crash_storage {
        StorageClass::Memory => found.push(
            "reports are kept in memory only and are gone when the process ends; this is for tests"
                .to_owned(),
        ),
        StorageClass::None => {
            found.push("reports are not kept at all; this is for measuring".to_owned());
        }
        StorageClass::Fs(_) | StorageClass::S3(_) => {}
    }
    found
}

/// What others could reach that is not meant for them.
fn openness(settings: &Settings) -> Vec<String> {
    let admin = settings.admin.iter();
    let open = admin.filter(|it| !it.listen.ip().is_loopback() && it.token.is_none());
    open.map(|it| {
        format!(
            "{}={} is not a loopback address and {} is not set: whoever reaches it can read the settings and change the log level",
            admin::LISTEN.name(),
            it.listen,
            admin::TOKEN.name()
        )
    })
    .collect()
}

/// Limits of which one makes the other unreachable.
fn sizes(settings: &Settings) -> Vec<String> {
    let intake = &settings.intake;
    let in_flight = (
        MAX_IN_FLIGHT_BYTES.name(),
        settings
            .http
            .max_in_flight_bytes
            .unwrap_or(NonZeroUsize::MAX),
    );
    let pairs = [
        (
            (MAX_PAYLOAD_BYTES.name(), intake.max_payload_bytes),
            in_flight,
        ),
        (
            (MAX_INFLATED_BYTES.name(), intake.max_inflated_bytes),
            in_flight,
        ),
        (
            (MAX_PAYLOAD_BYTES.name(), intake.max_payload_bytes),
            (MAX_INFLATED_BYTES.name(), intake.max_inflated_bytes),
        ),
        (
            (MAX_ANNOTATION_BYTES.name(), intake.max_annotation_bytes),
            (MAX_ANNOTATIONS_BYTES.name(), intake.max_annotations_bytes),
        ),
    ];
    let beyond = pairs.into_iter().filter(|(part, whole)| part.1 > whole.1);
    beyond
        .map(|((part, size), (whole, limit))| {
            format!("{part}={size} can never be used up, because {whole}={limit} is smaller")
        })
        .collect()
}

fn times(settings: &Settings) -> Vec<String> {
    let crashmover = &settings.crashmover;
    let no_second_try = crashmover.acknowledge == Acknowledge::Saved
        && crashmover.ack_timeout <= crashmover.retry_sleep;
    if !no_second_try {
        return Vec::new();
    }
    vec![format!(
        "{} is not longer than {}: a save that fails once cannot be tried again before the client is answered",
        ACK_TIMEOUT.name(),
        RETRY_SLEEP.name()
    )]
}

/// A bucket or a queue is named, but the choice that would use it was not made.
fn unused(settings: &Settings, taken: &[Taken]) -> Vec<String> {
    let s3 = matches!(settings.crash_storage, StorageClass::S3(_));
    let sqs = matches!(settings.crash_publish, PublishClass::Sqs(_));
    let choices = [
        (
            s3,
            crash_storage::BUCKET_NAME.name(),
            "CRASHMOVER_CRASHSTORAGE_CLASS is not s3",
        ),
        (
            sqs,
            crash_publish::QUEUE_NAME.name(),
            "CRASHMOVER_CRASHPUBLISH_CLASS is not sqs",
        ),
    ];
    let mut found = Vec::new();
    for (used, name, why) in choices {
        if !used && !is_default(name, taken) {
            found.push(format!("{name} has no effect, because {why}"));
        }
    }
    found
}

/// AWS's own tools look at `AWS_REGION`; the original never did, so who sets only that is in for a surprise.
fn regions(settings: &Settings, taken: &[Taken], environment: &Layer) -> Vec<String> {
    let aws = [
        match &settings.crash_storage {
            StorageClass::S3(s3) => Some((crash_storage::REGION.name(), &s3.aws)),
            StorageClass::Fs(_) | StorageClass::Memory | StorageClass::None => None,
        },
        match &settings.crash_publish {
            PublishClass::Sqs(sqs) => Some((crash_publish::REGION.name(), &sqs.aws)),
            PublishClass::Memory | PublishClass::None => None,
        },
    ];
    let mut found = Vec::new();
    for (name, aws) in aws.into_iter().flatten() {
        let other = ["AWS_REGION", "AWS_DEFAULT_REGION"]
            .into_iter()
            .find(|it| environment.contains_key(*it))
            .filter(|it| environment[*it].text != aws.region);
        if let Some(other) = other.filter(|_| is_default(name, taken)) {
            let region = &aws.region;
            found.push(format!(
                "{other} is not looked at: {name} is not given, so the region is {region}"
            ));
        }
    }
    found
}

/// AWS's own tools look at it; the certificates to trust are the system's, for everything.
fn authorities(environment: &Layer) -> Vec<String> {
    let name = "AWS_CA_BUNDLE";
    let given = environment
        .get(name)
        .filter(|it| !it.text.trim().is_empty());
    let warning = given.map(|it| {
        format!(
            "{name} is not looked at: name the file in SSL_CERT_FILE={}",
            it.text.trim()
        )
    });
    warning.into_iter().collect()
}

pub(super) fn is_default(name: &str, taken: &[Taken]) -> bool {
    taken
        .iter()
        .any(|it| it.about.name() == name && (it.source == DEFAULT || it.text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{BUCKET, S3, warnings};

    #[test]
    fn odd_combinations_are_warned_of() {
        for (given, expected) in [
            (
                vec![("CRASHMOVER_ACKNOWLEDGE", "queued")],
                "acknowledged reports that are still in the queue are lost",
            ),
            (
                vec![("CRASHMOVER_CRASHSTORAGE_CLASS", "none")],
                "reports are not kept at all",
            ),
            (
                vec![("CRASHMOVER_CRASHSTORAGE_CLASS", "memory")],
                "gone when the process ends",
            ),
            (
                vec![("BREAKPAD_MAX_IN_FLIGHT_BYTES", "104857599")],
                "BREAKPAD_MAX_INFLATED_BYTES=104857600 can never be used up",
            ),
            (
                vec![("CRASHMOVER_RETRY_SLEEP_SECONDS", "8")],
                "CRASHMOVER_ACK_TIMEOUT_SECONDS is not longer than CRASHMOVER_RETRY_SLEEP_SECONDS",
            ),
            (
                vec![("AWS_CA_BUNDLE", "/etc/own.pem")],
                "AWS_CA_BUNDLE is not looked at: name the file in SSL_CERT_FILE=/etc/own.pem",
            ),
            (
                vec![BUCKET],
                "has no effect, because CRASHMOVER_CRASHSTORAGE_CLASS is not s3",
            ),
            (
                vec![S3, BUCKET, ("AWS_REGION", "eu-west-1")],
                "AWS_REGION is not looked at: CRASHMOVER_CRASHSTORAGE_REGION is not given, so the region is us-west-2",
            ),
        ] {
            let warnings = warnings(&given);
            assert_eq!(warnings.len(), 1, "{given:?}: {warnings:?}");
            assert!(warnings[0].contains(expected), "{given:?}: {warnings:?}");
        }
    }
}
