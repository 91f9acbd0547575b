//! What policies are shown.

use std::collections::BTreeMap;

use crate::rewrite::original_name;
use regorus::Value as RegoValue;
use serde_json::{Map, Value, json};

/// What is known of a run beside its plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// The environment, if one was chosen.
    pub environment: Option<String>,
    /// The stack's folder below the project file.
    pub stack: Option<String>,
    /// The workspace.
    pub workspace: String,
    /// Who made the plan: a listed person's name, else whom the machine calls so.
    pub actor: String,
    /// `normal`, `standard` or `emergency`.
    pub change: String,
    /// The commit that the plan was made from.
    pub commit: Option<String>,
    /// RFC 3339 time of the plan, in UTC.
    pub time: String,
    /// What the run states: purpose, impact, rollback and so on.
    pub statements: BTreeMap<String, String>,
}

/// The document that policies see as `input`: the plan's JSON, as `show -json` prints it and as conftest's policies expect it,
/// with the circumstances in the member `terrace`.
pub fn input(plan: Value, circumstances: &Circumstances) -> Value {
    let mut document = match plan {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let known = json!({
        "environment": circumstances.environment,
        "stack": circumstances.stack,
        "workspace": circumstances.workspace,
        "actor": circumstances.actor,
        "change": circumstances.change,
        "commit": circumstances.commit,
        "time": circumstances.time,
        "statements": circumstances.statements,
    });
    document.insert("terrace".to_owned(), known);
    Value::Object(document)
}

/// As regorus holds values. Numbers keep their digits.
pub(crate) fn to_rego(value: &Value) -> RegoValue {
    match value {
        Value::Null => RegoValue::Null,
        Value::Bool(value) => RegoValue::from(*value),
        Value::Number(number) => {
            RegoValue::from_numeric_string(&number.to_string()).unwrap_or(RegoValue::Undefined)
        }
        Value::String(text) => RegoValue::from(text.as_str()),
        Value::Array(items) => items.iter().map(to_rego).collect::<Vec<_>>().into(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (RegoValue::from(name.as_str()), to_rego(value)))
            .collect::<BTreeMap<_, _>>()
            .into(),
    }
}

/// As JSON: sets become lists, keys that are no texts their JSON.
pub(crate) fn from_rego(value: &RegoValue) -> Result<Value, String> {
    if *value == RegoValue::Undefined {
        return Ok(Value::Null);
    }
    let text = value.to_json_str().map_err(|error| error.to_string())?;
    let value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    Ok(with_original_names(value))
}

/// With the names that rules had before they were written otherwise for regorus.
fn with_original_names(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(with_original_names).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| {
                let name = original_name(&name).to_owned();
                (name, with_original_names(value))
            })
            .collect(),
        other => other,
    }
}
