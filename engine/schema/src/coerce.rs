//! Values into the shape that a schema wants.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_value::convert::convert;
use terrace_value::{Kind, Path, Text, Value};

use crate::parts::{keyed, with_elements};
use crate::{Block, BlockNesting, NestedBlock, ValueError};

impl Block {
    /// Makes `value`, an object of any type, conform to this schema: attributes are converted, those left out are null,
    /// blocks left out are empty. Marks are kept. Required attributes must be there; others than the schema's must not.
    pub fn coerce(&self, value: &Value) -> Result<Value, ValueError> {
        coerce_block(self, value, &Path::root())
    }
}

fn coerce_block(block: &Block, value: &Value, path: &Path) -> Result<Value, ValueError> {
    let coerced = match value.kind() {
        Kind::Null(_) => Value::null(block.implied_type()),
        Kind::Unknown(_) => Value::unknown(block.implied_type()),
        Kind::Object(entries) => coerce_object(block, entries, path)?,
        _ => return Err(ValueError::new(path, "an object is required")),
    };
    Ok(coerced.with_marks(value.marks()))
}

fn coerce_object(
    block: &Block,
    entries: &BTreeMap<Text, Value>,
    path: &Path,
) -> Result<Value, ValueError> {
    let defined =
        |name: &Text| block.attributes.contains_key(name) || block.blocks.contains_key(name);
    if let Some(name) = entries.keys().find(|name| !defined(name)) {
        return Err(ValueError::new(
            path,
            format!("unexpected attribute {name:?}"),
        ));
    }
    let mut parts = BTreeMap::new();
    for (name, attribute) in &block.attributes {
        let part = match entries.get(name) {
            Some(item) => convert(item, &attribute.constraint()).map_err(|error| {
                let mut at = path.attribute(name.clone());
                at.0.extend(error.path.0);
                ValueError {
                    path: at,
                    message: error.message,
                }
            })?,
            None if attribute.optional || attribute.computed => attribute.empty_value(),
            None => {
                return Err(ValueError::new(
                    path,
                    format!("attribute {name:?} is required"),
                ));
            }
        };
        parts.insert(name.clone(), part);
    }
    for (name, nested) in &block.blocks {
        let part = match entries.get(name) {
            Some(item) => coerce_nested(nested, item, &path.attribute(name.clone()))?,
            None => nested.empty_value(),
        };
        parts.insert(name.clone(), part);
    }
    Ok(Value::from_kind(Kind::Object(Arc::new(parts))))
}

fn coerce_nested(nested: &NestedBlock, value: &Value, path: &Path) -> Result<Value, ValueError> {
    let must_be = match nested.nesting {
        BlockNesting::Single | BlockNesting::Group => {
            return coerce_block(&nested.block, value, path);
        }
        BlockNesting::List => "must be a list",
        BlockNesting::Set => "must be a set",
        BlockNesting::Map => "must be a map",
    };
    let coerced = match (value.kind(), nested.nesting) {
        (Kind::Null(_), _) => Value::null(nested.value_type()),
        (Kind::Unknown(_), _) => Value::unknown(nested.value_type()),
        (
            Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items),
            BlockNesting::List | BlockNesting::Set,
        ) => coerce_sequence(nested, items, path)?,
        (Kind::Map(..) | Kind::Object(_), BlockNesting::Map) => coerce_map(nested, value, path)?,
        _ => return Err(ValueError::new(path, must_be)),
    };
    Ok(coerced.with_marks(value.marks()))
}

fn coerce_sequence(
    nested: &NestedBlock,
    items: &[Value],
    path: &Path,
) -> Result<Value, ValueError> {
    if items.is_empty() {
        return Ok(nested.empty_value());
    }
    let parts = items
        .iter()
        .enumerate()
        .map(|(place, item)| {
            coerce_block(
                &nested.block,
                item,
                &path.index(Value::number(place.into())),
            )
        })
        .collect::<Result<Vec<_>, _>>()?;
    let object = nested.block.implied_type();
    Ok(match nested.nesting {
        BlockNesting::Set if object.has_dynamic() => Value::set(parts[0].ty(), parts),
        BlockNesting::Set => Value::set(object, parts),
        _ if object.has_dynamic() => Value::tuple(parts),
        _ => Value::list(object, parts),
    })
}

fn coerce_map(nested: &NestedBlock, value: &Value, path: &Path) -> Result<Value, ValueError> {
    let entries = keyed(value);
    if entries.is_empty() {
        return Ok(nested.empty_value());
    }
    let parts = entries
        .iter()
        .map(|(key, item)| coerce_block(&nested.block, item, &path.index(key.value())))
        .collect::<Result<Vec<_>, _>>()?;
    let object = nested.block.implied_type();
    let plain = Value::from_kind(value.kind().clone());
    let Kind::Object(named) = with_elements(&as_object(&plain), parts).kind().clone() else {
        return Err(ValueError::new(path, "must be a map"));
    };
    Ok(Value::from_kind(if object.has_dynamic() {
        Kind::Object(named)
    } else {
        Kind::Map(object, named)
    }))
}

fn as_object(value: &Value) -> Value {
    match value.kind() {
        Kind::Map(_, entries) => Value::from_kind(Kind::Object(entries.clone())),
        _ => value.clone(),
    }
}
