//! Finds the directories of called modules, and fetches what `init` installs.
//!
//! Local sources (`./x`, `../x`) are where they say. Everything else is looked up in the manifest that `init` keeps in
//! the data directory, [`Manifest`]; [`Installation`] is what `init` itself uses. It fetches packages from registries,
//! repositories and archives through a cache that all working directories share, holds them to the checksums of the
//! lock file [`ModuleLock`], and makes the manifest.
//!
//! Fetching blocks: it must not be done on a thread that drives an asynchronous runtime.
#![allow(clippy::disallowed_methods, reason = "this adapter's work is files")]

mod archive;
mod cache;
mod event;
mod fetch;
mod installation;
mod installed;
mod job;
mod lock;
mod manifest;
mod source;
mod subdirectory;
mod tree;
mod trust;

pub use event::ModuleEvent;
pub use installation::{Installation, InstallationSettings, Outcome};
pub use installed::Installed;
pub use lock::{LockedModule, ModuleLock};
pub use manifest::{Manifest, ManifestError, ManifestRecord};
pub use source::{ModuleSource, RegistrySource, RemoteSource};
pub use tree::hash_package;
