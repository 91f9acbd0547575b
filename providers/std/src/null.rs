//! `null_resource`, `null_data_source`.

use terrace_value::{Type, Value};

use crate::Outside;
use crate::definition::{Attributes, Definition, Failure, is_set, set, strings};

/// A random whole number as text, as the well-known provider makes its ids.
fn id(outside: &Outside) -> String {
    let mut bytes = [0; 8];
    outside.entropy.fill(&mut bytes);
    (u64::from_be_bytes(bytes) >> 1).to_string()
}

pub(crate) fn resources() -> Vec<Definition> {
    vec![Definition::new(
        "null_resource",
        vec![("id", Type::String, "c"), ("triggers", strings(), "o")],
        create,
    )]
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every type's functions have one signature"
)]
fn create(
    _prior: Option<&Attributes>,
    mut object: Attributes,
    outside: &Outside,
) -> Result<Attributes, Failure> {
    if !object.get("id").is_some_and(Value::is_known) {
        set(&mut object, "id", id(outside));
    }
    Ok(object)
}

pub(crate) fn data_sources() -> Vec<Definition> {
    let attributes = vec![
        ("has_computed_default", Type::String, "oc"),
        ("id", Type::String, "cd"),
        ("inputs", strings(), "o"),
        ("outputs", strings(), "c"),
        ("random", Type::String, "c"),
    ];
    vec![Definition {
        deprecated: true,
        ..Definition::new("null_data_source", attributes, read)
    }]
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every type's functions have one signature"
)]
fn read(
    _prior: Option<&Attributes>,
    mut object: Attributes,
    outside: &Outside,
) -> Result<Attributes, Failure> {
    if !is_set(&object, "has_computed_default") {
        set(&mut object, "has_computed_default", "default");
    }
    let outputs = object.get("inputs").cloned().unwrap_or(Value::NULL);
    set(&mut object, "outputs", outputs);
    set(&mut object, "random", id(outside));
    set(&mut object, "id", "static");
    Ok(object)
}
