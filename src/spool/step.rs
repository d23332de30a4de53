//! The names of the steps at which a test can make the process die; each has a `.before` and an `.after`.

/// Makes a file in `incoming/`.
pub const CREATE: &str = "spool.create";
/// Writes the whole entry into it.
pub const WRITE: &str = "spool.write";
/// Makes its content durable.
pub const SYNC_FILE: &str = "spool.sync_file";
/// Moves it to `save/` or `publish/`.
pub const RENAME: &str = "spool.rename";
/// Makes the names in that folder durable; afterwards the report is kept.
pub const SYNC_FOLDER: &str = "spool.sync_folder";
/// Moves a saved report from `save/` to `publish/`.
pub const ADVANCE: &str = "spool.advance";
/// Removes a file: done with, or unfinished.
pub const REMOVE: &str = "spool.remove";
/// Moves a damaged entry to `failed/`.
pub const SET_ASIDE: &str = "spool.set_aside";

/// All of them, for tests that go through every step.
pub const ALL: [&str; 8] = [
    CREATE,
    WRITE,
    SYNC_FILE,
    RENAME,
    SYNC_FOLDER,
    ADVANCE,
    REMOVE,
    SET_ASIDE,
];
