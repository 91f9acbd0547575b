//! Finds the directories of called modules.
//!
//! Local sources (`./x`, `../x`) are where they say. Everything else is looked up in the manifest that `init` keeps in
//! the data directory, [`Manifest`]; [`Installation`] is what `init` itself uses, and makes that manifest.

mod installation;
mod manifest;
mod source;

pub use installation::{Installation, Installed};
pub use manifest::{Manifest, ManifestError, ManifestRecord};
pub use source::ModuleSource;
