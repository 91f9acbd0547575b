//! Templates.

use terrace_diag::Diagnostic;
use terrace_syntax::{Expr, ExprKind};
use terrace_value::convert::convert;
use terrace_value::{Marks, Refinements, Type, Value};

use super::{Frame, Run};

impl Run<'_> {
    pub(super) fn template(
        &mut self,
        expression: &Expr,
        parts: &[Expr],
        frame: Option<&Frame<'_>>,
    ) -> Value {
        if let [part] = parts
            && let ExprKind::Literal(value) = &part.kind
            && value.as_str().is_some()
        {
            return value.clone();
        }
        let before = self.errors();
        let mut text = String::new();
        let mut marks = Marks::NONE;
        let mut known = true;
        for part in parts {
            let value = self.eval(part, frame);
            marks |= value.marks();
            if value.is_null() {
                self.error_about(part, frame, || {
                    Diagnostic::error(
                        "invalid-interpolation",
                        "Invalid template interpolation value",
                        "The expression result is null. Cannot include a null value in a string template.",
                    )
                    .at(part.span)
                    .within(expression.span)
                });
                continue;
            }
            if !value.is_known() {
                known = false;
                continue;
            }
            match convert(&value, &Type::String) {
                Ok(value) if known => text.push_str(value.as_str().unwrap_or_default()),
                Ok(_) => {}
                Err(error) => self.error_about(part, frame, || {
                    Diagnostic::error(
                        "invalid-interpolation",
                        "Invalid template interpolation value",
                        format!("Cannot include the given value in a string template: {error}."),
                    )
                    .at(part.span)
                    .within(expression.span)
                }),
            }
        }
        if !known {
            let failed = self.errors() > before;
            let refinements = if failed {
                Refinements::not_null()
            } else {
                Refinements::beginning_with(&text)
            };
            return Value::unknown_refined(Type::String, refinements).with_marks(marks);
        }
        Value::string(text).with_marks(marks)
    }

    pub(super) fn template_join(
        &mut self,
        expression: &Expr,
        inner: &Expr,
        frame: Option<&Frame<'_>>,
    ) -> Value {
        let parts = self.eval(inner, frame);
        let mut marks = parts.marks();
        let Some(items) = parts.as_sequence() else {
            return Value::unknown(Type::String).with_marks(marks);
        };
        let mut text = String::new();
        let mut known = true;
        for item in items {
            marks |= item.marks();
            if item.is_null() {
                self.error_about(inner, frame, || {
                    Diagnostic::error(
                        "invalid-interpolation",
                        "Invalid template interpolation value",
                        "An iteration result is null. Cannot include a null value in a string template.",
                    )
                    .at(expression.span)
                });
                continue;
            }
            match convert(item, &Type::String) {
                Ok(item) => match item.as_str() {
                    Some(more) => text.push_str(more),
                    None => known = false,
                },
                Err(error) => self.error_about(inner, frame, || {
                    Diagnostic::error(
                        "invalid-interpolation",
                        "Invalid template interpolation value",
                        format!("Cannot include one of the interpolation results into the string template: {error}."),
                    )
                    .at(expression.span)
                }),
            }
        }
        if !known {
            return Value::unknown(Type::String).with_marks(marks);
        }
        Value::string(text).with_marks(marks)
    }
}
