//! The schema, as the reference has it.

use std::sync::Arc;

use terrace_schema::{
    Attribute, Block, FunctionParameter, FunctionSchema, ProviderSchema, ResourceSchema,
    SchemaTable,
};
use terrace_value::{Text, Type};

fn resource(
    attributes: impl IntoIterator<Item = (&'static str, Attribute)>,
) -> Arc<ResourceSchema> {
    let attributes = attributes
        .into_iter()
        .map(|(name, attribute)| (Text::from(name), attribute))
        .collect();
    Arc::new(ResourceSchema {
        version: 0,
        block: Block {
            attributes,
            ..Block::default()
        },
    })
}

fn function(
    parameter: &str,
    ty: Type,
    result: Type,
    summary: &str,
    description: &str,
) -> Arc<FunctionSchema> {
    Arc::new(FunctionSchema {
        parameters: vec![FunctionParameter {
            name: parameter.into(),
            ty,
            allow_null: false,
            allow_unknown: false,
            description: "".into(),
        }],
        variadic: None,
        result,
        summary: summary.into(),
        description: description.into(),
        deprecation_message: "".into(),
    })
}

pub(crate) fn provider() -> ProviderSchema {
    let data = resource([
        ("id", Attribute::computed(Type::String)),
        ("input", Attribute::optional(Type::Dynamic)),
        ("output", Attribute::computed(Type::Dynamic)),
        ("triggers_replace", Attribute::optional(Type::Dynamic)),
    ]);
    let remote_state = resource([
        (
            "backend",
            Attribute::required(Type::String)
                .describe("Type of the backend that keeps the state, such as `local` or `s3`."),
        ),
        (
            "config",
            Attribute::optional(Type::Dynamic)
                .describe("Arguments of the backend, as its `backend` block takes them."),
        ),
        (
            "workspace",
            Attribute::optional(Type::String)
                .describe("The workspace to read; `default` if not given."),
        ),
        (
            "defaults",
            Attribute::optional(Type::Dynamic)
                .describe("Outputs to assume where the state lacks them."),
        ),
        (
            "outputs",
            Attribute::computed(Type::Dynamic).describe("All root outputs of the state."),
        ),
    ]);
    let functions = [
        (
            "decode_tfvars",
            function(
                "src",
                Type::String,
                Type::Dynamic,
                "Reads text in the syntax of variables files",
                "Gives an object with the values that the text assigns.",
            ),
        ),
        (
            "encode_expr",
            function(
                "value",
                Type::Dynamic,
                Type::String,
                "Writes a value as an expression",
                "Gives text in expression syntax that evaluates to a value like the one given.",
            ),
        ),
        (
            "encode_tfvars",
            function(
                "value",
                Type::Dynamic,
                Type::String,
                "Writes an object in the syntax of variables files",
                "Gives text that assigns each attribute of the object.",
            ),
        ),
    ];
    ProviderSchema {
        resources: SchemaTable::from([("terraform_data".into(), data)]),
        data_sources: SchemaTable::from([("terraform_remote_state".into(), remote_state)]),
        functions: functions
            .into_iter()
            .map(|(name, schema)| (Text::from(name), schema))
            .collect(),
        move_resource_state: true,
        ..ProviderSchema::default()
    }
}
