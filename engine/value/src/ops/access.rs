//! Parts of values: attributes, elements, lengths.

use std::fmt;

use crate::convert::convert;
use crate::{Kind, Number, Refinements, Type, Value};

/// Why a value has no such part, worded as a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessError {
    /// A few words, such as `Invalid index`.
    pub summary: &'static str,
    /// A whole sentence.
    pub detail: String,
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.summary, self.detail)
    }
}

impl std::error::Error for AccessError {}

const NO_SUCH_ELEMENT: &str = "The given key does not identify an element in this collection value";

const NO_ELEMENTS: &str = "the collection has no elements";

const PAST_THE_END: &str =
    "the given index is greater than or equal to the length of the collection";

fn invalid_index(detail: impl Into<String>) -> AccessError {
    AccessError {
        summary: "Invalid index",
        detail: detail.into(),
    }
}

fn no_such_element(why: &str) -> AccessError {
    invalid_index(format!("{NO_SUCH_ELEMENT}: {why}."))
}

/// `value[key]`. The marks of both are on the result.
pub fn index(value: &Value, key: &Value) -> Result<Value, AccessError> {
    if value.is_null() {
        return Err(AccessError {
            summary: "Attempt to index null value",
            detail: "This value is null, so it does not have any indices.".into(),
        });
    }
    if key.is_null() {
        return Err(invalid_index("Can't use a null value as an indexing key."));
    }
    let marks = value.marks() | key.marks();
    match index_unmarked(value, key) {
        Ok(part) => Ok(part.with_marks(marks)),
        Err(error) if value.marks().is_empty() => Err(error),
        Err(error) => Err(without_length(error)),
    }
}

/// The error, where it must not tell how long the collection is.
fn without_length(error: AccessError) -> AccessError {
    if error.detail.contains(NO_ELEMENTS) || error.detail.contains(PAST_THE_END) {
        return invalid_index(format!("{NO_SUCH_ELEMENT}."));
    }
    error
}

fn index_unmarked(value: &Value, key: &Value) -> Result<Value, AccessError> {
    let key_type_unknown =
        matches!(key.kind(), Kind::Unknown(unknown) if unknown.0 == Type::Dynamic);
    match value.kind() {
        Kind::Unknown(unknown) => match &unknown.0 {
            Type::Dynamic => Ok(Value::dynamic()),
            _ if key_type_unknown => Ok(Value::dynamic()),
            Type::List(element) => {
                key_as(key, &Type::Number).map(|_| Value::unknown((**element).clone()))
            }
            Type::Map(element) => {
                key_as(key, &Type::String).map(|_| Value::unknown((**element).clone()))
            }
            Type::Tuple(elements) => {
                let key = key_as(key, &Type::Number)?;
                let Some(number) = key.as_number() else {
                    return Ok(Value::dynamic());
                };
                let place = sequence_index(number, elements.len())?;
                Ok(Value::unknown(elements[place].clone()))
            }
            Type::Object(_) => key_as(key, &Type::String).map(|_| Value::dynamic()),
            other => Err(not_indexable(other)),
        },
        _ if key_type_unknown => Ok(Value::dynamic()),
        Kind::List(element, items) => {
            let key = key_as(key, &Type::Number)?;
            match key.as_number() {
                Some(number) => Ok(items[sequence_index(number, items.len())?].clone()),
                None => Ok(Value::unknown(element.clone())),
            }
        }
        Kind::Tuple(items) => {
            let key = key_as(key, &Type::Number)?;
            match key.as_number() {
                Some(number) => Ok(items[sequence_index(number, items.len())?].clone()),
                None => Ok(Value::dynamic()),
            }
        }
        Kind::Map(element, entries) => {
            let key = key_as(key, &Type::String)?;
            match key.as_str() {
                Some(name) => entries
                    .get(name)
                    .cloned()
                    .ok_or_else(|| invalid_index(format!("{NO_SUCH_ELEMENT}."))),
                None => Ok(Value::unknown(element.clone())),
            }
        }
        Kind::Object(entries) => {
            let hint = match key.kind() {
                Kind::Number(_) => {
                    " An object only supports looking up attributes by name, not by numeric index."
                }
                _ => "",
            };
            let key = key_as(key, &Type::String)?;
            match key.as_str() {
                Some(name) => entries
                    .get(name)
                    .cloned()
                    .ok_or_else(|| invalid_index(format!("{NO_SUCH_ELEMENT}.{hint}"))),
                None => Ok(Value::dynamic()),
            }
        }
        Kind::Set(element, _) => Err(not_indexable(&Type::set(element.clone()))),
        Kind::Null(_) | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => {
            Err(not_indexable(&Type::String))
        }
    }
}

fn key_as(key: &Value, ty: &Type) -> Result<Value, AccessError> {
    convert(key, ty)
        .map(|key| key.unmark().0)
        .map_err(|error| no_such_element(&error.message))
}

/// The place that `number` means in a sequence of `length` elements.
fn sequence_index(number: &Number, length: usize) -> Result<usize, AccessError> {
    match number.to_usize() {
        Some(place) if place < length => Ok(place),
        _ if number.is_negative() => Err(no_such_element(
            "a negative number is not a valid index for a sequence",
        )),
        _ if !number.is_integer() => Err(no_such_element(
            "indexing a sequence requires a whole number, but the given index has a fractional part",
        )),
        Some(0) if length == 0 => Err(no_such_element(NO_ELEMENTS)),
        // As in the reference, only the index just after the last is explained.
        Some(place) if place == length => Err(no_such_element(PAST_THE_END)),
        _ => Err(invalid_index(format!("{NO_SUCH_ELEMENT}."))),
    }
}

fn not_indexable(ty: &Type) -> AccessError {
    invalid_index(match ty {
        Type::Set(_) => {
            "Elements of a set are identified only by their value and don't have any separate index or key to select \
             with, so it's only possible to perform operations across all elements of the set."
        }
        _ => "This value does not have any indices.",
    })
}

/// `value.name`. The marks of the value are on the result.
pub fn get_attribute(value: &Value, name: &str) -> Result<Value, AccessError> {
    if value.is_null() {
        return Err(AccessError {
            summary: "Attempt to get attribute from null value",
            detail: "This value is null, so it does not have any attributes.".into(),
        });
    }
    attribute_unmarked(value, name).map(|part| part.with_marks(value.marks()))
}

fn attribute_unmarked(value: &Value, name: &str) -> Result<Value, AccessError> {
    match value.kind() {
        Kind::Object(entries) => entries
            .get(name)
            .cloned()
            .ok_or_else(|| no_such_attribute(name)),
        Kind::Map(_, entries) => entries.get(name).cloned().ok_or_else(|| AccessError {
            summary: "Missing map element",
            detail: format!("This map does not have an element with the key {name:?}."),
        }),
        Kind::Unknown(unknown) => match &unknown.0 {
            Type::Dynamic => Ok(Value::dynamic()),
            Type::Object(object) => {
                let ty = object
                    .attributes
                    .get(name)
                    .ok_or_else(|| no_such_attribute(name))?;
                Ok(Value::unknown(ty.clone()))
            }
            Type::Map(element) => Ok(Value::unknown((**element).clone())),
            other => Err(unsupported_attribute(other, name)),
        },
        _ => Err(unsupported_attribute(&value.ty(), name)),
    }
}

fn no_such_attribute(name: &str) -> AccessError {
    AccessError {
        summary: "Unsupported attribute",
        detail: format!("This object does not have an attribute named {name:?}."),
    }
}

fn unsupported_attribute(ty: &Type, name: &str) -> AccessError {
    let which = |element: &Type| match element {
        Type::Object(object) if object.attributes.contains_key(name) => {
            Some(format!("attribute {name:?}"))
        }
        Type::Object(_) => Some("an attribute".to_owned()),
        _ => None,
    };
    let detail = match ty {
        Type::List(element) if which(element).is_some() => format!(
            "Can't access attributes on a list of objects. Did you mean to access {} for a specific element of the \
             list, or across all elements of the list?",
            which(element).unwrap_or_default()
        ),
        Type::Set(element) if which(element).is_some() => {
            "Can't access attributes on a set of objects. Did you mean to access an attribute across all elements of the \
             set?"
                .to_owned()
        }
        Type::Bool | Type::Number | Type::String => {
            format!(
                "Can't access attributes on a primitive-typed value ({}).",
                ty.friendly_name()
            )
        }
        _ => "This value does not have any attributes.".to_owned(),
    };
    AccessError {
        summary: "Unsupported attribute",
        detail,
    }
}

/// Whether `value[key]` is there: a bool, unknown where it is not known yet. False for what cannot be indexed.
pub fn has_index(value: &Value, key: &Value) -> Value {
    let undecided = !key.is_known()
        || (!value.is_known()
            && !matches!(value.kind(), Kind::Unknown(unknown) if matches!(unknown.0, Type::Tuple(_))));
    let result = if undecided {
        Value::unknown_refined(Type::Bool, Refinements::not_null())
    } else {
        Value::bool(index(value, key).is_ok())
    };
    result.with_marks(value.marks() | key.marks())
}

/// The greatest length that a collection can have; what is known of lengths that are not known yet says so.
pub const MAX_LENGTH: u64 = i64::MAX as u64;

/// The number of elements of a list, set, map, tuple or object; unknown, within bounds, where it is not known yet.
/// `None` for what has no length, null included.
pub fn length(value: &Value) -> Option<Value> {
    let counted = |count: usize| Some(Value::number(Number::from(count)));
    let result = match value.kind() {
        Kind::List(_, items) | Kind::Tuple(items) => counted(items.len()),
        Kind::Set(_, items) if items.len() < 2 || value.is_wholly_known() => counted(items.len()),
        Kind::Set(_, items) => Some(unknown_length(1, Some(items.len() as u64))),
        Kind::Map(_, entries) | Kind::Object(entries) => counted(entries.len()),
        Kind::Unknown(unknown) => match &unknown.0 {
            Type::Tuple(elements) => counted(elements.len()),
            Type::Object(object) => counted(object.attributes.len()),
            Type::Dynamic => Some(Value::unknown(Type::Number).refine_not_null()),
            ty if ty.is_collection() => Some(unknown_length(
                unknown.1.min_length.unwrap_or(0),
                unknown.1.max_length,
            )),
            _ => None,
        },
        _ => None,
    };
    result.map(|length| length.with_marks(value.marks()))
}

fn unknown_length(least: u64, most: Option<u64>) -> Value {
    if most == Some(least) {
        return Value::number(Number::from(least));
    }
    Value::unknown_refined(
        Type::Number,
        Refinements {
            not_null: true,
            min: Some((Number::from(least), true)),
            max: Some((Number::from(most.unwrap_or(MAX_LENGTH)), true)),
            ..Refinements::default()
        },
    )
}
