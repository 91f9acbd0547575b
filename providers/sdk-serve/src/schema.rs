//! Schemas as messages.

use std::collections::{BTreeMap, HashMap};

use terrace_provider_protocol::tfplugin6 as p6;
use terrace_schema::{
    Attribute, AttributeType, Block, BlockNesting, FunctionParameter, FunctionSchema,
    IdentityAttribute, NestedBlock, Nesting, ProviderSchema, ResourceSchema, SchemaTable,
    StringKind,
};
use terrace_value::{Text, Type, json};

pub(crate) fn provider_schema(schema: &ProviderSchema) -> p6::get_provider_schema::Response {
    p6::get_provider_schema::Response {
        provider: Some(resource(&schema.provider)),
        provider_meta: schema.provider_meta.as_ref().map(resource),
        resource_schemas: resources(&schema.resources),
        data_source_schemas: resources(&schema.data_sources),
        ephemeral_resource_schemas: resources(&schema.ephemeral_resources),
        functions: functions(schema),
        server_capabilities: Some(capabilities(schema)),
        ..p6::get_provider_schema::Response::default()
    }
}

const fn capabilities(schema: &ProviderSchema) -> p6::ServerCapabilities {
    p6::ServerCapabilities {
        plan_destroy: schema.plan_destroy,
        get_provider_schema_optional: true,
        move_resource_state: schema.move_resource_state,
        generate_resource_config: false,
    }
}

pub(crate) fn functions(schema: &ProviderSchema) -> HashMap<String, p6::Function> {
    schema
        .functions
        .iter()
        .map(|(name, item)| (name.to_string(), function(item)))
        .collect()
}

/// The names of everything.
pub(crate) fn metadata(schema: &ProviderSchema) -> p6::get_metadata::Response {
    use p6::get_metadata::{
        DataSourceMetadata, EphemeralResourceMetadata, FunctionMetadata, ResourceMetadata,
    };
    p6::get_metadata::Response {
        server_capabilities: Some(capabilities(schema)),
        resources: names(schema.resources.keys(), |type_name| ResourceMetadata {
            type_name,
        }),
        data_sources: names(schema.data_sources.keys(), |type_name| DataSourceMetadata {
            type_name,
        }),
        ephemeral_resources: names(schema.ephemeral_resources.keys(), |type_name| {
            EphemeralResourceMetadata { type_name }
        }),
        functions: names(schema.functions.keys(), |name| FunctionMetadata { name }),
        ..p6::get_metadata::Response::default()
    }
}

fn names<'n, T>(names: impl Iterator<Item = &'n Text>, make: impl Fn(String) -> T) -> Vec<T> {
    names.map(|name| make(name.to_string())).collect()
}

pub(crate) fn identities(schema: &ProviderSchema) -> HashMap<String, p6::ResourceIdentitySchema> {
    let attribute = |(name, attribute): (&Text, &IdentityAttribute)| {
        p6::resource_identity_schema::IdentityAttribute {
            name: name.to_string(),
            r#type: type_json(&attribute.ty),
            required_for_import: attribute.required_for_import,
            optional_for_import: !attribute.required_for_import,
            description: attribute.description.to_string(),
        }
    };
    schema
        .identities
        .iter()
        .map(|(name, identity)| {
            let message = p6::ResourceIdentitySchema {
                version: identity.version,
                identity_attributes: identity.attributes.iter().map(attribute).collect(),
            };
            (name.to_string(), message)
        })
        .collect()
}

fn resources(map: &SchemaTable<ResourceSchema>) -> HashMap<String, p6::Schema> {
    map.iter()
        .map(|(name, schema)| (name.to_string(), resource(schema)))
        .collect()
}

fn resource(schema: &ResourceSchema) -> p6::Schema {
    p6::Schema {
        version: schema.version,
        block: Some(block(&schema.block)),
    }
}

fn type_json(ty: &Type) -> Vec<u8> {
    json::encode_type(ty).into_bytes()
}

fn string_kind(kind: StringKind) -> i32 {
    match kind {
        StringKind::Plain => p6::StringKind::Plain.into(),
        StringKind::Markdown => p6::StringKind::Markdown.into(),
    }
}

fn block(block: &Block) -> p6::schema::Block {
    p6::schema::Block {
        attributes: attributes(&block.attributes),
        block_types: block
            .blocks
            .iter()
            .map(|(name, nested)| nested_block(name, nested))
            .collect(),
        description: block.description.to_string(),
        description_kind: string_kind(block.description_kind),
        deprecated: block.deprecated,
        ..p6::schema::Block::default()
    }
}

fn nested_block(name: &str, nested: &NestedBlock) -> p6::schema::NestedBlock {
    use p6::schema::nested_block::NestingMode;
    let nesting = match nested.nesting {
        BlockNesting::Single => NestingMode::Single,
        BlockNesting::Group => NestingMode::Group,
        BlockNesting::List => NestingMode::List,
        BlockNesting::Set => NestingMode::Set,
        BlockNesting::Map => NestingMode::Map,
    };
    p6::schema::NestedBlock {
        type_name: name.into(),
        block: Some(block(&nested.block)),
        nesting: nesting.into(),
        min_items: nested.min_items.try_into().unwrap_or(i64::MAX),
        max_items: nested.max_items.try_into().unwrap_or(i64::MAX),
    }
}

fn attributes(map: &BTreeMap<Text, Attribute>) -> Vec<p6::schema::Attribute> {
    map.iter()
        .map(|(name, item)| attribute(name, item))
        .collect()
}

fn attribute(name: &str, attribute: &Attribute) -> p6::schema::Attribute {
    use p6::schema::object::NestingMode;
    let mut message = p6::schema::Attribute {
        name: name.into(),
        description: attribute.description.to_string(),
        required: attribute.required,
        optional: attribute.optional,
        computed: attribute.computed,
        sensitive: attribute.sensitive,
        description_kind: string_kind(attribute.description_kind),
        deprecated: attribute.deprecated,
        write_only: attribute.write_only,
        ..p6::schema::Attribute::default()
    };
    match &attribute.ty {
        AttributeType::Plain(ty) => message.r#type = type_json(ty),
        AttributeType::Nested(nested) => {
            let nesting = match nested.nesting {
                Nesting::Single => NestingMode::Single,
                Nesting::List => NestingMode::List,
                Nesting::Set => NestingMode::Set,
                Nesting::Map => NestingMode::Map,
            };
            message.nested_type = Some(p6::schema::Object {
                attributes: attributes(&nested.attributes),
                nesting: nesting.into(),
                ..p6::schema::Object::default()
            });
        }
    }
    message
}

fn function(function: &FunctionSchema) -> p6::Function {
    p6::Function {
        parameters: function.parameters.iter().map(parameter).collect(),
        variadic_parameter: function.variadic.as_ref().map(parameter),
        r#return: Some(p6::function::Return {
            r#type: type_json(&function.result),
        }),
        summary: function.summary.to_string(),
        description: function.description.to_string(),
        description_kind: p6::StringKind::Plain.into(),
        deprecation_message: function.deprecation_message.to_string(),
    }
}

fn parameter(parameter: &FunctionParameter) -> p6::function::Parameter {
    p6::function::Parameter {
        name: parameter.name.to_string(),
        r#type: type_json(&parameter.ty),
        allow_null_value: parameter.allow_null,
        allow_unknown_values: parameter.allow_unknown,
        description: parameter.description.to_string(),
        description_kind: p6::StringKind::Plain.into(),
    }
}
