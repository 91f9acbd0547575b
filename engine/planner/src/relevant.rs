//! Relevant attributes.

use terrace_plan::RelevantAttribute;

use crate::walk::Walk;

pub(crate) fn attributes(_walk: &Walk<'_>) -> Vec<RelevantAttribute> {
    Vec::new()
}
