//! Values that must not be stored.

use terrace_diag::Diagnostic;
use terrace_schema::{AttributeType, Block, NestedObject};
use terrace_syntax::Body;
use terrace_value::{Marks, PathStep, Value};

use crate::Evaluator;

impl Evaluator {
    /// An error for each ephemeral value where the schema does not say that it is never stored.
    pub(super) fn ephemeral_problems(
        &self,
        body: &Body,
        schema: &Block,
        value: &Value,
    ) -> Vec<Diagnostic> {
        let (_, marked) = value.unmark_deep_with_paths();
        marked
            .into_iter()
            .filter(|(path, marks)| marks.contains(Marks::EPHEMERAL) && !is_write_only(schema, &path.0))
            .map(|(path, _)| {
                let written = path.to_string();
                let written = written.strip_prefix('.').unwrap_or(&written);
                Diagnostic::error(
                    "ephemeral-stored",
                    "Invalid use of ephemeral value",
                    format!("Ephemeral values are not valid for {written:?}, because it is not a write-only attribute and must be persisted to state."),
                )
                .at(self.span_of(body, schema, &path))
            })
            .collect()
    }
}

/// Whether the schema says that what `steps` lead to is never stored.
fn is_write_only(schema: &Block, steps: &[PathStep]) -> bool {
    let Some((PathStep::Attribute(name), rest)) = steps.split_first() else {
        return false;
    };
    if let Some(attribute) = schema.attributes.get(name) {
        return attribute.write_only
            || match &attribute.ty {
                AttributeType::Plain(_) => false,
                AttributeType::Nested(nested) => is_nested_write_only(nested, rest),
            };
    }
    let Some(nested) = schema.blocks.get(name) else {
        return false;
    };
    let rest = match rest.split_first() {
        Some((PathStep::Index(_), rest)) => rest,
        _ => rest,
    };
    is_write_only(&nested.block, rest)
}

fn is_nested_write_only(nested: &NestedObject, steps: &[PathStep]) -> bool {
    let steps = match steps.split_first() {
        Some((PathStep::Index(_), rest)) => rest,
        _ => steps,
    };
    let Some((PathStep::Attribute(name), rest)) = steps.split_first() else {
        return false;
    };
    nested.attributes.get(name).is_some_and(|attribute| {
        attribute.write_only
            || match &attribute.ty {
                AttributeType::Plain(_) => false,
                AttributeType::Nested(nested) => is_nested_write_only(nested, rest),
            }
    })
}

#[cfg(test)]
mod tests {
    use terrace_schema::Attribute;
    use terrace_value::{Path, Type};

    use super::*;

    #[test]
    fn write_only_is_found_by_path() {
        let secret = Attribute {
            write_only: true,
            ..Attribute::optional(Type::String)
        };
        let schema = Block {
            attributes: [("secret".into(), secret)].into(),
            ..Block::default()
        };
        assert!(is_write_only(&schema, &Path::root().attribute("secret").0));
        assert!(!is_write_only(&schema, &Path::root().attribute("other").0));
    }
}
