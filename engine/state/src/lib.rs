//! State: what is known of the objects that exist; its v4 file, lineage and serial; the journal.

mod error;
pub mod history;
pub mod journal;
pub mod operations;
mod state;
pub mod transfer;
mod version;
mod wire;

pub use error::StateError;
pub use state::{
    CheckResult, CheckStatus, InstanceState, Object, ObjectCheckResult, ObjectStatus, OutputState,
    ResourceInState, State, StoredIdentity,
};
pub use version::{
    StorageError, commit, load, load_locked, new_lineage, replace, store, store_again, successor,
    version_of,
};
pub use wire::{TERRAFORM_VERSION, compact, read, write};
