//! `antenna check`: what a start would find, in plain words.

use crate::app::{self, Backends, OpenFiles};
use crate::settings::{Loaded, Settings};
use crate::spool::{self, Seen, SpoolError};

use super::Failed;

/// Checks everything and prints a line for each part.
///
/// # Errors
/// What is wrong, all of it.
pub fn check(settings: &Settings, loaded: &Loaded) -> Result<(), Failed> {
    for warning in &loaded.warnings {
        println!("warning: {warning}");
    }
    println!("settings: fine");
    OpenFiles::raise_limit();
    match OpenFiles::of(settings).warning() {
        Some(warning) => println!("open files: warning: {warning}"),
        None => println!("open files: fine"),
    }
    println!("Sentry: {}", sentry(settings));
    println!("TLS: {}", tls(settings)?);
    let throttler = app::throttler(settings).map_err(Failed::Rules)?;
    println!(
        "throttle rules: fine, {} rules",
        throttler.rule_names().count()
    );
    let runtime = super::runtime(settings).map_err(|error| Failed::Other(error.into()))?;
    runtime.block_on(outside(settings)).map_err(Failed::Other)
}

/// Whether errors are reported. Nothing is sent: a request to `/__broken__` shows whether events arrive.
fn sentry(settings: &Settings) -> String {
    app::sentry_config(&settings.general).map_or_else(
        || "off, SECRET_SENTRY_DSN is not set".to_owned(),
        |sentry| {
            format!(
                "on, {}, release {}, server name {}",
                sentry.destination(),
                sentry.release,
                sentry.server_name
            )
        },
    )
}

fn tls(settings: &Settings) -> Result<String, Failed> {
    let certificates = app::certificates(settings).map_err(Failed::Tls)?;
    Ok(certificates.map_or_else(
        || "off, TLS_CERTIFICATE is not set".to_owned(),
        |it| format!("fine, {} in the chain", it.chain_length()),
    ))
}

async fn outside(settings: &Settings) -> anyhow::Result<()> {
    let Backends { storage, publisher } = app::backends(settings).await?;
    let results = [
        (
            "storage",
            storage.describe(),
            storage.verify().await.map_err(|error| error.to_string()),
        ),
        (
            "queue",
            publisher.describe(),
            publisher.verify().await.map_err(|error| error.to_string()),
        ),
    ];
    let mut wrong = Vec::new();
    for (part, description, result) in results {
        match result {
            Ok(()) => println!("{part}: fine, {description}"),
            Err(error) => {
                println!("{part}: {error}");
                wrong.push(part);
            }
        }
    }
    match spool(settings) {
        Ok(found) => println!("spool: {found}"),
        Err(error) => {
            println!("spool: {error}");
            wrong.push("spool");
        }
    }
    anyhow::ensure!(
        wrong.is_empty(),
        "a start would fail: {} cannot be used",
        wrong.join(" and ")
    );
    Ok(())
}

/// Looks only: a collector may be using it, and whoever asks may be another user than the service.
fn spool(settings: &Settings) -> Result<String, SpoolError> {
    let Some(config) = app::spool_config(settings) else {
        return Ok("off, CRASHMOVER_SPOOL_DIR is not set".to_owned());
    };
    let dir = config.dir.display();
    Ok(match spool::look(&config)? {
        None => format!("fine, a start makes {dir}"),
        Some(Seen {
            waiting,
            failed,
            room_bytes,
        }) => format!(
            "fine, {dir}, {waiting} reports wait, {failed} are set aside, room for {room_bytes} bytes"
        ),
    })
}
