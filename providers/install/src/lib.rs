//! Providers' packages: where they come from (the CLI configuration), which are selected (the dependency lock file),
//! and how they get where they are run from.
//!
//! Packages come from registries, from mirrors in the file system, of the network and of OCI registries, from a shared
//! cache, from a developer's directory, or are compiled in. What is downloaded is kept once, for all working directories.
//!
//! Installing blocks. It must not be called on a thread that drives an asynchronous runtime.
#![allow(clippy::disallowed_methods, reason = "this adapter's work is files")]

mod checksums;
mod cli_config;
mod hash;
mod installer;
mod lock;
mod memo;
mod mirror;
mod package;
mod pattern;
mod settings;
mod signature;
mod source;
mod store;

pub use checksums::Checksums;
pub use cli_config::{CliConfig, Method};
pub use hash::{PackageHash, hash_archive, hash_directory, hash_zip};
pub use installer::{Event, How, Installer, Located, Requirement};
pub use lock::{LockFile, LockedProvider};
pub use pattern::Pattern;
pub use settings::{Platform, Settings, UserDirectories};
pub use signature::Trust;
pub use source::{MirrorArchive, MirrorIndex, MirrorVersion};
