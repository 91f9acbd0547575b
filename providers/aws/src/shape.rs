//! The shapes of the types: attributes and blocks as hashicorp/aws 6.48 has them, kept as data in `shapes.json`.
//!
//! What a shape does not tell (what is replaced, defaults, what the service fills in) is said beside each type's calls.

use std::sync::LazyLock;

use terrace_provider_sdk::{Attribute, Schema, schema_of_json};
use terrace_schema::{ProviderSchema, ResourceSchema, SchemaTable};

use crate::timeouts;

static SHAPES: LazyLock<ProviderSchema> = LazyLock::new(|| {
    let json = serde_json::from_str(include_str!("shapes.json")).expect("the file is JSON");
    schema_of_json(&json).expect("the file holds schemas")
});

/// A managed resource type.
pub(crate) fn resource(name: &str) -> Schema {
    of(&SHAPES.resources, name)
}

/// Whether a managed resource type has this attribute.
pub(crate) fn resource_has(name: &str, attribute: &str) -> bool {
    has(&SHAPES.resources, name, attribute)
}

/// Whether a data source has this attribute.
pub(crate) fn data_source_has(name: &str, attribute: &str) -> bool {
    has(&SHAPES.data_sources, name, attribute)
}

fn has(table: &SchemaTable<ResourceSchema>, name: &str, attribute: &str) -> bool {
    table
        .get(name)
        .is_some_and(|found| found.block.attributes.contains_key(attribute))
}

/// A data source.
pub(crate) fn data_source(name: &str) -> Schema {
    of(&SHAPES.data_sources, name)
}

/// An ephemeral resource type.
pub(crate) fn ephemeral(name: &str) -> Schema {
    of(&SHAPES.ephemeral_resources, name)
}

fn of(table: &SchemaTable<ResourceSchema>, name: &str) -> Schema {
    let found = table
        .get(name)
        .unwrap_or_else(|| panic!("shapes.json has no {name}"));
    timeouts::checked(Schema::of_port(found))
}

/// What types say of several attributes at once.
pub(crate) trait Behaviour: Sized {
    /// A change of any of these asks for a replacement.
    fn replaces(self, names: &[&str]) -> Self;
    /// These have defaults that do not show.
    fn defaults_to_text(self, defaults: &[(&str, &'static str)]) -> Self;
    /// These are numbers with defaults that do not show.
    fn defaults_to_number(self, defaults: &[(&str, i64)]) -> Self;
    /// These are bools with defaults that do not show.
    fn defaults_to_bool(self, defaults: &[(&str, bool)]) -> Self;
    /// The service fills in these blocks where configuration has none.
    fn fills_in(self, blocks: &[&str]) -> Self;
    /// Changes what blocks of this name hold.
    fn within(self, block: &str, change: impl FnOnce(Schema) -> Schema) -> Self;
}

impl Behaviour for Schema {
    fn replaces(self, names: &[&str]) -> Self {
        names.iter().fold(self, |schema, name| {
            schema
                .change(name, Attribute::replace)
                .change_block(name, terrace_provider_sdk::Block::replace)
        })
    }

    fn defaults_to_text(self, defaults: &[(&str, &'static str)]) -> Self {
        defaults.iter().fold(self, |schema, (name, value)| {
            let value = String::from(*value);
            schema.change(name, |attribute| attribute.legacy_default(value))
        })
    }

    fn defaults_to_number(self, defaults: &[(&str, i64)]) -> Self {
        defaults.iter().fold(self, |schema, (name, value)| {
            schema.change(name, |attribute| attribute.legacy_default(*value))
        })
    }

    fn defaults_to_bool(self, defaults: &[(&str, bool)]) -> Self {
        defaults.iter().fold(self, |schema, (name, value)| {
            schema.change(name, |attribute| attribute.legacy_default(*value))
        })
    }

    fn fills_in(self, blocks: &[&str]) -> Self {
        blocks.iter().fold(self, |schema, name| {
            schema.change_block(name, terrace_provider_sdk::Block::computed)
        })
    }

    fn within(self, block: &str, change: impl FnOnce(Self) -> Self) -> Self {
        self.change_block(block, |found| found.within(change))
    }
}
