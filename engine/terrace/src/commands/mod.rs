//! One file a command: settings in, exit code out.

pub(crate) mod apply;
pub(crate) mod approve;
pub(crate) mod audit;
pub(crate) mod console;
pub(crate) mod drift;
pub(crate) mod fmt;
pub(crate) mod gate;
pub(crate) mod get;
pub(crate) mod graph;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod login;
pub(crate) mod metadata;
pub(crate) mod modules;
pub(crate) mod plan;
pub(crate) mod policy;
pub(crate) mod promote;
pub(crate) mod providers;
pub(crate) mod recover;
pub(crate) mod review;
pub(crate) mod runs;
pub(crate) mod show;
pub(crate) mod state;
mod test_files;
pub(crate) mod validate;
pub(crate) mod version;
pub(crate) mod workspace;
