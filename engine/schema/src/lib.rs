//! Schemas of providers: blocks, attributes, nested attributes; coercion of configuration, the proposed new state.
//!
//! Values that come in here conform to the implied type of their schema unless a function says otherwise.

mod coerce;
mod compatible;
mod conform;
mod legacy;
mod lookup;
mod parts;
mod plan_valid;
mod propose;
mod provisioner;
mod sensitive;
mod table;
mod transform;
mod types;

use std::fmt;

use terrace_value::Path;

pub use compatible::assert_object_compatible;
pub use conform::assert_conforms;
pub use legacy::normalize_from_legacy_sdk;
pub use plan_valid::assert_plan_valid;
pub use propose::{planned_unknown_object, proposed_new};
pub use provisioner::{connection, provisioner, provisioner_problem};
pub use table::SchemaTable;
pub use transform::{set_unknowns, without_write_only, write_only_paths};
pub use types::{
    Attribute, AttributeType, Block, BlockNesting, FunctionParameter, FunctionSchema,
    IdentityAttribute, IdentitySchema, NestedBlock, NestedObject, Nesting, ProviderSchema,
    ResourceSchema, StringKind,
};

/// What is wrong with a part of a value.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueError {
    /// The part.
    pub path: Path,
    /// What is wrong with it, in a few words.
    pub message: String,
}

impl ValueError {
    fn new(path: &Path, message: impl Into<String>) -> Self {
        Self {
            path: path.clone(),
            message: message.into(),
        }
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_root() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

impl std::error::Error for ValueError {}

#[cfg(test)]
mod tests;
