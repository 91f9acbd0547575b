//! Schemas from their messages.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use terrace_provider_protocol::tfplugin6 as p6;
use terrace_schema::{
    Attribute, AttributeType, Block, BlockNesting, FunctionParameter, FunctionSchema, NestedBlock,
    NestedObject, Nesting, ProviderSchema, ResourceSchema, StringKind,
};
use terrace_value::{Text, Type};

use crate::convert::type_from_json;

/// Everything that a provider tells of itself. The error names the part that makes no sense.
pub(crate) fn provider_schema(
    response: p6::get_provider_schema::Response,
) -> Result<ProviderSchema, String> {
    let server = response.server_capabilities.unwrap_or_default();
    Ok(ProviderSchema {
        provider: response
            .provider
            .map(|schema| named("its configuration", resource(schema)))
            .transpose()?
            .unwrap_or_default(),
        provider_meta: response
            .provider_meta
            .map(|schema| named("provider_meta", resource(schema)))
            .transpose()?,
        resources: resources("resource type", response.resource_schemas)?,
        data_sources: resources("data source", response.data_source_schemas)?,
        ephemeral_resources: resources(
            "ephemeral resource type",
            response.ephemeral_resource_schemas,
        )?,
        identities: BTreeMap::new(),
        functions: sorted(response.functions)
            .into_iter()
            .map(|(name, schema)| {
                let schema = named(&format!("the function {name}"), function(schema))?;
                Ok((name.into(), Arc::new(schema)))
            })
            .collect::<Result<_, String>>()?,
        move_resource_state: server.move_resource_state,
        plan_destroy: server.plan_destroy,
    })
}

fn named<T>(what: &str, result: Result<T, String>) -> Result<T, String> {
    result.map_err(|why| format!("the schema of {what} makes no sense: {why}"))
}

fn sorted<T>(map: HashMap<String, T>) -> BTreeMap<String, T> {
    map.into_iter().collect()
}

fn resources(
    kind: &str,
    map: HashMap<String, p6::Schema>,
) -> Result<BTreeMap<Text, Arc<ResourceSchema>>, String> {
    sorted(map)
        .into_iter()
        .map(|(name, schema)| {
            let schema = named(&format!("the {kind} {name}"), resource(schema))?;
            Ok((name.into(), Arc::new(schema)))
        })
        .collect()
}

fn resource(schema: p6::Schema) -> Result<ResourceSchema, String> {
    Ok(ResourceSchema {
        version: schema.version,
        block: schema.block.map(block).transpose()?.unwrap_or_default(),
    })
}

fn block(message: p6::schema::Block) -> Result<Block, String> {
    Ok(Block {
        attributes: attributes(message.attributes)?,
        blocks: message
            .block_types
            .into_iter()
            .map(nested_block)
            .collect::<Result<_, _>>()?,
        description: message.description.into(),
        description_kind: string_kind(message.description_kind),
        deprecated: message.deprecated,
    })
}

fn attributes(list: Vec<p6::schema::Attribute>) -> Result<BTreeMap<Text, Attribute>, String> {
    list.into_iter().map(attribute).collect()
}

fn attribute(message: p6::schema::Attribute) -> Result<(Text, Attribute), String> {
    let ty = match message.nested_type {
        Some(nested) => nested_object(nested)
            .map(AttributeType::Nested)
            .map_err(|why| format!("{}.{why}", message.name))?,
        None => AttributeType::Plain(
            type_from_json(&message.r#type)
                .map_err(|why| format!("the type of {:?}: {why}", message.name))?,
        ),
    };
    let attribute = Attribute {
        ty,
        required: message.required,
        optional: message.optional,
        computed: message.computed,
        sensitive: message.sensitive,
        deprecated: message.deprecated,
        write_only: message.write_only,
        description: message.description.into(),
        description_kind: string_kind(message.description_kind),
    };
    Ok((message.name.into(), attribute))
}

fn nested_object(message: p6::schema::Object) -> Result<NestedObject, String> {
    use p6::schema::object::NestingMode;
    let nesting = match message.nesting() {
        NestingMode::Single => Nesting::Single,
        NestingMode::List => Nesting::List,
        NestingMode::Set => Nesting::Set,
        NestingMode::Map => Nesting::Map,
        NestingMode::Invalid => {
            return Err(format!("its nesting is {}, which is none", message.nesting));
        }
    };
    Ok(NestedObject {
        attributes: attributes(message.attributes)?,
        nesting,
    })
}

fn nested_block(message: p6::schema::NestedBlock) -> Result<(Text, NestedBlock), String> {
    use p6::schema::nested_block::NestingMode;
    let nesting = match message.nesting() {
        NestingMode::Single => BlockNesting::Single,
        NestingMode::Group => BlockNesting::Group,
        NestingMode::List => BlockNesting::List,
        NestingMode::Set => BlockNesting::Set,
        NestingMode::Map => BlockNesting::Map,
        NestingMode::Invalid => {
            return Err(format!(
                "the block {:?} has nesting {}, which is none",
                message.type_name, message.nesting
            ));
        }
    };
    let nested = NestedBlock {
        block: message.block.map(block).transpose()?.unwrap_or_default(),
        nesting,
        min_items: message.min_items.try_into().unwrap_or(0),
        max_items: message.max_items.try_into().unwrap_or(0),
    };
    Ok((message.type_name.into(), nested))
}

fn string_kind(kind: i32) -> StringKind {
    if kind == p6::StringKind::Markdown as i32 {
        StringKind::Markdown
    } else {
        StringKind::Plain
    }
}

fn function(message: p6::Function) -> Result<FunctionSchema, String> {
    let result: Type = match message.r#return {
        Some(result) => type_from_json(&result.r#type)
            .map_err(|why| format!("the type of its result: {why}"))?,
        None => return Err("it has no result".into()),
    };
    Ok(FunctionSchema {
        parameters: message
            .parameters
            .into_iter()
            .map(parameter)
            .collect::<Result<_, _>>()?,
        variadic: message.variadic_parameter.map(parameter).transpose()?,
        result,
        summary: message.summary.into(),
        description: message.description.into(),
        deprecation_message: message.deprecation_message.into(),
    })
}

fn parameter(message: p6::function::Parameter) -> Result<FunctionParameter, String> {
    let ty = type_from_json(&message.r#type)
        .map_err(|why| format!("the type of {:?}: {why}", message.name))?;
    Ok(FunctionParameter {
        name: message.name.into(),
        ty,
        allow_null: message.allow_null_value,
        allow_unknown: message.allow_unknown_values,
        description: message.description.into(),
    })
}
