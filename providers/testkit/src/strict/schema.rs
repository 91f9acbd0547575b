//! What the strict provider offers.

use std::sync::Arc;

use terrace_schema::{
    Attribute, AttributeType, Block, BlockNesting, FunctionParameter, FunctionSchema,
    IdentityAttribute, IdentitySchema, NestedBlock, NestedObject, Nesting, ProviderSchema,
    ResourceSchema,
};
use terrace_value::Type;

/// The schema; protocol 5 knows no nested attributes, so that they can be left out.
pub(crate) fn provider_schema(nested_attributes: bool) -> ProviderSchema {
    let function = |name: &str, parameter: FunctionParameter, result: Type| {
        let schema = FunctionSchema {
            parameters: vec![parameter],
            variadic: None,
            result,
            summary: format!("The function {name}").into(),
            description: "".into(),
            deprecation_message: "".into(),
        };
        (name.into(), Arc::new(schema))
    };
    ProviderSchema {
        provider: resource(block([
            ("region", Attribute::optional(Type::String)),
            ("token", Attribute::optional(Type::String).sensitive()),
        ])),
        provider_meta: None,
        resources: [
            (
                "test_object".into(),
                Arc::new(resource(object_block(nested_attributes))),
            ),
            ("test_widget".into(), Arc::new(resource(widget_block()))),
        ]
        .into(),
        data_sources: [("test_data".into(), Arc::new(resource(data_block())))].into(),
        ephemeral_resources: [(
            "test_ephemeral".into(),
            Arc::new(resource(ephemeral_block())),
        )]
        .into(),
        identities: [("test_object".into(), Arc::new(object_identity()))].into(),
        functions: [
            function(
                "echo",
                parameter("value", Type::Dynamic, true),
                Type::Dynamic,
            ),
            function(
                "shout",
                parameter("text", Type::String, false),
                Type::String,
            ),
            function(
                "reject",
                parameter("text", Type::String, false),
                Type::String,
            ),
        ]
        .into(),
        move_resource_state: true,
        plan_destroy: true,
        ..ProviderSchema::default()
    }
}

fn parameter(name: &str, ty: Type, allow_null: bool) -> FunctionParameter {
    FunctionParameter {
        name: name.into(),
        ty,
        allow_null,
        allow_unknown: false,
        description: "".into(),
    }
}

fn resource(block: Block) -> ResourceSchema {
    ResourceSchema { version: 0, block }
}

fn block<const N: usize>(attributes: [(&str, Attribute); N]) -> Block {
    Block {
        attributes: attributes
            .into_iter()
            .map(|(name, attribute)| (name.into(), attribute))
            .collect(),
        ..Block::default()
    }
}

fn object_block(nested_attributes: bool) -> Block {
    let mut object = block([
        ("id", Attribute::computed(Type::String)),
        ("revision", Attribute::computed(Type::Number)),
        ("computed", Attribute::optional_computed(Type::String)),
        ("string", Attribute::optional(Type::String)),
        ("number", Attribute::optional(Type::Number)),
        ("bool", Attribute::optional(Type::Bool)),
        ("list", Attribute::optional(Type::list(Type::String))),
        ("set", Attribute::optional(Type::set(Type::String))),
        ("map", Attribute::optional(Type::map(Type::String))),
        ("any", Attribute::optional(Type::Dynamic)),
        (
            "immutable",
            Attribute::optional(Type::String).describe("A change replaces the object."),
        ),
        ("secret", Attribute::optional(Type::String).sensitive()),
        (
            "write_only",
            Attribute {
                write_only: true,
                ..Attribute::optional(Type::String)
            },
        ),
        (
            "old_name",
            Attribute {
                deprecated: true,
                ..Attribute::optional(Type::String)
            },
        ),
    ]);
    if nested_attributes {
        object
            .attributes
            .insert("nested".into(), nested(Nesting::Single));
        object
            .attributes
            .insert("nested_list".into(), nested(Nesting::List));
        object
            .attributes
            .insert("nested_map".into(), nested(Nesting::Map));
    }
    let rule = block([
        ("key", Attribute::required(Type::String)),
        ("value", Attribute::optional(Type::String)),
    ]);
    object.blocks.insert(
        "rule".into(),
        NestedBlock {
            block: rule,
            nesting: BlockNesting::List,
            min_items: 0,
            max_items: 0,
        },
    );
    object
}

/// What `test_object` was called in earlier days: a `label` for its `computed`.
fn widget_block() -> Block {
    block([
        ("id", Attribute::computed(Type::String)),
        ("revision", Attribute::computed(Type::Number)),
        ("string", Attribute::optional(Type::String)),
        ("label", Attribute::optional(Type::String)),
    ])
}

fn ephemeral_block() -> Block {
    block([
        ("input", Attribute::optional(Type::String)),
        (
            "renew_after",
            Attribute::optional(Type::Number).describe("Seconds until it must be renewed."),
        ),
        ("value", Attribute::computed(Type::String)),
    ])
}

fn object_identity() -> IdentitySchema {
    let part = |required_for_import| IdentityAttribute {
        ty: Type::String,
        required_for_import,
        description: "".into(),
    };
    IdentitySchema {
        version: 1,
        attributes: [("id".into(), part(true)), ("region".into(), part(false))].into(),
    }
}

fn nested(nesting: Nesting) -> Attribute {
    let attributes = [
        ("name".into(), Attribute::optional(Type::String)),
        (
            "secret".into(),
            Attribute::optional(Type::String).sensitive(),
        ),
        ("generated".into(), Attribute::computed(Type::String)),
    ];
    Attribute {
        ty: AttributeType::Nested(NestedObject {
            attributes: attributes.into(),
            nesting,
        }),
        ..Attribute::optional(Type::Dynamic)
    }
}

fn data_block() -> Block {
    block([
        ("id", Attribute::computed(Type::String)),
        ("input", Attribute::optional(Type::String)),
        ("output", Attribute::computed(Type::String)),
        (
            "object_id",
            Attribute::optional(Type::String).describe("An object whose `string` is the output."),
        ),
    ])
}
