//! Changes to the attributes of a value, wherever its schema has them.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_value::{Kind, Path, Text, Value};

use crate::parts::{keyed, with_elements};
use crate::{Attribute, Block, BlockNesting, Nesting};

/// `value` with every computed attribute that is null made unknown.
#[must_use]
pub fn set_unknowns(schema: &Block, value: &Value) -> Value {
    transform_block(schema, value, &mut |attribute, value| {
        (attribute.computed && value.is_null())
            .then(|| Value::unknown(attribute.value_type()).with_marks(value.marks()))
    })
}

/// `value` with every write-only attribute null, as it may be stored.
#[must_use]
pub fn without_write_only(schema: &Block, value: &Value) -> Value {
    if !schema.contains_write_only() {
        return value.clone();
    }
    transform_block(schema, value, &mut |attribute, _| {
        attribute.write_only.then(|| attribute.empty_value())
    })
}

/// Paths of the write-only attributes of `value` that are not null. Those within elements of a set are named by the
/// element.
pub fn write_only_paths(schema: &Block, value: &Value) -> Vec<Path> {
    let mut paths = Vec::new();
    if schema.contains_write_only() {
        find_in_block(schema, value, &Path::root(), &mut paths);
    }
    paths
}

/// Replaces attributes for which `change` has another value; other nested attributes are gone into.
fn transform_block(
    schema: &Block,
    value: &Value,
    change: &mut impl FnMut(&Attribute, &Value) -> Option<Value>,
) -> Value {
    let Kind::Object(entries) = value.kind() else {
        return value.clone();
    };
    let mut parts = BTreeMap::clone(entries);
    transform_attributes(&schema.attributes, &mut parts, change);
    for (name, nested) in &schema.blocks {
        let Some(content) = parts.get_mut(name) else {
            continue;
        };
        *content = match nested.nesting {
            BlockNesting::Single | BlockNesting::Group => {
                transform_block(&nested.block, content, change)
            }
            BlockNesting::List | BlockNesting::Map | BlockNesting::Set => {
                let items = elements(content)
                    .map(|item| transform_block(&nested.block, item, change))
                    .collect();
                with_elements(content, items)
            }
        };
    }
    Value::from_kind(Kind::Object(Arc::new(parts))).with_marks(value.marks())
}

fn transform_attributes(
    schema: &BTreeMap<Text, Attribute>,
    parts: &mut BTreeMap<Text, Value>,
    change: &mut impl FnMut(&Attribute, &Value) -> Option<Value>,
) {
    for (name, attribute) in schema {
        let Some(value) = parts.get_mut(name) else {
            continue;
        };
        if let Some(changed) = change(attribute, value) {
            *value = changed;
        } else if let Some(nested) = attribute.nested() {
            *value = match nested.nesting {
                Nesting::Single => transform_object(&nested.attributes, value, change),
                Nesting::List | Nesting::Map | Nesting::Set => {
                    let items = elements(value)
                        .map(|item| transform_object(&nested.attributes, item, change))
                        .collect();
                    with_elements(value, items)
                }
            };
        }
    }
}

fn transform_object(
    schema: &BTreeMap<Text, Attribute>,
    value: &Value,
    change: &mut impl FnMut(&Attribute, &Value) -> Option<Value>,
) -> Value {
    let Kind::Object(entries) = value.kind() else {
        return value.clone();
    };
    let mut parts = BTreeMap::clone(entries);
    transform_attributes(schema, &mut parts, change);
    Value::from_kind(Kind::Object(Arc::new(parts))).with_marks(value.marks())
}

/// Elements of any collection or structure, in order.
fn elements(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value.kind() {
        Kind::Map(_, entries) | Kind::Object(entries) => Box::new(entries.values()),
        _ => Box::new(value.as_sequence().unwrap_or_default().iter()),
    }
}

/// Elements of any collection with the paths that lead to them.
fn located<'v>(value: &'v Value, path: &Path) -> Vec<(Path, &'v Value)> {
    match value.kind() {
        Kind::Set(_, items) => items
            .iter()
            .map(|item| (path.index(item.clone()), item))
            .collect(),
        _ => keyed(value)
            .into_iter()
            .map(|(key, item)| (path.index(key.value()), item))
            .collect(),
    }
}

fn find_in_block(schema: &Block, value: &Value, path: &Path, paths: &mut Vec<Path>) {
    find_in_attributes(&schema.attributes, value, path, paths);
    for (name, nested) in &schema.blocks {
        let Some(content) = value.get(name) else {
            continue;
        };
        let path = path.attribute(name.clone());
        match nested.nesting {
            BlockNesting::Single | BlockNesting::Group => {
                find_in_block(&nested.block, content, &path, paths);
            }
            BlockNesting::List | BlockNesting::Map | BlockNesting::Set => {
                for (path, item) in located(content, &path) {
                    find_in_block(&nested.block, item, &path, paths);
                }
            }
        }
    }
}

fn find_in_attributes(
    schema: &BTreeMap<Text, Attribute>,
    value: &Value,
    path: &Path,
    paths: &mut Vec<Path>,
) {
    for (name, attribute) in schema {
        let Some(content) = value.get(name).filter(|content| !content.is_null()) else {
            continue;
        };
        let path = path.attribute(name.clone());
        if attribute.write_only {
            paths.push(path);
        } else if let Some(nested) = attribute.nested() {
            match nested.nesting {
                Nesting::Single => find_in_attributes(&nested.attributes, content, &path, paths),
                Nesting::List | Nesting::Map | Nesting::Set => {
                    for (path, item) in located(content, &path) {
                        find_in_attributes(&nested.attributes, item, &path, paths);
                    }
                }
            }
        }
    }
}
