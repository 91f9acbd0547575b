//! State, runs and audit of all workspaces in one embedded database, with each workspace's journal beside it.
//!
//! The database is opened for each operation and closed after it, one process at a time: so a long run does not keep
//! others from reading. What excludes for the length of a run is a workspace's lock: a lock file, which dies with its
//! process, and a row with holder and epoch, which every write checks.
//!
//! A state lies there in rows, one for each resource instance; a write changes those that differ, and keeps what they were,
//! so that it costs what changed and not the size of the state.

mod database;
mod pieces;
mod states;
mod store;

pub use store::EmbeddedStore;
