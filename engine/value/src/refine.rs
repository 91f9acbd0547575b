//! What is known of an unknown value.

use crate::{Number, Text};

/// What is known of a value that is not known yet. The default says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Refinements {
    /// It will not be null.
    pub not_null: bool,
    /// A string that it will begin with.
    pub prefix: Option<Text>,
    /// The least number it can be, and whether it can be that number.
    pub min: Option<(Number, bool)>,
    /// The greatest number it can be, and whether it can be that number.
    pub max: Option<(Number, bool)>,
    /// The least length of a collection.
    pub min_length: Option<u64>,
    /// The greatest length of a collection.
    pub max_length: Option<u64>,
}

impl Refinements {
    /// Only that it will not be null.
    pub fn not_null() -> Self {
        Self { not_null: true, ..Self::default() }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
