//! The schemas that a plan's changes need, on the wire.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use terrace_addr::{ProviderAddr, ResourceMode};
use terrace_schema::{
    Attribute, AttributeType, Block, BlockNesting, FunctionParameter, FunctionSchema,
    IdentityAttribute, IdentitySchema, NestedBlock, NestedObject, Nesting, ProviderSchema,
    ResourceSchema, SchemaTable, StringKind,
};
use terrace_value::{Text, Type};

use crate::{OpKind, Plan};

/// By provider: its own schema, and those of the types in use.
pub(super) type SchemasWire = BTreeMap<String, ProviderWire>;

#[derive(Serialize, Deserialize, Default)]
pub(super) struct ProviderWire {
    provider: ResourceWire,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    provider_meta: Option<ResourceWire>,
    resources: BTreeMap<String, ResourceWire>,
    data_sources: BTreeMap<String, ResourceWire>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    ephemeral_resources: BTreeMap<String, ResourceWire>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    functions: BTreeMap<String, FunctionWire>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    identities: BTreeMap<String, IdentityWire>,
}

/// What identifies objects of a type: the version, and the parts' types.
#[derive(Serialize, Deserialize)]
struct IdentityWire {
    version: i64,
    parts: BTreeMap<String, Box<RawValue>>,
}

#[derive(Serialize, Deserialize)]
struct FunctionWire {
    parameters: Vec<ParameterWire>,
    variadic: Option<ParameterWire>,
    result: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
struct ParameterWire {
    name: String,
    ty: Box<RawValue>,
    allow_null: bool,
    allow_unknown: bool,
}

#[derive(Serialize, Deserialize, Default)]
struct ResourceWire {
    version: i64,
    block: BlockWire,
}

#[derive(Serialize, Deserialize, Default)]
struct BlockWire {
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    attributes: BTreeMap<String, AttributeWire>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    blocks: BTreeMap<String, NestedWire>,
}

#[derive(Serialize, Deserialize)]
struct AttributeWire {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    ty: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    nested: Option<ObjectWire>,
    /// `r`equired, `o`ptional, `c`omputed, `s`ensitive, `w`rite-only, `d`eprecated.
    flags: String,
}

#[derive(Serialize, Deserialize)]
struct ObjectWire {
    attributes: BTreeMap<String, AttributeWire>,
    nesting: String,
}

#[derive(Serialize, Deserialize)]
struct NestedWire {
    block: BlockWire,
    nesting: String,
    min: u64,
    max: u64,
}

pub(super) fn encode_used(plan: &Plan) -> SchemasWire {
    let mut wire = SchemasWire::new();
    let changed = plan.changes.iter().chain(&plan.drift);
    let changed = changed.map(|change| {
        (
            &change.provider.provider,
            &*change.address.resource.resource,
        )
    });
    let stored = plan.prior_state.resources.iter();
    let stored =
        stored.map(|(address, resource)| (&resource.provider.provider, &*address.resource));
    let opened = plan.exec.ops.iter().filter_map(|op| match &op.kind {
        OpKind::OpenEphemeral { address, provider } => {
            Some((&provider.provider, &*address.resource.resource))
        }
        _ => None,
    });
    let used: BTreeSet<(&ProviderAddr, ResourceMode, &Text)> = changed
        .chain(stored)
        .chain(opened)
        .map(|(provider, resource)| (provider, resource.mode, &resource.type_name))
        .collect();
    for (provider, mode, type_name) in used {
        let Some(schema) = plan.schemas.get(provider) else {
            continue;
        };
        let entry = wire
            .entry(provider.to_string())
            .or_insert_with(|| ProviderWire {
                provider: encode_resource(&schema.provider),
                provider_meta: schema.provider_meta.as_ref().map(encode_resource),
                ..ProviderWire::default()
            });
        let (table, found) = match mode {
            ResourceMode::Managed => (&mut entry.resources, schema.resources.get(type_name)),
            ResourceMode::Data => (&mut entry.data_sources, schema.data_sources.get(type_name)),
            ResourceMode::Ephemeral => (
                &mut entry.ephemeral_resources,
                schema.ephemeral_resources.get(type_name),
            ),
        };
        if let Some(found) = found {
            table.insert(type_name.to_string(), encode_resource(found));
        }
        let identity = schema.identities.get(type_name);
        if let (ResourceMode::Managed, Some(identity)) = (mode, identity) {
            let parts = identity.attributes.iter();
            let wire = IdentityWire {
                version: identity.version,
                parts: parts
                    .map(|(name, part)| (name.to_string(), encode_type(&part.ty)))
                    .collect(),
            };
            entry.identities.insert(type_name.to_string(), wire);
        }
    }
    for (provider, schema) in plan
        .schemas
        .iter()
        .filter(|(_, schema)| !schema.functions.is_empty())
    {
        let entry = wire
            .entry(provider.to_string())
            .or_insert_with(|| ProviderWire {
                provider: encode_resource(&schema.provider),
                ..ProviderWire::default()
            });
        entry.functions = schema
            .functions
            .iter()
            .map(|(name, found)| (name.to_string(), encode_function(found)))
            .collect();
    }
    wire
}

fn encode_type(ty: &Type) -> Box<RawValue> {
    RawValue::from_string(terrace_value::json::encode_type(ty)).expect("a type's encoding is JSON")
}

fn decode_type(raw: &RawValue) -> Result<Type, String> {
    terrace_value::json::decode_type(raw.get()).map_err(|error| error.to_string())
}

fn encode_function(schema: &FunctionSchema) -> FunctionWire {
    let parameter = |found: &FunctionParameter| ParameterWire {
        name: found.name.to_string(),
        ty: encode_type(&found.ty),
        allow_null: found.allow_null,
        allow_unknown: found.allow_unknown,
    };
    FunctionWire {
        parameters: schema.parameters.iter().map(parameter).collect(),
        variadic: schema.variadic.as_ref().map(parameter),
        result: encode_type(&schema.result),
    }
}

fn decode_function(wire: FunctionWire) -> Result<FunctionSchema, String> {
    let parameter = |wire: ParameterWire| {
        Ok::<_, String>(FunctionParameter {
            name: wire.name.into(),
            ty: decode_type(&wire.ty)?,
            allow_null: wire.allow_null,
            allow_unknown: wire.allow_unknown,
            description: "".into(),
        })
    };
    Ok(FunctionSchema {
        parameters: wire
            .parameters
            .into_iter()
            .map(parameter)
            .collect::<Result<_, _>>()?,
        variadic: wire.variadic.map(parameter).transpose()?,
        result: decode_type(&wire.result)?,
        summary: "".into(),
        description: "".into(),
        deprecation_message: "".into(),
    })
}

pub(super) fn decode_used(
    wire: SchemasWire,
) -> Result<BTreeMap<ProviderAddr, Arc<ProviderSchema>>, String> {
    let decode_all = |table: BTreeMap<String, ResourceWire>| {
        table
            .into_iter()
            .map(|(name, resource)| Ok((Text::from(name), Arc::new(decode_resource(resource)?))))
            .collect::<Result<SchemaTable<_>, String>>()
    };
    wire.into_iter()
        .map(|(provider, wire)| {
            let provider = ProviderAddr::parse(&provider).map_err(|error| error.to_string())?;
            let schema = ProviderSchema {
                provider: decode_resource(wire.provider)?,
                provider_meta: wire.provider_meta.map(decode_resource).transpose()?,
                resources: decode_all(wire.resources)?,
                data_sources: decode_all(wire.data_sources)?,
                ephemeral_resources: decode_all(wire.ephemeral_resources)?,
                functions: wire
                    .functions
                    .into_iter()
                    .map(|(name, function)| {
                        Ok((Text::from(name), Arc::new(decode_function(function)?)))
                    })
                    .collect::<Result<_, String>>()?,
                identities: wire
                    .identities
                    .into_iter()
                    .map(|(name, identity)| {
                        Ok((Text::from(name), Arc::new(decode_identity(identity)?)))
                    })
                    .collect::<Result<_, String>>()?,
                ..ProviderSchema::default()
            };
            Ok((provider, Arc::new(schema)))
        })
        .collect()
}

fn decode_identity(wire: IdentityWire) -> Result<IdentitySchema, String> {
    let parts = wire.parts.into_iter().map(|(name, ty)| {
        let part = IdentityAttribute {
            ty: decode_type(&ty)?,
            required_for_import: false,
            description: "".into(),
        };
        Ok((Text::from(name), part))
    });
    Ok(IdentitySchema {
        version: wire.version,
        attributes: parts.collect::<Result<_, String>>()?,
    })
}

fn encode_resource(schema: &ResourceSchema) -> ResourceWire {
    ResourceWire {
        version: schema.version,
        block: encode_block(&schema.block),
    }
}

fn decode_resource(wire: ResourceWire) -> Result<ResourceSchema, String> {
    Ok(ResourceSchema {
        version: wire.version,
        block: decode_block(wire.block)?,
    })
}

fn encode_block(block: &Block) -> BlockWire {
    let nested = |nested: &NestedBlock| NestedWire {
        block: encode_block(&nested.block),
        nesting: block_nesting_name(nested.nesting).to_owned(),
        min: nested.min_items,
        max: nested.max_items,
    };
    BlockWire {
        attributes: encode_attributes(&block.attributes),
        blocks: block
            .blocks
            .iter()
            .map(|(name, block)| (name.to_string(), nested(block)))
            .collect(),
    }
}

fn decode_block(wire: BlockWire) -> Result<Block, String> {
    let blocks = wire.blocks.into_iter().map(|(name, nested)| {
        let nested = NestedBlock {
            block: decode_block(nested.block)?,
            nesting: block_nesting_of(&nested.nesting)?,
            min_items: nested.min,
            max_items: nested.max,
        };
        Ok((Text::from(name), nested))
    });
    Ok(Block {
        attributes: decode_attributes(wire.attributes)?,
        blocks: blocks.collect::<Result<_, String>>()?,
        ..Block::default()
    })
}

fn encode_attributes(attributes: &BTreeMap<Text, Attribute>) -> BTreeMap<String, AttributeWire> {
    let encode = |attribute: &Attribute| {
        let flags = [
            (attribute.required, 'r'),
            (attribute.optional, 'o'),
            (attribute.computed, 'c'),
            (attribute.sensitive, 's'),
            (attribute.write_only, 'w'),
            (attribute.deprecated, 'd'),
        ];
        let (ty, nested) = match &attribute.ty {
            AttributeType::Plain(ty) => {
                let raw = RawValue::from_string(terrace_value::json::encode_type(ty));
                (Some(raw.expect("a type's encoding is JSON")), None)
            }
            AttributeType::Nested(nested) => {
                let wire = ObjectWire {
                    attributes: encode_attributes(&nested.attributes),
                    nesting: nesting_name(nested.nesting).to_owned(),
                };
                (None, Some(wire))
            }
        };
        AttributeWire {
            ty,
            nested,
            flags: flags
                .iter()
                .filter(|(set, _)| *set)
                .map(|(_, flag)| *flag)
                .collect(),
        }
    };
    attributes
        .iter()
        .map(|(name, attribute)| (name.to_string(), encode(attribute)))
        .collect()
}

fn decode_attributes(
    wire: BTreeMap<String, AttributeWire>,
) -> Result<BTreeMap<Text, Attribute>, String> {
    let decode = |wire: AttributeWire| {
        let ty = match (wire.ty, wire.nested) {
            (Some(raw), None) => AttributeType::Plain(
                terrace_value::json::decode_type(raw.get()).map_err(|error| error.to_string())?,
            ),
            (None, Some(nested)) => AttributeType::Nested(NestedObject {
                attributes: decode_attributes(nested.attributes)?,
                nesting: nesting_of(&nested.nesting)?,
            }),
            _ => return Err("an attribute has no type".to_owned()),
        };
        let has = |flag: char| wire.flags.contains(flag);
        Ok(Attribute {
            ty,
            required: has('r'),
            optional: has('o'),
            computed: has('c'),
            sensitive: has('s'),
            deprecated: has('d'),
            write_only: has('w'),
            description: "".into(),
            description_kind: StringKind::Plain,
        })
    };
    wire.into_iter()
        .map(|(name, attribute)| Ok((Text::from(name), decode(attribute)?)))
        .collect()
}

const fn nesting_name(nesting: Nesting) -> &'static str {
    match nesting {
        Nesting::Single => "single",
        Nesting::List => "list",
        Nesting::Set => "set",
        Nesting::Map => "map",
    }
}

fn nesting_of(name: &str) -> Result<Nesting, String> {
    match name {
        "single" => Ok(Nesting::Single),
        "list" => Ok(Nesting::List),
        "set" => Ok(Nesting::Set),
        "map" => Ok(Nesting::Map),
        other => Err(format!("{other:?} is not a nesting")),
    }
}

const fn block_nesting_name(nesting: BlockNesting) -> &'static str {
    match nesting {
        BlockNesting::Single => "single",
        BlockNesting::Group => "group",
        BlockNesting::List => "list",
        BlockNesting::Set => "set",
        BlockNesting::Map => "map",
    }
}

fn block_nesting_of(name: &str) -> Result<BlockNesting, String> {
    match name {
        "group" => Ok(BlockNesting::Group),
        other => nesting_of(other).map(|nesting| match nesting {
            Nesting::Single => BlockNesting::Single,
            Nesting::List => BlockNesting::List,
            Nesting::Set => BlockNesting::Set,
            Nesting::Map => BlockNesting::Map,
        }),
    }
}
