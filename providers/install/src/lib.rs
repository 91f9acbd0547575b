//! Providers' packages: where they come from (the CLI configuration), which are selected (the dependency lock file),
//! and how they get where they are run from.
//!
//! Packages come from mirrors in the file system, from a shared cache, from a developer's directory, or are compiled
//! in. Registries are not asked yet; what would need one is told so.
#![allow(clippy::disallowed_methods, reason = "this adapter's work is files")]

mod cli_config;
mod hash;
mod installer;
mod lock;
mod mirror;
mod package;
mod pattern;
mod settings;

pub use cli_config::{CliConfig, Method};
pub use hash::{PackageHash, hash_directory, hash_zip};
pub use installer::{Event, How, Installer, Located, Requirement};
pub use lock::{LockFile, LockedProvider};
pub use pattern::Pattern;
pub use settings::{Platform, Settings, UserDirectories};
