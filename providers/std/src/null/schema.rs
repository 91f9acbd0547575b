//! Schemas of null.

use terrace_provider_sdk::{Attribute, Schema, Type};

/// The schema of the resource type `null_resource`.
pub(super) fn null_resource() -> Schema {
    Schema::new()
        .describe("An object that stands for nothing; it only ties provisioners to values.")
        .plain()
        .attribute(
            "id",
            Attribute::string()
                .computed()
                .keep()
                .describe_plain("A number drawn when the object is made."),
        )
        .attribute(
            "triggers",
            Attribute::map(Type::String)
                .optional()
                .replace()
                .describe_plain("Any values; a change of one makes a new object."),
        )
}

/// The schema of the data source `null_data_source`.
pub(super) fn null_data_source_data() -> Schema {
    Schema::new()
        .describe("Gives back what it is given; a local value does the same with less.")
        .plain()
        .deprecated()
        .attribute(
            "has_computed_default",
            Attribute::string()
                .optional()
                .computed()
                .describe_plain("The text `default` unless another is configured; for tests."),
        )
        .attribute(
            "id",
            Attribute::string()
                .computed()
                .deprecated()
                .describe_plain("Always the text `static`; only old configurations refer to it."),
        )
        .attribute(
            "inputs",
            Attribute::map(Type::String)
                .optional()
                .describe_plain("What `outputs` is to hold."),
        )
        .attribute(
            "outputs",
            Attribute::map(Type::String)
                .computed()
                .describe_plain("The same values as `inputs`."),
        )
        .attribute(
            "random",
            Attribute::string()
                .computed()
                .describe_plain("A number drawn at every reading; for tests."),
        )
}
