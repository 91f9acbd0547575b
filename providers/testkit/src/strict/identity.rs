//! Identities, and objects that were of another type.

use std::sync::Arc;

use serde_json::Value as Json;
use terrace_port::{MoveRequest, ProviderDiagnostic, ResourceState};
use terrace_value::{Path, Type, Value, json};

use super::check::broken;

/// The id that an identity names; its region must be the one there is.
pub(crate) fn id_of(identity: &Value) -> Result<String, ProviderDiagnostic> {
    if let Some(region) = identity.get("region").and_then(Value::as_str)
        && region != "here"
    {
        let detail = format!("There is no region {region:?}.");
        return Err(ProviderDiagnostic::error("Unknown region", detail)
            .at(Path::root().attribute("region")));
    }
    identity
        .get("id")
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| broken("The identity lacks \"id\", which an import requires."))
}

/// Brings an identity to version 1. Version 0 had a `name` for the `id`.
pub(crate) fn upgrade(identity: &ResourceState, ty: &Type) -> Result<Value, ProviderDiagnostic> {
    let mut stored: Json = serde_json::from_slice(&identity.json)
        .map_err(|error| broken(format!("The stored identity is not JSON: {error}.")))?;
    if let (0, Some(parts)) = (identity.schema_version, stored.as_object_mut()) {
        if let Some(name) = parts.remove("name") {
            parts.insert("id".to_owned(), name);
        }
    }
    json::decode(&stored.to_string(), ty)
        .map_err(|error| broken(format!("The stored identity does not fit: {error}.")))
}

/// The id and the label of a `test_widget` that is to be a `test_object`.
pub(crate) fn widget(request: &MoveRequest) -> Result<(String, Json), ProviderDiagnostic> {
    let refused = |detail: String| ProviderDiagnostic::error("Unsupported move", detail);
    if &*request.source.type_name != "test_widget" || &*request.target_type_name != "test_object" {
        return Err(refused(format!(
            "A {} cannot become a {}.",
            request.source.type_name, request.target_type_name
        )));
    }
    let stored: Json = serde_json::from_slice(&request.source.json)
        .map_err(|error| broken(format!("The stored state is not JSON: {error}.")))?;
    let id = stored["id"]
        .as_str()
        .ok_or_else(|| broken("The state to be moved has no id."))?;
    if *request.source_private != *super::check::object_token(id) {
        return Err(broken(format!(
            "The private bytes of {id:?} were lost on the way."
        )));
    }
    Ok((id.to_owned(), stored))
}

/// The attributes that a `test_object` takes from a `test_widget`.
pub(crate) fn taken_over(stored: &Json) -> [(&'static str, Value); 4] {
    let text = |name: &str| match stored[name].as_str() {
        Some(text) => Value::string(text),
        None => Value::null(Type::String),
    };
    let revision = stored["revision"]
        .as_i64()
        .map_or(Value::null(Type::Number), Value::int);
    [
        ("id", text("id")),
        ("revision", revision),
        ("computed", text("label")),
        ("string", text("string")),
    ]
}

/// The text of a value's attributes.
pub(crate) fn attributes_of(value: &Value) -> Arc<[u8]> {
    json::encode(value, &value.ty())
        .unwrap_or_else(|_| "{}".to_owned())
        .into_bytes()
        .into()
}
