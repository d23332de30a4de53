//! Settings that are each fine but together probably not what was meant. Never more than warnings.

use super::Settings;
use super::admin;
use super::aws::AwsDeclarations;
use super::choice::Acknowledge;
use super::crash_publish::{self, PublishClass};
use super::crash_storage::{self, StorageClass};
use super::crashmover::{ACK_TIMEOUT, ACKNOWLEDGE_WHEN, RETRY_SLEEP};
use super::http::MAX_IN_FLIGHT_BYTES;
use super::intake::{
    MAX_ANNOTATION_BYTES, MAX_ANNOTATIONS_BYTES, MAX_INFLATED_BYTES, MAX_PAYLOAD_BYTES,
};
use super::layers::Layer;
use super::resolved::{ResolvedValue, is_default};

/// Everything odd about settings that hold no problem.
pub(super) fn warnings(
    settings: &Settings,
    values: &[ResolvedValue],
    environment: &Layer,
) -> Vec<String> {
    let found = [
        losses(settings),
        openness(settings),
        sizes(settings),
        times(settings),
        unused(settings, values),
        regions(settings, values, environment),
        authorities(environment),
    ];
    found.into_iter().flatten().collect()
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
    let (body, intake) = (&settings.body, &settings.intake);
    let payload = (MAX_PAYLOAD_BYTES.name(), body.payload_bytes);
    let inflated = (MAX_INFLATED_BYTES.name(), intake.inflated_bytes);
    let annotation = (MAX_ANNOTATION_BYTES.name(), intake.annotation_bytes);
    let annotations = (MAX_ANNOTATIONS_BYTES.name(), intake.annotations_bytes);
    let in_flight = settings.http.max_in_flight_bytes.unwrap_or(u64::MAX);
    let in_flight = (MAX_IN_FLIGHT_BYTES.name(), in_flight);
    let pairs = [
        (payload, in_flight),
        (inflated, in_flight),
        (payload, inflated),
        (annotation, annotations),
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
fn unused(settings: &Settings, values: &[ResolvedValue]) -> Vec<String> {
    let s3 = matches!(settings.crash_storage, StorageClass::S3(_));
    let sqs = matches!(settings.crash_publish, PublishClass::Sqs(_));
    let (bucket, queue) = (&crash_storage::BUCKET_NAME, &crash_publish::QUEUE_NAME);
    let choices = [
        (s3, bucket, "CRASHMOVER_CRASHSTORAGE_CLASS is not s3"),
        (sqs, queue, "CRASHMOVER_CRASHPUBLISH_CLASS is not sqs"),
    ];
    let unused = choices
        .into_iter()
        .filter(|(is_used, setting, _)| !is_used && !is_default(setting.name(), values));
    unused
        .map(|(_, setting, why)| format!("{} has no effect, because {why}", setting.name()))
        .collect()
}

/// AWS's own tools look at `AWS_REGION`; Mozilla's Antenna never did, which surprises an operator who sets only that.
fn regions(settings: &Settings, values: &[ResolvedValue], environment: &Layer) -> Vec<String> {
    let mut used: Vec<(&AwsDeclarations, _)> = Vec::new();
    if let StorageClass::S3(s3) = &settings.crash_storage {
        used.push((&crash_storage::AWS, &s3.aws.region));
    }
    if let PublishClass::Sqs(sqs) = &settings.crash_publish {
        used.push((&crash_publish::AWS, &sqs.aws.region));
    }
    used.retain(|(declared, _)| is_default(declared.region.name(), values));
    let mut others = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter();
    let Some(other) = others.find(|it| environment.contains_key(*it)) else {
        return Vec::new();
    };
    used.retain(|(_, region)| environment[other].text != **region);
    used.iter()
        .map(|(declared, region)| {
            let name = declared.region.name();
            format!("{other} is not looked at: {name} is not given, so the region is {region}")
        })
        .collect()
}

/// AWS's own tools look at it; the certificates to trust are the system's, for everything.
fn authorities(environment: &Layer) -> Vec<String> {
    let name = "AWS_CA_BUNDLE";
    let given = environment
        .get(name)
        .filter(|it| !it.text.trim().is_empty());
    let file = given.map(|it| it.text.trim()).into_iter();
    file.map(|it| format!("{name} is not looked at: name the file in SSL_CERT_FILE={it}"))
        .collect()
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
