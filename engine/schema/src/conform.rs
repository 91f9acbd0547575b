//! Whether a provider's answer has the shape of its schema.

use crate::{Attribute, AttributeType, Block, BlockNesting, NestedObject, Nesting, ValueError};
use terrace_value::{Kind, Path, Type, Value};

/// Checks that `value` is an object of `schema`, null or unknown.
pub fn assert_conforms(schema: &Block, value: &Value) -> Result<(), ValueError> {
    block(schema, value, &mut Path::root())
}

fn wrong(path: &Path, message: impl Into<String>) -> ValueError {
    ValueError {
        path: path.clone(),
        message: message.into(),
    }
}

fn step<T>(
    path: &mut Path,
    step: terrace_value::PathStep,
    visit: impl FnOnce(&mut Path) -> Result<T, ValueError>,
) -> Result<T, ValueError> {
    path.0.push(step);
    let result = visit(path);
    path.0.pop();
    result
}

fn attribute_step(name: &terrace_value::Text) -> terrace_value::PathStep {
    terrace_value::PathStep::Attribute(name.clone())
}

fn block(schema: &Block, value: &Value, path: &mut Path) -> Result<(), ValueError> {
    let entries = match value.kind() {
        Kind::Null(_) | Kind::Unknown(_) => return Ok(()),
        Kind::Object(entries) => entries,
        _ => return Err(wrong(path, "an object is required")),
    };
    let named = schema.attributes.keys().chain(schema.blocks.keys());
    if let Some(missing) = named.into_iter().find(|name| !entries.contains_key(*name)) {
        return Err(wrong(path, format!("attribute {missing:?} is required")));
    }
    for (name, value) in entries.iter() {
        step(path, attribute_step(name), |path| {
            if let Some(found) = schema.attributes.get(name) {
                attribute(found, value, path)
            } else if let Some(nested) = schema.blocks.get(name) {
                elements(nested.nesting.into(), value, path, &|value, path| {
                    block(&nested.block, value, path)
                })
            } else {
                Err(wrong(path, "unsupported attribute"))
            }
        })?;
    }
    Ok(())
}

fn attribute(schema: &Attribute, value: &Value, path: &mut Path) -> Result<(), ValueError> {
    match &schema.ty {
        AttributeType::Plain(ty) => plain(ty, value, path),
        AttributeType::Nested(nested) => {
            let repetition = match nested.nesting {
                Nesting::Single => Repetition::Single,
                Nesting::List => Repetition::List,
                Nesting::Set => Repetition::Set,
                Nesting::Map => Repetition::Map,
            };
            elements(repetition, value, path, &|value, path| {
                object(nested, value, path)
            })
        }
    }
}

fn object(schema: &NestedObject, value: &Value, path: &mut Path) -> Result<(), ValueError> {
    let entries = match value.kind() {
        Kind::Null(_) | Kind::Unknown(_) => return Ok(()),
        Kind::Object(entries) => entries,
        _ => return Err(wrong(path, "an object is required")),
    };
    for (name, found) in &schema.attributes {
        let Some(value) = entries.get(name) else {
            return Err(wrong(path, format!("attribute {name:?} is required")));
        };
        step(path, attribute_step(name), |path| {
            attribute(found, value, path)
        })?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Repetition {
    Single,
    List,
    Set,
    Map,
}

impl From<BlockNesting> for Repetition {
    fn from(nesting: BlockNesting) -> Self {
        match nesting {
            BlockNesting::Single | BlockNesting::Group => Self::Single,
            BlockNesting::List => Self::List,
            BlockNesting::Set => Self::Set,
            BlockNesting::Map => Self::Map,
        }
    }
}

type Visit<'a> = &'a dyn Fn(&Value, &mut Path) -> Result<(), ValueError>;

fn elements(
    repetition: Repetition,
    value: &Value,
    path: &mut Path,
    visit: Visit<'_>,
) -> Result<(), ValueError> {
    match (repetition, value.kind()) {
        (_, Kind::Null(_) | Kind::Unknown(_)) => Ok(()),
        (Repetition::Single, _) => visit(value, path),
        (Repetition::List, Kind::List(_, items) | Kind::Tuple(items)) => {
            for (index, item) in (0..).zip(items.iter()) {
                step(
                    path,
                    terrace_value::PathStep::Index(Value::int(index)),
                    |path| visit(item, path),
                )?;
            }
            Ok(())
        }
        (Repetition::Set, Kind::Set(_, items)) => {
            for item in items.iter() {
                step(path, terrace_value::PathStep::Index(item.clone()), |path| {
                    visit(item, path)
                })?;
            }
            Ok(())
        }
        (Repetition::Map, Kind::Map(_, entries) | Kind::Object(entries)) => {
            for (key, item) in entries.iter() {
                step(
                    path,
                    terrace_value::PathStep::Index(Value::string(key.clone())),
                    |path| visit(item, path),
                )?;
            }
            Ok(())
        }
        (Repetition::List, _) => Err(wrong(path, "a list is required")),
        (Repetition::Set, _) => Err(wrong(path, "a set is required")),
        (Repetition::Map, _) => Err(wrong(path, "a map is required")),
    }
}

fn plain(ty: &Type, value: &Value, path: &mut Path) -> Result<(), ValueError> {
    if fits(ty, value) {
        return Ok(());
    }
    Err(wrong(
        path,
        format!("{} required", ty.without_optional().friendly_name()),
    ))
}

fn fits(ty: &Type, value: &Value) -> bool {
    match (ty, value.kind()) {
        (Type::Dynamic, _) | (_, Kind::Null(Type::Dynamic)) => true,
        (ty, Kind::Unknown(unknown)) => same(ty, &unknown.0),
        (ty, Kind::Null(found)) => same(ty, found),
        (Type::Bool, Kind::Bool(_))
        | (Type::Number, Kind::Number(_))
        | (Type::String, Kind::String(_)) => true,
        (Type::List(element), Kind::List(_, items)) | (Type::Set(element), Kind::Set(_, items)) => {
            items.iter().all(|item| fits(element, item))
        }
        (Type::Map(element), Kind::Map(_, entries)) => {
            entries.values().all(|item| fits(element, item))
        }
        (Type::Tuple(types), Kind::Tuple(items)) => {
            types.len() == items.len()
                && types
                    .iter()
                    .zip(items.iter())
                    .all(|(ty, item)| fits(ty, item))
        }
        (Type::Object(object), Kind::Object(entries)) => {
            object.attributes.len() == entries.len()
                && object
                    .attributes
                    .iter()
                    .all(|(name, ty)| entries.get(name).is_some_and(|item| fits(ty, item)))
        }
        _ => false,
    }
}

/// Whether a value of type `found` is one of type `wanted`, where `Dynamic` stands for any type.
fn same(wanted: &Type, found: &Type) -> bool {
    match (wanted, found) {
        (Type::Dynamic, _) | (_, Type::Dynamic) => true,
        (Type::List(a), Type::List(b))
        | (Type::Set(a), Type::Set(b))
        | (Type::Map(a), Type::Map(b)) => same(a, b),
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b))
        }
        (Type::Object(a), Type::Object(b)) => {
            a.attributes.len() == b.attributes.len()
                && a.attributes
                    .iter()
                    .all(|(name, a)| b.attributes.get(name).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Block {
        let attributes = [
            ("name", Attribute::required(Type::String)),
            ("any", Attribute::optional(Type::Dynamic)),
            ("tags", Attribute::optional(Type::map(Type::String))),
        ];
        Block {
            attributes: attributes
                .into_iter()
                .map(|(name, attribute)| (name.into(), attribute))
                .collect(),
            ..Block::default()
        }
    }

    fn object(name: Value) -> Value {
        Value::object([
            ("name", name),
            ("any", Value::int(1)),
            ("tags", Value::null(Type::map(Type::String))),
        ])
    }

    #[test]
    fn the_schemas_own_shape_conforms() {
        assert_eq!(
            assert_conforms(&schema(), &object(Value::string("x"))),
            Ok(())
        );
        assert_eq!(
            assert_conforms(&schema(), &object(Value::unknown(Type::String))),
            Ok(())
        );
        assert_eq!(
            assert_conforms(&schema(), &Value::null(schema().implied_type())),
            Ok(())
        );
    }

    #[test]
    fn another_shape_is_named_with_its_place() {
        let wrong_type =
            assert_conforms(&schema(), &object(Value::int(1))).expect_err("a number is no string");
        assert_eq!(wrong_type.to_string(), ".name: string required");
        let missing =
            assert_conforms(&schema(), &Value::empty_object()).expect_err("attributes are missing");
        assert_eq!(missing.to_string(), "attribute \"any\" is required");
    }
}
