//! `null_resource`, `null_data_source`.

mod schema;

use terrace_provider_sdk::{Diagnostics, Object, Type, Value};

use crate::Outside;
use crate::definition::{Change, Definition, Failure, Source};

/// A random whole number as text, as the well-known provider makes its ids.
fn id(outside: &Outside) -> String {
    let mut bytes = [0; 8];
    outside.entropy.fill(&mut bytes);
    (u64::from_be_bytes(bytes) >> 1).to_string()
}

pub(crate) fn resources() -> Vec<Definition> {
    vec![Definition::new(
        "null_resource",
        schema::null_resource,
        create,
    )]
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every type's functions have one signature"
)]
fn create(_change: Change<'_>, mut object: Object, outside: &Outside) -> Result<Object, Failure> {
    if !object.is_known("id") {
        object.set("id", id(outside));
    }
    Ok(object)
}

pub(crate) fn data_sources() -> Vec<Source> {
    vec![Source::new(
        "null_data_source",
        schema::null_data_source_data,
        read,
    )]
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every type's functions have one signature"
)]
fn read(
    mut object: Object,
    outside: &Outside,
    _diagnostics: &mut Diagnostics,
) -> Result<Object, Failure> {
    if !object.is_set("has_computed_default") {
        object.set("has_computed_default", "default");
    }
    let outputs = match object.value("inputs") {
        inputs if inputs.is_null() => Value::null(Type::map(Type::String)),
        inputs => inputs.clone(),
    };
    object.set("outputs", outputs);
    object.set("random", id(outside));
    object.set("id", "static");
    Ok(object)
}
