//! State in files, as today's tools keep it: `terraform.tfstate`, workspaces in `terraform.tfstate.d/`, a backup, and
//! the same lock, so that they and Terrace exclude each other.
//!
//! What only Terrace keeps (runs, audit, journal) lies in `.terrace/workspaces/` beside the state. Calls block the
//! thread for the time of a local file operation.

mod files;
mod journal;
mod lock;
mod runs;
mod store;
mod wire;

pub use files::{Durable, guard, unavailable};
pub use journal::JournalFile;
pub use lock::FileLock;
pub use runs::{RunFiles, check_run_name};
pub use store::{LocalOptions, LocalStore, check_workspace_name};
pub use wire::{read_lock, read_version, write_lock};
