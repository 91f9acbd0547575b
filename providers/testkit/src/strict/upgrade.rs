//! Stored states, from JSON to the current schema.

use serde_json::Value as Json;
use terrace_port::{ProviderDiagnostic, ResourceState};
use terrace_schema::ResourceSchema;
use terrace_value::{Type, Value, json};

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
    let mut stored = serde_json::from_slice(&state.json)
        .map_err(|error| broken(format!("The stored state is not JSON: {error}.")))?;
    let ty = schema.block.implied_type();
    drop_strangers(&mut stored, &ty);
    json::decode(&stored.to_string(), &ty).map_err(|error| {
        broken(format!(
            "The stored state does not fit the schema: {error}."
        ))
    })
}

/// Drops attributes that the type does not have.
fn drop_strangers(stored: &mut Json, ty: &Type) {
    match (stored, ty) {
        (Json::Object(attributes), Type::Object(object)) => {
            attributes.retain(|name, _| object.attributes.contains_key(&**name));
            for (name, attribute) in attributes {
                drop_strangers(attribute, &object.attributes[&**name]);
            }
        }
        (Json::Array(items), Type::List(element) | Type::Set(element)) => {
            for item in items {
                drop_strangers(item, element);
            }
        }
        (Json::Object(items), Type::Map(element)) => {
            for item in items.values_mut() {
                drop_strangers(item, element);
            }
        }
        _ => {}
    }
}
