//! One file a command: settings in, exit code out.

pub(crate) mod approve;
pub(crate) mod audit;
pub(crate) mod fmt;
pub(crate) mod runs;
pub(crate) mod state;
pub(crate) mod version;
pub(crate) mod workspace;
