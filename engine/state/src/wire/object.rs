//! The parts of an object that states and journals store alike.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use terrace_value::{Number, Path, PathStep, Value};

use crate::StateError;

#[derive(Serialize, Deserialize)]
struct StepForm<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    value: &'a RawValue,
}

#[derive(Serialize, Deserialize)]
struct KeyForm<'a> {
    #[serde(borrow)]
    value: &'a RawValue,
    #[serde(rename = "type")]
    ty: &'a str,
}

/// Reads a list of paths.
pub(crate) fn read_paths(raw: Option<&RawValue>) -> Result<Vec<Path>, StateError> {
    let Some(raw) = raw else {
        return Ok(Vec::new());
    };
    if raw.get() == "[]" || raw.get() == "null" {
        return Ok(Vec::new());
    }
    let paths: Vec<Vec<StepForm<'_>>> = serde_json::from_str(raw.get()).map_err(|error| {
        StateError::invalid(format!(
            "A list of sensitive attributes cannot be read: {error}."
        ))
    })?;
    paths
        .iter()
        .map(|steps| {
            steps
                .iter()
                .map(read_step)
                .collect::<Result<_, _>>()
                .map(Path)
        })
        .collect()
}

fn read_step(step: &StepForm<'_>) -> Result<PathStep, StateError> {
    let bad = |what: &str| {
        StateError::invalid(format!(
            "The path of a sensitive attribute cannot be read: {what}."
        ))
    };
    match step.kind {
        "get_attr" => {
            let name: String =
                serde_json::from_str(step.value.get()).map_err(|error| bad(&error.to_string()))?;
            Ok(PathStep::Attribute(name.into()))
        }
        "index" => {
            let key: KeyForm<'_> =
                serde_json::from_str(step.value.get()).map_err(|error| bad(&error.to_string()))?;
            match key.ty {
                "string" => {
                    let text: String = serde_json::from_str(key.value.get())
                        .map_err(|error| bad(&error.to_string()))?;
                    Ok(PathStep::Index(Value::string(text)))
                }
                "number" => {
                    let digits = key.value.get().trim_matches('"');
                    let number =
                        Number::parse(digits).ok_or_else(|| bad("an index is not a number"))?;
                    Ok(PathStep::Index(Value::number(number)))
                }
                _ => Err(bad("an index is neither a number nor a string")),
            }
        }
        other => Err(bad(&format!("a step of the unknown type {other:?}"))),
    }
}

/// The JSON text of a list of paths. A path through a set's element ends at the set, since only numbers and strings can be stored.
pub(crate) fn write_paths(paths: &[Path]) -> Box<RawValue> {
    let mut out = String::from("[");
    for (index, path) in paths.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push('[');
        for (index, step) in path.0.iter().enumerate() {
            let Some(text) = step_text(step) else { break };
            if index > 0 {
                out.push(',');
            }
            out.push_str(&text);
        }
        out.push(']');
    }
    out.push(']');
    raw(out)
}

fn step_text(step: &PathStep) -> Option<String> {
    Some(match step {
        PathStep::Attribute(name) => {
            format!(r#"{{"type":"get_attr","value":{}}}"#, json_string(name))
        }
        PathStep::Index(key) => {
            let (value, ty) = match (key.as_str(), key.as_number()) {
                (Some(text), _) => (json_string(text), "string"),
                (None, Some(number)) => (number.to_string(), "number"),
                (None, None) => return None,
            };
            format!(r#"{{"type":"index","value":{{"value":{value},"type":"{ty}"}}}}"#)
        }
    })
}

pub(super) fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Text that is known to be JSON, as a value of its own.
pub(super) fn raw(text: String) -> Box<RawValue> {
    RawValue::from_string(text).expect("the text was written as JSON")
}

/// An object's attributes as a value of their own, without copying them. Bytes that are no JSON (nothing in the engine writes such) become null.
pub(crate) fn raw_attributes(bytes: &Arc<[u8]>) -> &RawValue {
    serde_json::from_slice(bytes).unwrap_or(RawValue::NULL)
}

/// A top-level attribute that is a string; `None` when it is not there or no string.
pub(crate) fn text_attribute(attributes: &Arc<[u8]>, name: &str) -> Option<String> {
    let fields: std::collections::BTreeMap<std::borrow::Cow<'_, str>, &RawValue> =
        serde_json::from_slice(attributes).ok()?;
    serde_json::from_str(fields.get(name)?.get()).ok()
}
