//! Lists, tuples, and what treats sets alike.

mod build;
mod product;
mod search;

use terrace_value::Value;

use crate::Function;
use crate::support::known_length;

pub(crate) fn functions() -> Vec<Function> {
    let mut functions = build::functions();
    functions.extend(product::functions());
    functions.extend(search::functions());
    functions
}

/// A length that must be known by then.
fn length_of(value: &Value) -> usize {
    known_length(value).unwrap_or(0)
}
