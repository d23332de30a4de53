//! Storage and queue, really written to, and the spool, looked at.

use crate::app::{self, Backends};
use crate::cli::counted;
use crate::settings::Settings;
use crate::spool::{self, SpoolError, SpoolOverview};

use super::{Found, Wrong};

pub(super) async fn check(settings: &Settings, wrong: &mut Wrong) {
    match app::backends(settings).await {
        Ok(backends) => verify(settings, &backends, wrong).await,
        Err(error) => wrong.tell("storage and queue", Found::Wrong(format!("{error:#}"))),
    }
    let found = spool(settings).unwrap_or_else(|error| Found::Wrong(error.to_string()));
    wrong.tell("spool", found);
}

async fn verify(settings: &Settings, backends: &Backends, wrong: &mut Wrong) {
    let has_spool = settings.spool.is_some();
    let [storage, queue] = backends.verify().await;
    for (part, what, failure) in [
        ("storage", backends.storage.describe(), storage),
        ("queue", backends.publisher.describe(), queue),
    ] {
        let found = match failure {
            None => Found::Fine(format!("fine, {what}")),
            Some(failure) if failure.is_transient && has_spool => Found::Odd(format!(
                "{}; a start goes on, and reports go to the spool until it is back",
                failure.error
            )),
            Some(failure) => Found::Wrong(failure.error),
        };
        wrong.tell(part, found);
    }
}

/// Looks only: a collector may be using it, and whoever asks may be another user than the service.
fn spool(settings: &Settings) -> Result<Found, SpoolError> {
    let Some(settings) = &settings.spool else {
        let off = "off, CRASHMOVER_SPOOL_DIR is not set";
        return Ok(Found::Fine(off.to_owned()));
    };
    let dir = settings.dir.display();
    let Some(seen) = spool::look(settings)? else {
        return Ok(Found::Fine(format!("fine, a start makes {dir}")));
    };
    let SpoolOverview {
        waiting,
        failed,
        room_bytes,
    } = seen;
    let waiting = counted(waiting, "report waits", "reports wait");
    let failed = counted(failed, "is set aside", "are set aside");
    let content = format!("{dir}, {waiting}, {failed}, room for {room_bytes} bytes");
    Ok(match room_bytes < app::REPORT_BYTES {
        true => Found::Odd(format!(
            "full, {content}: a start goes on, but nothing can be put into it"
        )),
        false => Found::Fine(format!("fine, {content}")),
    })
}
