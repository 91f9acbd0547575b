//! Signatures of functions, as editors and other tools read them.

use serde_json::{Map, Value as Json, json};
use terrace_functions::{Function, FunctionTable, Parameter};
use terrace_value::json::encode_type;

/// The form that signatures are given in.
const FORMAT_VERSION: &str = "1.0";

/// All functions by name, each with and without the prefix `core::`, as one line of JSON.
pub(crate) fn signatures(functions: &FunctionTable) -> String {
    let mut signatures = Map::new();
    for prefix in ["", "core::"] {
        for function in functions.iter() {
            signatures.insert(format!("{prefix}{}", function.name), signature(function));
        }
    }
    json!({ "format_version": FORMAT_VERSION, "function_signatures": signatures }).to_string()
}

fn signature(function: &Function) -> Json {
    let mut signature = Map::new();
    signature.insert("description".into(), function.description.into());
    signature.insert(
        "return_type".into(),
        type_of(&function.declared_result_type()),
    );
    if !function.parameters.is_empty() {
        let parameters = function.parameters.iter().map(parameter).collect();
        signature.insert("parameters".into(), Json::Array(parameters));
    }
    if let Some(variadic) = &function.variadic {
        signature.insert("variadic_parameter".into(), parameter(variadic));
    }
    signature.into()
}

fn parameter(parameter: &Parameter) -> Json {
    let mut shown = Map::new();
    shown.insert("name".into(), parameter.name.into());
    if !parameter.description.is_empty() {
        shown.insert("description".into(), parameter.description.into());
    }
    if parameter.allow_null {
        shown.insert("is_nullable".into(), true.into());
    }
    shown.insert("type".into(), type_of(&parameter.ty));
    shown.into()
}

fn type_of(ty: &terrace_value::Type) -> Json {
    serde_json::from_str(&encode_type(ty)).unwrap_or_default()
}
