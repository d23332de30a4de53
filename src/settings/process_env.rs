//! The only place that looks at the process's surroundings: environment, host name, where the binary lies, where a test
//! wants it to die.
//!
//! Called once by the binary; everything else, tests included, gets these as arguments.

use std::ffi::OsString;
use std::path::PathBuf;

/// The environment variables of this process.
pub fn environment() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}

/// The step at which a test wants this process to die (`name` or `name:n`); no setting, and nothing in a usual build.
pub fn fail_point() -> Option<OsString> {
    cfg!(feature = "fail-points")
        .then(|| std::env::var_os("ANTENNA_FAIL_POINT"))
        .flatten()
}

/// Whether somebody wants no colours anywhere (<https://no-color.org>); no setting of ours.
pub fn refuses_colours() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// The machine's name, for when `HOST_ID` is not set.
pub fn machine_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// The folder of the running binary, where `version.json` may lie.
pub fn binary_folder() -> Option<PathBuf> {
    Some(std::env::current_exe().ok()?.parent()?.to_owned())
}
