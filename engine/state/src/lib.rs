//! State: what is known of the objects that exist; its v4 file, lineage and serial; the journal.

mod state;

pub use state::{
    CheckStatus, InstanceState, ObjectCheckResult, Object, ObjectStatus, OutputState, ResourceInState, State,
    CheckResult,
};
