//! Configuration: the module tree, its blocks, versions, overrides and variables files.
//!
//! [`load`] reads a root module and everything it calls. A module *definition* (a directory) is parsed and checked
//! once, however often it is called.

mod module;
mod tree;

pub use module::{
    Backend, Check, CheckRule, Ephemerality, ForEachOrCount, ImportBlock, Lifecycle, Local, Module, ModuleCall, Moved,
    MovedEndpoint, Output, ProviderConfigBlock, ProviderPassed, ProviderRequirement, Provisioner, ProvisionerFailure,
    ProvisionerWhen, Removed, RemovedFrom, ResourceConfig, TypeDefaults, Variable, IgnoreChanges,
};
pub use tree::{Config, ModuleNode, Snapshot, SnapshotFile};
