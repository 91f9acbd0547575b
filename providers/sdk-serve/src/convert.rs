//! Values, paths and diagnostics to and from messages, from the provider's side.

use terrace_port::ProviderDiagnostic;
use terrace_provider_protocol::tfplugin6 as p6;
use terrace_value::{Number, Path, PathStep, Type, Value, json, msgpack};
use tonic::Status;

/// What is sent for a value that is not of its type: bytes that are no MessagePack.
const NONSENSE: [u8; 1] = [0xc1];

/// A value as a message. One that is not of the type goes out as nonsense: a script asked for that.
pub(crate) fn encode(value: &Value, ty: &Type) -> p6::DynamicValue {
    let msgpack = msgpack::encode(value, ty).unwrap_or_else(|_| NONSENSE.to_vec());
    p6::DynamicValue {
        msgpack,
        json: Vec::new(),
    }
}

pub(crate) fn decode(message: Option<&p6::DynamicValue>, ty: &Type) -> Result<Value, Status> {
    let invalid =
        |error: String| Status::invalid_argument(format!("a value cannot be read: {error}"));
    match message {
        Some(message) if !message.msgpack.is_empty() => {
            msgpack::decode(&message.msgpack, ty).map_err(|error| invalid(error.to_string()))
        }
        Some(message) if !message.json.is_empty() => {
            json::decode(&String::from_utf8_lossy(&message.json), ty)
                .map_err(|error| invalid(error.to_string()))
        }
        _ => Err(invalid("it is missing".into())),
    }
}

pub(crate) fn diagnostics(list: Vec<ProviderDiagnostic>) -> Vec<p6::Diagnostic> {
    let one = |diagnostic: ProviderDiagnostic| p6::Diagnostic {
        severity: if diagnostic.error {
            p6::diagnostic::Severity::Error.into()
        } else {
            p6::diagnostic::Severity::Warning.into()
        },
        summary: diagnostic.summary,
        detail: diagnostic.detail,
        attribute: diagnostic.attribute.as_ref().map(path),
    };
    list.into_iter().map(one).collect()
}

pub(crate) fn path(path: &Path) -> p6::AttributePath {
    use p6::attribute_path::step::Selector;
    let step = |step: &PathStep| {
        let selector = match step {
            PathStep::Attribute(name) => Selector::AttributeName(name.to_string()),
            PathStep::Index(key) => match key.as_str() {
                Some(text) => Selector::ElementKeyString(text.into()),
                None => Selector::ElementKeyInt(key.as_number().and_then(Number::to_i64)?),
            },
        };
        Some(p6::attribute_path::Step {
            selector: Some(selector),
        })
    };
    p6::AttributePath {
        steps: path.0.iter().map_while(step).collect(),
    }
}
