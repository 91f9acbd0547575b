//! Schemas from their messages.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use prost::Message;
use terrace_provider_protocol::tfplugin6 as p6;
use terrace_schema::{
    Attribute, AttributeType, Block, BlockNesting, FunctionParameter, FunctionSchema,
    IdentityAttribute, IdentitySchema, NestedBlock, NestedObject, Nesting, ProviderSchema,
    ResourceSchema, SchemaTable, StringKind,
};
use terrace_value::{Text, Type};

use crate::convert::type_from_json;
use crate::schema_cache::RecordKind;

/// What a provider answered when it was asked for its schemas.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    pub(crate) schemas: p6::get_provider_schema::Response,
    pub(crate) identities: HashMap<String, p6::ResourceIdentitySchema>,
}

/// Records of messages that are not decoded yet.
pub(crate) struct DeferredSchemas {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) records: Vec<(RecordKind, String, Range<usize>)>,
}

/// Everything that a provider tells of itself. The error names the part that makes no sense.
pub(crate) fn provider_schema(answers: Answers) -> Result<ProviderSchema, String> {
    let Answers {
        schemas: response,
        identities,
    } = answers;
    let server = response.server_capabilities.unwrap_or_default();
    let actions = response
        .action_schemas
        .into_iter()
        .map(|(name, action)| (name, action.schema.unwrap_or_default()))
        .collect();
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
        resources: resources("resource type", response.resource_schemas)?.into(),
        data_sources: resources("data source", response.data_source_schemas)?.into(),
        ephemeral_resources: resources(
            "ephemeral resource type",
            response.ephemeral_resource_schemas,
        )?
        .into(),
        list_resources: resources("list resource type", response.list_resource_schemas)?,
        actions: resources("action", actions)?,
        identities: sorted(identities)
            .into_iter()
            .map(|(name, schema)| {
                let schema = named(&format!("the identity of {name}"), identity(schema))?;
                Ok((name.into(), Arc::new(schema)))
            })
            .collect::<Result<_, String>>()?,
        functions: sorted(response.functions)
            .into_iter()
            .map(|(name, schema)| {
                let schema = named(&format!("the function {name}"), function(schema))?;
                Ok((name.into(), Arc::new(schema)))
            })
            .collect::<Result<_, String>>()?,
        move_resource_state: server.move_resource_state,
        plan_destroy: server.plan_destroy,
        more_types: None,
    })
}

/// As [`provider_schema`], of records whose schemas of types are decoded when somebody asks for them.
pub(crate) fn deferred_schema(deferred: &DeferredSchemas) -> Result<ProviderSchema, String> {
    let table = |kind| {
        let places: HashMap<String, Range<usize>> = deferred
            .records
            .iter()
            .filter(|(other, _, _)| *other == kind)
            .map(|(_, name, range)| (name.clone(), range.clone()))
            .collect();
        let bytes = deferred.bytes.clone();
        let names: Vec<Text> = places.keys().map(|name| name.as_str().into()).collect();
        SchemaTable::deferred(names, move |name| {
            let message = p6::Schema::decode(&bytes[places.get(name)?.clone()]).ok()?;
            resource(message).ok()
        })
    };
    let mut answers = Answers::default();
    let schemas = &mut answers.schemas;
    for (kind, name, range) in &deferred.records {
        let bytes = &deferred.bytes[range.clone()];
        let name = name.clone();
        match kind {
            RecordKind::Capabilities => schemas.server_capabilities = Some(message(bytes)?),
            RecordKind::Provider => schemas.provider = Some(message(bytes)?),
            RecordKind::Meta => schemas.provider_meta = Some(message(bytes)?),
            RecordKind::Function => drop(schemas.functions.insert(name, message(bytes)?)),
            RecordKind::Identity => drop(answers.identities.insert(name, message(bytes)?)),
            RecordKind::List => {
                drop(schemas.list_resource_schemas.insert(name, message(bytes)?));
            }
            RecordKind::Action => {
                let schema = Some(message(bytes)?);
                schemas
                    .action_schemas
                    .insert(name, p6::ActionSchema { schema });
            }
            RecordKind::Resource | RecordKind::Data | RecordKind::Ephemeral => {}
        }
    }
    Ok(ProviderSchema {
        resources: table(RecordKind::Resource),
        data_sources: table(RecordKind::Data),
        ephemeral_resources: table(RecordKind::Ephemeral),
        ..provider_schema(answers)?
    })
}

fn message<M: Message + Default>(bytes: &[u8]) -> Result<M, String> {
    M::decode(bytes).map_err(|error| error.to_string())
}

/// A schema without the texts that only people read.
pub(crate) fn without_descriptions(schema: &p6::Schema) -> p6::Schema {
    let mut schema = schema.clone();
    if let Some(block) = &mut schema.block {
        strip_block(block);
    }
    schema
}

fn strip_block(block: &mut p6::schema::Block) {
    block.description.clear();
    strip_attributes(&mut block.attributes);
    for nested in &mut block.block_types {
        if let Some(block) = &mut nested.block {
            strip_block(block);
        }
    }
}

fn strip_attributes(attributes: &mut [p6::schema::Attribute]) {
    for attribute in attributes {
        attribute.description.clear();
        if let Some(nested) = &mut attribute.nested_type {
            strip_attributes(&mut nested.attributes);
        }
    }
}

fn identity(schema: p6::ResourceIdentitySchema) -> Result<IdentitySchema, String> {
    let attributes = schema.identity_attributes.into_iter().map(|attribute| {
        let ty = type_from_json(&attribute.r#type)
            .map_err(|why| format!("the type of {:?}: {why}", attribute.name))?;
        let one = IdentityAttribute {
            ty,
            required_for_import: attribute.required_for_import,
            description: attribute.description.into(),
        };
        Ok((attribute.name.into(), one))
    });
    Ok(IdentitySchema {
        version: schema.version,
        attributes: attributes.collect::<Result<_, String>>()?,
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
