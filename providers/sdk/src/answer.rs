//! What handlers give, in the shape that engines want.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use terrace_port::{Attempt, ProviderError, Reply};
use terrace_schema::{Block, NestedBlock, without_write_only};
use terrace_value::convert::convert;
use terrace_value::{Kind, Text, Type, Value};

use crate::{Diagnostic, Diagnostics, Object};

/// A handler's object as a value of its type: what it leaves out is null, in blocks too, and so is what is write-only.
pub(crate) fn conform(block: &Block, ty: &Type, value: &Value) -> Result<Value, Diagnostic> {
    if !matches!(value.kind(), Kind::Object(_)) {
        return Ok(value.clone());
    }
    let whole = completed(block, value)?;
    let value = convert(&whole, ty).map_err(|error| bug(&error.message).at(error.path))?;
    Ok(without_write_only(block, &value))
}

/// An object with all that its schema has.
fn completed(block: &Block, value: &Value) -> Result<Value, Diagnostic> {
    let Kind::Object(entries) = value.kind() else {
        return Ok(value.clone());
    };
    let mut parts = BTreeMap::clone(entries);
    if let Some(name) = parts
        .keys()
        .find(|name| !block.attributes.contains_key(*name) && !block.blocks.contains_key(*name))
    {
        return Err(bug(&format!(
            "there is no attribute {name:?} in its schema"
        )));
    }
    let missing = |parts: &mut BTreeMap<Text, Value>, name: &Text, empty: Value| {
        let part = parts.entry(name.clone()).or_insert(empty.clone());
        if matches!(part.kind(), Kind::Null(Type::Dynamic)) {
            *part = empty;
        }
    };
    for (name, attribute) in &block.attributes {
        missing(&mut parts, name, attribute.empty_value());
    }
    for (name, nested) in &block.blocks {
        missing(&mut parts, name, nested.empty_value());
        if let Some(part) = parts.get_mut(name) {
            *part = completed_blocks(nested, part)?;
        }
    }
    Ok(Value::from_kind(Kind::Object(Arc::new(parts))))
}

/// Blocks with all that their schema has. Lists of a known type are whole already: only engines make those.
fn completed_blocks(nested: &NestedBlock, value: &Value) -> Result<Value, Diagnostic> {
    match value.kind() {
        Kind::Object(_) => completed(&nested.block, value),
        Kind::Tuple(items) | Kind::List(Type::Dynamic, items) => {
            if items.is_empty() {
                return Ok(nested.empty_value());
            }
            let items = items
                .iter()
                .map(|item| completed(&nested.block, item))
                .collect::<Result<Vec<Value>, Diagnostic>>()?;
            Ok(Value::tuple(items))
        }
        _ => Ok(value.clone()),
    }
}

fn bug(why: &str) -> Diagnostic {
    Diagnostic::error(
        "Provider returned an invalid object",
        format!(
            "The provider's answer does not fit its own schema: {why}. This is a bug in the provider, which should be reported in the provider's own issue tracker."
        ),
    )
}

/// A stored object, whose attributes may have had other types than they have now.
pub(crate) fn stored(block: &Block, ty: &Type, object: &Object) -> Result<Value, Diagnostic> {
    let known = object
        .entries()
        .iter()
        .filter(|(name, _)| {
            block.attributes.contains_key(*name) || block.blocks.contains_key(*name)
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect::<Object>();
    let parts = known
        .entries()
        .iter()
        .map(|(name, value)| {
            let ty = block
                .attributes
                .get(name)
                .map(terrace_schema::Attribute::value_type)
                .or_else(|| Some(block.blocks.get(name)?.value_type()))
                .unwrap_or(Type::Dynamic);
            let value = convert(value, &ty)
                .map_err(|error| bug(&error.message).at(crate::attribute(name)))?;
            Ok((name.clone(), value))
        })
        .collect::<Result<Object, Diagnostic>>()?;
    conform(block, ty, &crate::Data::into_value(parts))
}

/// An answer with what was said beside it.
pub(crate) fn reply<T>(value: T, diagnostics: Diagnostics) -> Reply<T> {
    Reply::new(value, diagnostics.into_vec())
}

/// A call whose handler may panic: that is the end of the provider, as it is for one in a process of its own.
pub(crate) async fn guarded<T>(work: impl Future<Output = T>) -> Result<T, ProviderError> {
    AssertUnwindSafe(work)
        .catch_unwind()
        .await
        .map_err(|panic| {
            let said = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned());
            ProviderError {
                message: format!(
                    "it panicked: {}",
                    said.unwrap_or_else(|| "no reason given".into())
                ),
            }
        })
}

/// The same for attempts.
pub(crate) async fn attempted<T>(work: impl Future<Output = Attempt<T>>) -> Attempt<T> {
    guarded(work).await?
}
