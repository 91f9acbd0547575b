//! Blocks: read from an object, and built for one. A handler may leave out of a block what it says nothing of.

use terrace_provider_sdk::{Object, Type, Value};

/// The blocks of a name, in order.
pub(crate) fn all(object: &Object, name: &str) -> Vec<Object> {
    object.items(name).iter().filter_map(Object::of).collect()
}

/// The only block of a name. One that says nothing at all is null in the ecosystem's states, and counts as empty.
pub(crate) fn one(object: &Object, name: &str) -> Option<Object> {
    let first = object.items(name).first()?;
    Some(Object::of(first).unwrap_or_default())
}

/// A text that says something.
pub(crate) fn given(object: &Object, name: &str) -> Option<String> {
    object
        .text(name)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// A number that is not zero, where zero is the same as nothing.
pub(crate) fn count(object: &Object, name: &str) -> Option<i32> {
    let number = object.whole(name).filter(|number| *number != 0)?;
    i32::try_from(number).ok()
}

/// Known texts of a list or set; nothing where there are none.
pub(crate) fn texts(object: &Object, name: &str) -> Option<Vec<String>> {
    let texts: Vec<String> = object.texts(name).into_iter().map(str::to_owned).collect();
    (!texts.is_empty()).then_some(texts)
}

/// A block of these parts.
pub(crate) fn block<const N: usize>(parts: [(&'static str, Value); N]) -> Value {
    Value::object(parts)
}

/// Blocks.
pub(crate) fn blocks(items: impl IntoIterator<Item = Value>) -> Value {
    Value::tuple(items)
}

/// A text of a block: empty where there is none.
pub(crate) fn text(text: Option<&str>) -> Value {
    Value::string(text.unwrap_or_default())
}

/// A number of a block: zero where there is none.
pub(crate) fn number(number: Option<impl Into<i64>>) -> Value {
    Value::int(number.map_or(0, Into::into))
}

/// A number that is null where there is none.
pub(crate) fn number_or_null(number: Option<impl Into<i64>>) -> Value {
    number.map_or_else(
        || Value::null(Type::Number),
        |number| Value::int(number.into()),
    )
}

/// Texts of a block.
pub(crate) fn list<T: AsRef<str>>(texts: &[T]) -> Value {
    let texts = texts.iter().map(|text| Value::string(text.as_ref()));
    Value::list(Type::String, texts)
}

/// Text that is empty where there is none.
pub(crate) fn or_empty(text: Option<impl Into<String>>) -> String {
    text.map(Into::into).unwrap_or_default()
}

/// A whole number of at most 32 bits, zero too.
pub(crate) fn small(object: &Object, name: &str) -> Option<i32> {
    object
        .whole(name)
        .and_then(|whole| i32::try_from(whole).ok())
}

/// Known texts of a list or set, be there none.
pub(crate) fn owned(object: &Object, name: &str) -> Vec<String> {
    object.texts(name).into_iter().map(str::to_owned).collect()
}
