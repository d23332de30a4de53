//! The whole collector, as a process, when something around it fails: storage, queue, credentials, disk, clients in
//! great number or of bad will. What a client is told, what is kept in the end, what the log says; and the books balance
//! at the end of every test.

mod books;
mod disk_trouble;
mod expect;
mod flaky_queue;
mod hang_up;
mod heartbeat;
mod limits;
mod no_start;
mod overload;
mod power_cut;
mod queue_away;
mod rig;
mod scene;
mod spool_disk;
mod stop_away;
mod storage_away;
mod storage_away_spool;
