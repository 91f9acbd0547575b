//! `ignore_changes`: what configuration asks for, less what it is to ignore.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_config::IgnoreChanges;
use terrace_schema::Block;
use terrace_syntax::{Step, Traversal};
use terrace_value::{Kind, Number, PathStep, Text, Value};

/// The configuration with what is ignored taken from the object as it is.
pub fn ignore_changes(
    rules: &IgnoreChanges,
    schema: &Block,
    prior: &Value,
    config: &Value,
) -> Value {
    if prior.is_null() || config.is_null() {
        return config.clone();
    }
    match rules {
        IgnoreChanges::None => config.clone(),
        IgnoreChanges::All => configurable(schema, prior),
        IgnoreChanges::These(traversals) => {
            traversals.iter().fold(config.clone(), |config, traversal| {
                let steps = steps(traversal);
                replace(&config, Some(prior), &steps).unwrap_or(config)
            })
        }
    }
}

/// The steps of a relative traversal; a splat ends it, so that all elements are meant.
fn steps(traversal: &Traversal) -> Vec<PathStep> {
    let first = PathStep::Attribute(traversal.root.name.clone());
    let rest = traversal.steps.iter().map_while(|step| match step {
        Step::Attribute(ident) => Some(PathStep::Attribute(ident.name.clone())),
        Step::Index { key, .. } => Some(PathStep::Index(key.clone())),
        Step::Splat { .. } => None,
    });
    std::iter::once(first).chain(rest).collect()
}

/// `config` with the part at `steps` as it is in `prior`; `None` where the path leads nowhere in both.
fn replace(config: &Value, prior: Option<&Value>, steps: &[PathStep]) -> Option<Value> {
    let Some((step, rest)) = steps.split_first() else {
        return prior.cloned();
    };
    let marks = config.marks();
    let kind = match config.kind() {
        Kind::Object(entries) => {
            let name = key_text(step)?;
            let old = prior.and_then(|prior| prior.get(&name));
            let mut entries = (**entries).clone();
            let new = replace(entries.get(&name)?, old, rest)?;
            entries.insert(name, new);
            Kind::Object(Arc::new(entries))
        }
        Kind::Map(element, entries) => {
            let name = key_text(step)?;
            let old = prior.and_then(|prior| prior.get(&name));
            Kind::Map(
                element.clone(),
                Arc::new(replace_entry(entries, &name, old, rest)?),
            )
        }
        // A map that configuration leaves out, of which one element is to stay as it is.
        Kind::Null(_) if prior.is_some_and(|prior| matches!(prior.kind(), Kind::Map(..))) => {
            let Some(Kind::Map(element, _)) = prior.map(Value::kind) else {
                return None;
            };
            let name = key_text(step)?;
            let old = prior.and_then(|prior| prior.get(&name))?;
            Kind::Map(
                element.clone(),
                Arc::new(BTreeMap::from([(name, old.clone())])),
            )
        }
        Kind::List(element, items) => {
            let (index, old) = list_item(items, prior, step)?;
            let mut items = items.to_vec();
            items[index] = replace(&items[index], old, rest)?;
            Kind::List(element.clone(), items.into())
        }
        Kind::Tuple(items) => {
            let (index, old) = list_item(items, prior, step)?;
            let mut items = items.to_vec();
            items[index] = replace(&items[index], old, rest)?;
            Kind::Tuple(items.into())
        }
        _ => return None,
    };
    Some(Value::from_kind(kind).with_marks(marks))
}

fn replace_entry(
    entries: &BTreeMap<Text, Value>,
    name: &Text,
    old: Option<&Value>,
    rest: &[PathStep],
) -> Option<BTreeMap<Text, Value>> {
    let mut entries = entries.clone();
    let new = match entries.get(name) {
        Some(current) if !rest.is_empty() => Some(replace(current, old, rest)?),
        _ => old.cloned(),
    };
    match new {
        Some(new) => entries.insert(name.clone(), new),
        None => entries.remove(name),
    };
    Some(entries)
}

fn list_item<'a>(
    items: &[Value],
    prior: Option<&'a Value>,
    step: &PathStep,
) -> Option<(usize, Option<&'a Value>)> {
    let PathStep::Index(key) = step else {
        return None;
    };
    let index = key
        .as_number()
        .and_then(Number::to_usize)
        .filter(|index| *index < items.len())?;
    let old = prior
        .and_then(Value::as_sequence)
        .and_then(|old| old.get(index));
    old.is_some().then_some((index, old))
}

fn key_text(step: &PathStep) -> Option<Text> {
    match step {
        PathStep::Attribute(name) => Some(name.clone()),
        PathStep::Index(key) => key.as_str().map(Text::from),
    }
}

/// An object as a configuration that asks for it as it is: what only the provider sets is left out.
fn configurable(schema: &Block, prior: &Value) -> Value {
    let Kind::Object(entries) = prior.kind() else {
        return prior.clone();
    };
    let entries = entries.iter().map(|(name, value)| {
        let computed_only = schema.attributes.get(name).is_some_and(|attribute| {
            attribute.computed && !attribute.optional && !attribute.required
        });
        let nested = schema.blocks.get(name);
        let value = match nested {
            _ if computed_only => Value::null(value.ty()),
            Some(nested) => configurable_block(&nested.block, value),
            None => value.clone(),
        };
        (name.clone(), value)
    });
    Value::object(entries).with_marks(prior.marks())
}

fn configurable_block(schema: &Block, value: &Value) -> Value {
    let marks = value.marks();
    let kind = match value.kind() {
        Kind::Object(_) => return configurable(schema, value),
        Kind::List(ty, items) => Kind::List(
            ty.clone(),
            items
                .iter()
                .map(|item| configurable(schema, item))
                .collect(),
        ),
        Kind::Tuple(items) => Kind::Tuple(
            items
                .iter()
                .map(|item| configurable(schema, item))
                .collect(),
        ),
        Kind::Set(ty, items) => {
            return Value::set(
                ty.clone(),
                items.iter().map(|item| configurable(schema, item)),
            )
            .with_marks(marks);
        }
        Kind::Map(ty, entries) => Kind::Map(
            ty.clone(),
            Arc::new(
                entries
                    .iter()
                    .map(|(key, item)| (key.clone(), configurable(schema, item)))
                    .collect(),
            ),
        ),
        kind => kind.clone(),
    };
    Value::from_kind(kind).with_marks(marks)
}

#[cfg(test)]
mod tests {
    use terrace_value::Type;

    use super::*;

    fn object(entries: &[(&str, &str)]) -> Value {
        Value::map(
            Type::String,
            entries
                .iter()
                .map(|(key, value)| (*key, Value::string(*value))),
        )
    }

    fn path(names: &[&str]) -> Vec<PathStep> {
        let (first, rest) = names.split_first().expect("a path has a root");
        std::iter::once(PathStep::Attribute(Text::from(*first)))
            .chain(
                rest.iter()
                    .map(|name| PathStep::Index(Value::string(*name))),
            )
            .collect()
    }

    #[test]
    fn an_ignored_attribute_stays() {
        let prior = Value::object([("input", Value::string("old")), ("b", Value::int(1))]);
        let config = Value::object([("input", Value::string("new")), ("b", Value::int(2))]);
        let ignored = replace(&config, Some(&prior), &path(&["input"]));
        assert_eq!(
            ignored,
            Some(Value::object([
                ("input", Value::string("old")),
                ("b", Value::int(2))
            ]))
        );
    }

    #[test]
    fn an_ignored_key_is_kept_added_and_removed() {
        let prior = Value::object([("tags", object(&[("kept", "old"), ("gone", "x")]))]);
        let config = Value::object([("tags", object(&[("kept", "new"), ("added", "y")]))]);
        let keep = |name: &str| replace(&config, Some(&prior), &path(&["tags", name]));
        assert_eq!(
            keep("kept"),
            Some(Value::object([(
                "tags",
                object(&[("kept", "old"), ("added", "y")])
            )]))
        );
        assert_eq!(
            keep("gone"),
            Some(Value::object([(
                "tags",
                object(&[("kept", "new"), ("added", "y"), ("gone", "x")])
            )]))
        );
        assert_eq!(
            keep("added"),
            Some(Value::object([("tags", object(&[("kept", "new")]))]))
        );
    }
}
