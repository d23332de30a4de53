//! `antenna check`: what a start would do with these settings here, in plain words and all of it.

mod network;
mod outside;

use crate::app::{self, OpenFiles};
use crate::http::Certificates;
use crate::sentry::destination;
use crate::settings::{GeneralSettings, ResolvedSettings, Settings};

use super::{CommandError, counted, say};

/// What was found of one part.
enum Found {
    Fine(String),
    /// A start goes on.
    Odd(String),
    /// A start fails.
    Wrong(String),
}

/// The parts of a start that fail.
#[derive(Default)]
struct Wrong(Vec<&'static str>);

impl Wrong {
    /// Says what was found.
    fn tell(&mut self, part: &'static str, found: Found) {
        say(&match found {
            Found::Fine(text) => format!("{part}: {text}\n"),
            Found::Odd(text) => format!("{part}: warning: {text}\n"),
            Found::Wrong(text) => {
                self.0.push(part);
                format!("{part}: {text}\n")
            }
        });
    }
}

/// Checks everything and prints a line for each part.
///
/// # Errors
/// What is wrong, all of it.
pub fn check(settings: &Settings, resolved: &ResolvedSettings) -> Result<(), CommandError> {
    for warning in &resolved.warnings {
        say(&format!("warning: {warning}\n"));
    }
    let mut wrong = Wrong::default();
    wrong.tell("settings", Found::Fine("fine".to_owned()));
    wrong.tell("Sentry", Found::Fine(sentry(&settings.general)));
    wrong.tell("memory", memory(settings));
    wrong.tell("open files", open_files(settings));
    let (tls, rules) = (app::certificates(settings), app::throttler(settings));
    wrong.tell(
        "TLS",
        match &tls {
            Ok(None) => Found::Fine("off, TLS_CERTIFICATE is not set".to_owned()),
            Ok(Some(it)) => certificates(it),
            Err(error) => Found::Wrong(error.to_string()),
        },
    );
    wrong.tell(
        "throttle rules",
        match &rules {
            Ok(rules) => {
                let rules = counted(rules.rule_names().count(), "rule", "rules");
                Found::Fine(format!("fine, {rules}"))
            }
            Err(mistakes) => Found::Wrong(format!("mistakes\n{mistakes}")),
        },
    );
    let runtime = super::runtime(settings).map_err(|error| CommandError::Other(error.into()))?;
    runtime.block_on(async {
        network::check(settings, &mut wrong).await;
        outside::check(settings, &mut wrong).await;
    });
    // These have an exit code of their own.
    tls.map_err(CommandError::Tls)?;
    rules.map_err(CommandError::Rules)?;
    match wrong.0.as_slice() {
        [] => Ok(()),
        parts => Err(CommandError::Other(anyhow::anyhow!(
            "a start would fail: {} cannot be used",
            parts.join(" and ")
        ))),
    }
}

/// Whether errors are reported. Nothing is sent: a request to `/__broken__` shows whether events arrive.
fn sentry(general: &GeneralSettings) -> String {
    let Some(dsn) = &general.sentry_dsn else {
        return "off, SECRET_SENTRY_DSN is not set".to_owned();
    };
    format!(
        "on, {}, release {}, server name {}",
        destination(dsn),
        app::release(general),
        general.host_name()
    )
}

fn certificates(certificates: &Certificates) -> Found {
    let chain = format!("{} in the chain", certificates.chain_length());
    match (app::ends_soon(certificates), app::days_left(certificates)) {
        (Some(warning), _) => Found::Odd(format!("{chain}; {warning}")),
        (None, Some(days)) => Found::Fine(format!("fine, {chain}, valid for {days} days")),
        (None, None) => Found::Fine(format!("fine, {chain}")),
    }
}

fn open_files(settings: &Settings) -> Found {
    OpenFiles::raise_limit();
    fine_unless(OpenFiles::of(settings).warning(), "fine")
}

fn memory(settings: &Settings) -> Found {
    let memory = app::memory(settings);
    fine_unless(memory.warning(), &format!("fine, {memory}"))
}

fn fine_unless(warning: Option<String>, fine: &str) -> Found {
    warning.map_or_else(|| Found::Fine(fine.to_owned()), Found::Odd)
}
