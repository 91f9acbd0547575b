//! Values as people read them: outputs and objects of the state.

use terrace_value::{Value, literal};

/// A value over as many lines as it needs, the first without indentation.
pub(crate) fn value_text(value: &Value, indent: usize) -> String {
    literal::shown(value, indent)
}
