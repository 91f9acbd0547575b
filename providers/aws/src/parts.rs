//! Nested blocks: reading them from what is planned, and making them of what AWS tells.

use terrace_provider_sdk::{Data, Object, Type, Value};

/// The only block of this name; none where there is none.
pub(crate) fn only(object: &Object, name: &str) -> Option<Object> {
    object.items(name).first().and_then(Object::of)
}

/// All blocks of this name.
pub(crate) fn all(object: &Object, name: &str) -> Vec<Object> {
    object.items(name).iter().filter_map(Object::of).collect()
}

/// A block of all its attributes and blocks.
pub(crate) fn block<const N: usize>(parts: [(&'static str, Value); N]) -> Value {
    Value::object(parts)
}

/// Blocks of a list or a set.
pub(crate) fn blocks(items: impl IntoIterator<Item = Value>) -> Value {
    Value::tuple(items)
}

/// Text that is left out where AWS tells none.
pub(crate) fn text(told: Option<impl Into<String>>) -> Value {
    told.map(Into::into).into_value()
}

/// Text that is empty where AWS tells none.
pub(crate) fn or_empty(told: Option<impl Into<String>>) -> String {
    told.map(Into::into).unwrap_or_default()
}

/// A number that is left out where AWS tells none.
pub(crate) fn number(told: Option<impl Into<i64>>) -> Value {
    told.map(Into::into).into_value()
}

/// Texts as a list or a set.
pub(crate) fn texts<T: AsRef<str>>(told: impl IntoIterator<Item = T>) -> Value {
    Value::list(
        Type::String,
        told.into_iter().map(|text| Value::string(text.as_ref().to_owned())),
    )
}

/// Text that says something.
pub(crate) fn set_text(object: &Object, name: &str) -> Option<String> {
    object.text(name).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A whole number of at most 32 bits.
pub(crate) fn small(object: &Object, name: &str) -> Option<i32> {
    object.whole(name).and_then(|whole| i32::try_from(whole).ok())
}

/// Texts of a list or set, as AWS wants them.
pub(crate) fn owned(object: &Object, name: &str) -> Vec<String> {
    object.texts(name).into_iter().map(str::to_owned).collect()
}
