//! What came of a step, without what may differ from run to run.

use serde_json::{Map, Value, json};

/// What came of a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The exit code of the last command.
    pub exit: Option<i32>,
    /// What validation or planning said.
    pub diagnostics: Vec<Value>,
    /// What applying said, where it came to that.
    pub applied: Option<Vec<Value>>,
    /// The messages of the event stream, without texts and times, in an order of their own.
    pub events: Vec<Value>,
    /// The plan's document.
    pub plan: Option<Value>,
    /// The state afterwards.
    pub state: Option<Value>,
    /// The events that the provider wrote.
    pub world: Vec<String>,
    /// What should have been said and was not, with all that was said.
    pub unsaid: Vec<String>,
}

impl Answer {
    /// The answer as it is recorded.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("exit".into(), json!(self.exit));
        let mut put = |name: &str, value: Value| {
            let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
            if !empty {
                object.insert(name.into(), value);
            }
        };
        put("diagnostics", json!(self.diagnostics));
        put("applied", json!(self.applied));
        put("events", json!(self.events));
        put("plan", json!(self.plan));
        put("state", json!(self.state));
        put("world", json!(self.world));
        Value::Object(object)
    }
}

/// The diagnostics in an order of their own, with one product's name, without those about the way of installation.
pub(crate) fn diagnostics_of<'a>(diagnostics: impl IntoIterator<Item = &'a Value>) -> Vec<Value> {
    let mut found: Vec<Value> = diagnostics
        .into_iter()
        .filter(|diagnostic| {
            diagnostic["summary"] != "Provider development overrides are in effect"
        })
        .map(|diagnostic| {
            let mut kept = Map::new();
            for name in ["severity", "summary", "detail", "address"] {
                if let Some(value) = diagnostic.get(name) {
                    kept.insert(name.into(), renamed(value));
                }
            }
            if let Some(line) = diagnostic.pointer("/range/start/line") {
                kept.insert("line".into(), line.clone());
            }
            Value::Object(kept)
        })
        .collect();
    let text = |value: &Value, name: &str| value[name].to_string();
    found.sort_by_key(|found| {
        (
            text(found, "summary"),
            text(found, "line"),
            text(found, "detail"),
        )
    });
    found
}

/// Leaves out the places of diagnostics that were not expected to name one: to say more is no fault.
pub fn without_further_places(expected: &Value, got: &mut Value) {
    let (Some(expected), Some(got)) = (expected.as_array(), got.as_array_mut()) else {
        return;
    };
    for (expected, got) in expected.iter().zip(got) {
        for name in ["address", "line"] {
            if let Some(got) = got.as_object_mut()
                && expected.get(name).is_none()
            {
                got.remove(name);
            }
        }
    }
}

/// The same with one product's name in all texts.
fn renamed(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(
            text.replace("Terraform", "Terrace")
                .replace("terraform", "terrace"),
        ),
        Value::Array(items) => items.iter().map(renamed).collect(),
        Value::Object(items) => items
            .iter()
            .map(|(name, value)| (name.clone(), renamed(value)))
            .collect(),
        other => other.clone(),
    }
}

/// The messages of an event stream that tell of resources, in an order of their own.
pub(crate) fn events_of(stream: &[Value]) -> Vec<Value> {
    let mut found: Vec<Value> = stream
        .iter()
        .filter(|message| {
            let kind = message["type"].as_str().unwrap_or_default();
            !matches!(kind, "version" | "log" | "diagnostic") && !kind.ends_with("_progress")
        })
        .map(|message| {
            let mut kept = Map::new();
            for (name, value) in message.as_object().into_iter().flatten() {
                if !name.starts_with('@') {
                    kept.insert(name.clone(), timeless(value));
                }
            }
            Value::Object(kept)
        })
        .collect();
    found.sort_by_key(Value::to_string);
    found
}

fn timeless(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(object) = value.as_object_mut() {
        object.remove("elapsed_seconds");
    }
    value
}

/// A plan's document without what differs from run to run, and without the configuration, which is no provider's matter.
pub(crate) fn normal_plan(mut plan: Value) -> Value {
    if let Some(object) = plan.as_object_mut() {
        for name in [
            "terraform_version",
            "timestamp",
            "variables",
            "configuration",
        ] {
            object.remove(name);
        }
        if let Some(prior) = object.get_mut("prior_state").and_then(Value::as_object_mut) {
            prior.remove("terraform_version");
        }
        if let Some(Value::Array(items)) = object.get_mut("relevant_attributes") {
            items.sort_by_key(Value::to_string);
        }
    }
    plan
}

/// The state where nothing was ever written.
pub(crate) fn empty_state() -> Value {
    json!({ "check_results": null, "outputs": {}, "resources": [], "version": 4 })
}

/// A state without what differs from run to run, or between languages: the provider's private bytes.
pub(crate) fn normal_state(mut state: Value, identity: bool) -> Value {
    if let Some(object) = state.as_object_mut() {
        for name in ["terraform_version", "lineage", "serial"] {
            object.remove(name);
        }
    }
    let resources = state["resources"].as_array_mut();
    for resource in resources.into_iter().flatten() {
        let instances = resource["instances"].as_array_mut();
        for instance in instances.into_iter().flatten() {
            let Some(instance) = instance.as_object_mut() else {
                continue;
            };
            instance.remove("private");
            if let Some(Value::Array(paths)) = instance.get_mut("sensitive_attributes") {
                paths.sort_by_key(Value::to_string);
            }
            if !identity {
                instance.remove("identity");
                instance.remove("identity_schema_version");
            }
        }
    }
    state
}
