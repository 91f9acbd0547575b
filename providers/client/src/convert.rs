//! Values, paths and diagnostics to and from their messages.

use terrace_port::ProviderDiagnostic;
use terrace_provider_protocol::tfplugin6 as p6;
use terrace_value::{Path, Type, Value, json, msgpack};

/// A value of a type as a message.
pub(crate) fn encode(value: &Value, ty: &Type) -> Result<p6::DynamicValue, String> {
    let msgpack = msgpack::encode(value, ty).map_err(|error| error.to_string())?;
    Ok(p6::DynamicValue {
        msgpack,
        json: Vec::new(),
    })
}

/// A value of a type from a message; null where there is none.
pub(crate) fn decode(message: Option<&p6::DynamicValue>, ty: &Type) -> Result<Value, String> {
    match message {
        Some(message) if !message.msgpack.is_empty() => {
            msgpack::decode(&message.msgpack, ty).map_err(|error| error.to_string())
        }
        Some(message) if !message.json.is_empty() => {
            json::decode(text(&message.json)?, ty).map_err(|error| error.to_string())
        }
        _ => Ok(Value::null(ty.clone())),
    }
}

/// A type from its JSON.
pub(crate) fn type_from_json(bytes: &[u8]) -> Result<Type, String> {
    json::decode_type(text(bytes)?).map_err(|error| error.to_string())
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|error| format!("the JSON is not UTF-8: {error}"))
}

/// What the provider said. A remark of no known severity is an error, so that nothing is lost.
pub(crate) fn diagnostics(list: Vec<p6::Diagnostic>) -> Vec<ProviderDiagnostic> {
    let one = |message: p6::Diagnostic| ProviderDiagnostic {
        error: message.severity() != p6::diagnostic::Severity::Warning,
        attribute: message
            .attribute
            .as_ref()
            .map(path)
            .filter(|path| !path.is_root()),
        summary: message.summary,
        detail: message.detail,
    };
    list.into_iter().map(one).collect()
}

/// A path; it ends before a step that says nothing.
pub(crate) fn path(message: &p6::AttributePath) -> Path {
    use p6::attribute_path::step::Selector;
    let mut path = Path::root();
    for step in &message.steps {
        path = match &step.selector {
            Some(Selector::AttributeName(name)) => path.attribute(name.as_str()),
            Some(Selector::ElementKeyString(key)) => path.index(Value::string(key.as_str())),
            Some(Selector::ElementKeyInt(index)) => path.index(Value::int(*index)),
            None => return path,
        };
    }
    path
}
