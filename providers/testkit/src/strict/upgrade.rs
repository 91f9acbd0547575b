//! Stored states, from JSON to the current schema.

use terrace_port::{ProviderDiagnostic, ResourceState};
use terrace_schema::ResourceSchema;
use terrace_value::{Number, Text, Type, Value};

use super::check::broken;

/// The stored state as a value. Attributes that the schema does not have are dropped; those that the state lacks are null.
pub(crate) fn upgrade(
    state: &ResourceState,
    schema: &ResourceSchema,
) -> Result<Value, ProviderDiagnostic> {
    if state.schema_version > schema.version {
        return Err(broken(format!(
            "The state was stored with schema version {}, newer than {}.",
            state.schema_version, schema.version
        )));
    }
    let json = serde_json::from_slice(&state.json)
        .map_err(|error| broken(format!("The stored state is not JSON: {error}.")))?;
    from_json(&json, &schema.block.implied_type())
        .ok_or_else(|| broken("The stored state does not fit the schema."))
}

fn from_json(json: &serde_json::Value, ty: &Type) -> Option<Value> {
    use serde_json::Value as Json;
    let items = |items: &[Json], ty: &Type| {
        items
            .iter()
            .map(|item| from_json(item, ty))
            .collect::<Option<Vec<_>>>()
    };
    Some(match (json, ty) {
        (Json::Null, ty) => Value::null(ty.clone()),
        (Json::Bool(value), Type::Bool) => Value::bool(*value),
        (Json::Number(number), Type::Number) => Value::number(Number::parse(&number.to_string())?),
        (Json::String(text), Type::String) => Value::string(text.as_str()),
        (Json::Array(list), Type::List(element)) => {
            Value::list((**element).clone(), items(list, element)?)
        }
        (Json::Array(list), Type::Set(element)) => {
            Value::set((**element).clone(), items(list, element)?)
        }
        (Json::Object(map), Type::Map(element)) => {
            let entries = map
                .iter()
                .map(|(key, item)| Some((key.as_str(), from_json(item, element)?)));
            Value::map((**element).clone(), entries.collect::<Option<Vec<_>>>()?)
        }
        (Json::Object(map), Type::Object(object)) => {
            let attributes = object.attributes.iter().map(|(name, ty)| {
                let json = map.get(&**name).unwrap_or(&Json::Null);
                Some((Text::clone(name), from_json(json, ty)?))
            });
            Value::object(attributes.collect::<Option<Vec<_>>>()?)
        }
        (Json::Object(map), Type::Dynamic)
            if map.contains_key("type") && map.contains_key("value") =>
        {
            let ty = type_from_json(&map["type"])?;
            from_json(&map["value"], &ty)?
        }
        _ => return None,
    })
}

fn type_from_json(json: &serde_json::Value) -> Option<Type> {
    use serde_json::Value as Json;
    match json {
        Json::String(name) => match name.as_str() {
            "dynamic" => Some(Type::Dynamic),
            "bool" => Some(Type::Bool),
            "number" => Some(Type::Number),
            "string" => Some(Type::String),
            _ => None,
        },
        Json::Array(parts) => match (parts.first()?.as_str()?, parts.get(1)?) {
            ("list", element) => Some(Type::list(type_from_json(element)?)),
            ("set", element) => Some(Type::set(type_from_json(element)?)),
            ("map", element) => Some(Type::map(type_from_json(element)?)),
            ("tuple", Json::Array(types)) => Some(Type::tuple(
                types
                    .iter()
                    .map(type_from_json)
                    .collect::<Option<Vec<_>>>()?,
            )),
            ("object", Json::Object(types)) => {
                let types = types
                    .iter()
                    .map(|(name, ty)| Some((name.as_str(), type_from_json(ty)?)));
                Some(Type::object(types.collect::<Option<Vec<_>>>()?))
            }
            _ => None,
        },
        _ => None,
    }
}
