//! Configuration: the module tree, its blocks, versions, overrides and variables files.
//!
//! [`load`] reads a root module and everything it calls. A module *definition* (a directory) is parsed and checked
//! once, however often it is called. [`check`] finds what is wrong between modules. [`variables::collect`] finds the
//! values of the root module's variables.

mod check;
mod constant;
mod decode;
mod deprecated;
mod directory;
mod early;
mod load;
mod merge;
mod merge_body;
mod module;
mod names;
mod parts;
mod provider_instances;
mod provider_source;
mod providers;
mod references;
mod statics;
mod tree;
mod type_expr;
mod unsupported;
pub mod variables;
mod versions;

pub use check::check;
pub use constant::evaluate_constant;
pub use early::{ConstantsOnly, EarlyEvaluator, EarlyPlace};
pub use load::{ModuleRequest, ModuleResolver, join_path, load, load_snapshot, load_with};
pub use module::{
    Backend, Check, CheckRule, Encryption, Ephemerality, ForEachOrCount, IgnoreChanges,
    ImportBlock, Lifecycle, Local, Module, ModuleCall, Moved, MovedEndpoint, Output,
    ProviderConfigBlock, ProviderPassed, ProviderRequirement, Provisioner, ProvisionerFailure,
    ProvisionerWhen, Removed, RemovedFrom, ResourceConfig, TypeDefaults, Variable,
};
pub use providers::ProviderBinding;
pub use references::references;
pub use tree::{Config, ModuleNode, Snapshot, SnapshotFile};
pub use type_expr::type_constraint;
