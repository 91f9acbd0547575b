//! Schemas of providers as `providers schema -json` gives them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use terrace_schema::{
    Attribute, AttributeType, Block, BlockNesting, FunctionParameter, FunctionSchema, NestedBlock,
    NestedObject, Nesting, ProviderSchema, ResourceSchema, SchemaTable,
};
use terrace_value::{Text, Type};

/// Reads the schema of one provider, an entry of `provider_schemas`. What is wrong with it is said in a sentence.
pub fn schema_of_json(json: &Json) -> Result<ProviderSchema, String> {
    let functions = entries(json, "functions")
        .map(|(name, json)| Ok((Text::from(name.as_str()), Arc::new(function(json)?))))
        .collect::<Result<_, String>>()?;
    Ok(ProviderSchema {
        provider: match json.get("provider") {
            Some(json) => resource(json)?,
            None => ResourceSchema::default(),
        },
        resources: table(json, "resource_schemas")?,
        data_sources: table(json, "data_source_schemas")?,
        ephemeral_resources: table(json, "ephemeral_resource_schemas")?,
        functions,
        ..ProviderSchema::default()
    })
}

fn entries<'j>(json: &'j Json, key: &str) -> impl Iterator<Item = (&'j String, &'j Json)> {
    json.get(key)
        .and_then(Json::as_object)
        .into_iter()
        .flat_map(Map::iter)
}

fn table(json: &Json, key: &str) -> Result<SchemaTable<ResourceSchema>, String> {
    let mut found = SchemaTable::default();
    for (name, json) in entries(json, key) {
        let schema = resource(json).map_err(|problem| format!("{name}: {problem}"))?;
        found.insert(name.as_str().into(), Arc::new(schema));
    }
    Ok(found)
}

fn resource(json: &Json) -> Result<ResourceSchema, String> {
    Ok(ResourceSchema {
        version: json.get("version").and_then(Json::as_i64).unwrap_or(0),
        block: block(json.get("block").unwrap_or(&Json::Null))?,
    })
}

fn block(json: &Json) -> Result<Block, String> {
    let blocks = entries(json, "block_types")
        .map(|(name, json)| Ok((name.as_str().into(), nested_block(json)?)))
        .collect::<Result<_, String>>()?;
    Ok(Block {
        attributes: attributes(json)?,
        blocks,
        deprecated: flag(json, "deprecated"),
        ..Block::default()
    })
}

fn nested_block(json: &Json) -> Result<NestedBlock, String> {
    let nesting = match word(json, "nesting_mode")? {
        "single" => BlockNesting::Single,
        "group" => BlockNesting::Group,
        "list" => BlockNesting::List,
        "set" => BlockNesting::Set,
        "map" => BlockNesting::Map,
        other => return Err(format!("there is no nesting mode {other:?} of blocks")),
    };
    let count = |key| json.get(key).and_then(Json::as_u64).unwrap_or(0);
    Ok(NestedBlock {
        block: block(json.get("block").unwrap_or(&Json::Null))?,
        nesting,
        min_items: count("min_items"),
        max_items: count("max_items"),
    })
}

fn attributes(json: &Json) -> Result<BTreeMap<Text, Attribute>, String> {
    entries(json, "attributes")
        .map(|(name, json)| {
            let read = attribute(json).map_err(|problem| format!("{name}: {problem}"))?;
            Ok((name.as_str().into(), read))
        })
        .collect()
}

fn attribute(json: &Json) -> Result<Attribute, String> {
    let mut attribute = Attribute::of(Type::Dynamic);
    attribute.ty = match json.get("nested_type") {
        Some(nested) => AttributeType::Nested(nested_object(nested)?),
        None => AttributeType::Plain(type_of(json, "type")?),
    };
    attribute.required = flag(json, "required");
    attribute.optional = flag(json, "optional");
    attribute.computed = flag(json, "computed");
    attribute.sensitive = flag(json, "sensitive");
    attribute.deprecated = flag(json, "deprecated");
    attribute.write_only = flag(json, "write_only");
    Ok(attribute)
}

fn nested_object(json: &Json) -> Result<NestedObject, String> {
    let nesting = match word(json, "nesting_mode")? {
        "single" => Nesting::Single,
        "list" => Nesting::List,
        "set" => Nesting::Set,
        "map" => Nesting::Map,
        other => return Err(format!("there is no nesting mode {other:?} of attributes")),
    };
    Ok(NestedObject {
        attributes: attributes(json)?,
        nesting,
    })
}

fn function(json: &Json) -> Result<FunctionSchema, String> {
    let parameters = json.get("parameters").and_then(Json::as_array);
    Ok(FunctionSchema {
        parameters: parameters
            .into_iter()
            .flatten()
            .map(parameter)
            .collect::<Result<_, _>>()?,
        variadic: json.get("variadic_parameter").map(parameter).transpose()?,
        result: type_of(json, "return_type")?,
        summary: "".into(),
        description: "".into(),
        deprecation_message: "".into(),
    })
}

fn parameter(json: &Json) -> Result<FunctionParameter, String> {
    Ok(FunctionParameter {
        name: word(json, "name")?.into(),
        ty: type_of(json, "type")?,
        allow_null: flag(json, "is_nullable"),
        allow_unknown: false,
        description: "".into(),
    })
}

fn type_of(json: &Json, key: &str) -> Result<Type, String> {
    let text = json
        .get(key)
        .ok_or_else(|| format!("{key:?} is missing"))?
        .to_string();
    terrace_value::json::decode_type(&text).map_err(|error| format!("{text} is no type: {error}"))
}

fn flag(json: &Json, key: &str) -> bool {
    json.get(key).and_then(Json::as_bool).unwrap_or(false)
}

fn word<'j>(json: &'j Json, key: &str) -> Result<&'j str, String> {
    json.get(key)
        .and_then(Json::as_str)
        .ok_or_else(|| format!("{key:?} is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_provider_tells_is_read() {
        let json: Json = serde_json::from_str(
            r#"{
              "provider": {"block": {"attributes": {"region": {"type": "string", "optional": true}}}},
              "resource_schemas": {"a_thing": {"version": 2, "block": {
                "attributes": {"id": {"type": ["map", "string"], "computed": true, "sensitive": true}},
                "block_types": {"rule": {"nesting_mode": "list", "min_items": 1, "max_items": 3, "block": {}}}
              }}}
            }"#,
        )
        .unwrap();
        let schema = schema_of_json(&json).unwrap();
        assert!(schema.provider.block.attributes["region"].optional);
        let thing = &schema.resources["a_thing"];
        assert_eq!(thing.version, 2);
        let id = &thing.block.attributes["id"];
        assert_eq!(id.value_type(), Type::map(Type::String));
        assert!(id.computed && id.sensitive && !id.required);
        let rule = &thing.block.blocks["rule"];
        assert_eq!((rule.min_items, rule.max_items), (1, 3));
        assert_eq!(rule.nesting, BlockNesting::List);
    }

    #[test]
    fn what_is_no_type_is_said() {
        let json: Json = serde_json::from_str(
            r#"{"resource_schemas": {"a_thing": {"block": {"attributes": {"id": {"type": "text"}}}}}}"#,
        )
        .unwrap();
        let problem = schema_of_json(&json).unwrap_err();
        assert!(
            problem.starts_with("a_thing: id: \"text\" is no type"),
            "{problem}"
        );
    }
}
