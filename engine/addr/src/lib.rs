//! Addresses: immutable names of modules, resources, instances and providers.
//!
//! Every address parses from what it displays. Names are shared (`Arc<str>`), so that copies are cheap.

mod instance;
mod module;
mod parse;
mod provider;
pub mod version;

pub use instance::{
    AbsResource, AbsResourceInstance, ConfigResource, DeposedKey, InstanceKey, Resource,
    ResourceMode,
};
pub use module::{AbsNamed, ModuleInstance, ModulePath, ModuleStep};
pub use parse::{ParseError, Target};
pub use provider::{
    AbsProviderConfig, DEFAULT_HOST, LocalProviderConfig, ProviderAddr, ProviderAddrError,
};

/// A shared name.
pub type Name = std::sync::Arc<str>;
