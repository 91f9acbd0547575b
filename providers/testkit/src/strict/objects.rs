//! What a `test_object` becomes: planned values, requirements of a replacement, values after apply.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_port::ProviderDiagnostic;
use terrace_schema::{Attribute, AttributeType, Block, Nesting};
use terrace_value::{Kind, Path, Text, Type, Value};

use super::check::broken;

/// The planned value of a create or an update.
pub(crate) fn planned(prior: &Value, proposed: &Value, config: &Value, block: &Block) -> Value {
    let creating = prior.is_null();
    let mut attributes = entries(proposed);
    for (name, attribute) in &block.attributes {
        let set = config.get(name).is_some_and(|value| !value.is_null());
        let value = attributes
            .get(name)
            .cloned()
            .unwrap_or_else(|| Value::null(attribute.value_type()));
        let value = if attribute.write_only {
            Value::null(attribute.value_type())
        } else if creating && attribute.computed && !set {
            Value::unknown(attribute.value_type())
        } else if let AttributeType::Nested(nested) = &attribute.ty {
            with_generated_unknown(&value, nested.nesting)
        } else {
            value
        };
        attributes.insert(name.clone(), value);
    }
    let value = Value::object(attributes);
    if creating || !changed(prior, &value) {
        return value;
    }
    let mut attributes = entries(&value);
    attributes.insert("revision".into(), Value::unknown(Type::Number));
    if !replaced(prior, &value).is_empty() {
        // A replacement is planned again from nothing; this plan only says that there must be one.
        attributes.insert("id".into(), Value::unknown(Type::String));
    }
    Value::object(attributes)
}

fn entries(value: &Value) -> BTreeMap<Text, Value> {
    value.as_entries().cloned().unwrap_or_default()
}

fn changed(prior: &Value, planned: &Value) -> bool {
    prior != planned
}

/// The attributes that ask for a replacement.
pub(crate) fn replaced(prior: &Value, planned: &Value) -> Vec<Path> {
    if prior.is_null() || prior.get("immutable") == planned.get("immutable") {
        return Vec::new();
    }
    vec![Path::root().attribute("immutable")]
}

fn with_generated_unknown(value: &Value, nesting: Nesting) -> Value {
    map_nested(value, nesting, &|_, object| {
        let mut attributes = entries(object);
        if attributes.get("generated").is_none_or(Value::is_null) {
            attributes.insert("generated".into(), Value::unknown(Type::String));
        }
        Value::object(attributes)
    })
}

fn with_generated_known(value: &Value, nesting: Nesting, id: &str) -> Value {
    map_nested(value, nesting, &|key, object| {
        let mut attributes = entries(object);
        if attributes
            .get("generated")
            .is_some_and(|value| !value.is_known())
        {
            attributes.insert(
                "generated".into(),
                Value::string(format!("generated-{id}{key}")),
            );
        }
        Value::object(attributes)
    })
}

/// Changes each object of a nested attribute that is known; `change` is told the object's key, such as `-0`.
fn map_nested(value: &Value, nesting: Nesting, change: &dyn Fn(&str, &Value) -> Value) -> Value {
    let change = |key: &str, item: &Value| match item.kind() {
        Kind::Object(_) => change(key, item),
        _ => item.clone(),
    };
    match (nesting, value.kind()) {
        (Nesting::Single, _) => change("", value),
        (_, Kind::List(ty, items)) => {
            let items: Arc<[Value]> = items
                .iter()
                .enumerate()
                .map(|(index, item)| change(&format!("-{index}"), item))
                .collect();
            Value::from_kind(Kind::List(ty.clone(), items))
        }
        (_, Kind::Map(ty, items)) => {
            let items = items
                .iter()
                .map(|(key, item)| (key.clone(), change(&format!("-{key}"), item)))
                .collect();
            Value::from_kind(Kind::Map(ty.clone(), Arc::new(items)))
        }
        _ => value.clone(),
    }
}

/// The value after apply: what was planned, with what only the provider knows put in. Unknown anywhere else is refused.
pub(crate) fn applied(prior: &Value, planned: &Value, block: &Block, id: &str) -> Value {
    let revision = prior
        .get("revision")
        .and_then(Value::as_number)
        .and_then(terrace_value::Number::to_i64)
        .map_or(1, |revision| revision + 1);
    let mut attributes = entries(planned);
    for (name, attribute) in &block.attributes {
        let Some(value) = attributes.get(name) else {
            continue;
        };
        let value = match (&attribute.ty, &**name) {
            (AttributeType::Nested(nested), _) => with_generated_known(value, nested.nesting, id),
            _ if value.is_known() => continue,
            (_, "id") => Value::string(id),
            (_, "revision") => Value::int(revision),
            (_, "computed") => Value::string(format!("computed-{id}")),
            _ => continue,
        };
        attributes.insert(name.clone(), value);
    }
    Value::object(attributes)
}

/// Refuses a plan that sets anything but what the configuration says and what the provider is to find out.
pub(crate) fn follows_config(
    planned: &Value,
    config: &Value,
    block: &Block,
) -> Result<(), ProviderDiagnostic> {
    let of_config = |attribute: &Attribute| {
        !attribute.computed
            && !attribute.write_only
            && matches!(attribute.ty, AttributeType::Plain(_))
    };
    for (name, _) in block
        .attributes
        .iter()
        .filter(|(_, attribute)| of_config(attribute))
    {
        if planned.get(name) != config.get(name) {
            return Err(broken(format!(
                "The planned {name:?} is not what the configuration says."
            ))
            .at(Path::root().attribute(name.clone())));
        }
    }
    for name in block.blocks.keys() {
        if planned.get(name) != config.get(name) {
            return Err(broken(format!(
                "The planned block {name:?} is not what the configuration says."
            ))
            .at(Path::root().attribute(name.clone())));
        }
    }
    Ok(())
}
