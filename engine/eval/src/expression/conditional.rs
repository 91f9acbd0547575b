//! `condition ? a : b`

use std::cmp::Ordering;

use terrace_diag::Diagnostic;
use terrace_syntax::Expr;
use terrace_value::convert::{convert, unify_unsafe};
use terrace_value::{Kind, Refinements, Type, Value};

use super::{Frame, Run, dynamic_with};

impl Run<'_> {
    pub(super) fn conditional(
        &mut self,
        expression: &Expr,
        condition: &Expr,
        if_true: &Expr,
        if_false: &Expr,
        frame: Option<&Frame<'_>>,
    ) -> Value {
        let (true_value, true_said, true_failed) = self.aside(|run| run.eval(if_true, frame));
        let (false_value, false_said, false_failed) = self.aside(|run| run.eval(if_false, frame));
        let Some(ty) = common_type(&true_value, &false_value) else {
            let detail = mismatch(&true_value.ty(), &false_value.ty());
            self.error_about(expression, frame, || {
                Diagnostic::error(
                    "inconsistent-conditional",
                    "Inconsistent conditional result types",
                    format!(
                        "The true and false result expressions must have consistent types. {detail}"
                    ),
                )
                .at(if_true.span.to(if_false.span))
                .within(expression.span)
            });
            return Value::dynamic();
        };
        let decision = self.eval(condition, frame);
        // Also the marks of what is not chosen: which value it is tells something of both.
        let marks = decision.marks() | true_value.marks() | false_value.marks();
        if decision.is_null() {
            self.error_about(condition, frame, || {
                Diagnostic::error(
                    "null-condition",
                    "Null condition",
                    "The condition value is null. Conditions must either be true or false.",
                )
                .at(condition.span)
                .within(expression.span)
            });
            return Value::unknown(ty);
        }
        if !decision.is_known() {
            return undecided(&true_value, &false_value, &ty).with_marks(marks);
        }
        let Some(decision) = convert(&decision, &Type::Bool)
            .ok()
            .and_then(|value| value.as_bool())
        else {
            self.error_about(condition, frame, || {
                Diagnostic::error(
                    "incorrect-condition-type",
                    "Incorrect condition type",
                    "The condition expression must be of type bool.",
                )
                .at(condition.span)
                .within(expression.span)
            });
            return Value::unknown(ty);
        };
        let (chosen, value) = if decision {
            self.put_back(true_said, true_failed);
            ("true", true_value)
        } else {
            self.put_back(false_said, false_failed);
            ("false", false_value)
        };
        match convert(&value, &ty) {
            Ok(value) => value.with_marks(marks),
            Err(error) => {
                self.error_about(expression, frame, || {
                    Diagnostic::error(
                        "inconsistent-conditional",
                        "Inconsistent conditional result types",
                        format!("The {chosen} result value has the wrong type: {error}."),
                    )
                    .at(if_true.span.to(if_false.span))
                    .within(expression.span)
                });
                dynamic_with(marks)
            }
        }
    }
}

/// The type of both results; a bare `null` takes the other's.
fn common_type(if_true: &Value, if_false: &Value) -> Option<Type> {
    let bare_null = |value: &Value| matches!(value.kind(), Kind::Null(Type::Dynamic));
    if bare_null(if_true) {
        return Some(if_false.ty());
    }
    if bare_null(if_false) || if_true.has_same_type(if_false) {
        return Some(if_true.ty());
    }
    if if_true.ty() == Type::Dynamic || if_false.ty() == Type::Dynamic {
        return Some(Type::Dynamic);
    }
    unify_unsafe(&[if_true.ty(), if_false.ty()])
}

/// What is known of the result while the condition is not.
fn undecided(if_true: &Value, if_false: &Value, ty: &Type) -> Value {
    if if_true.is_null() && if_false.is_null() {
        return Value::null(ty.clone());
    }
    let mut known =
        if *ty == Type::Number || (ty.is_collection() && if_true.has_same_type(if_false)) {
            range_of_either(if_true, if_false)
        } else {
            Refinements::default()
        };
    known.not_null = if_true.is_definitely_not_null() && if_false.is_definitely_not_null();
    Value::unknown(ty.clone()).refine(known)
}

/// The bounds that hold for both values.
fn range_of_either(one: &Value, two: &Value) -> Refinements {
    let (one, two) = (one.range(), two.range());
    let min = one
        .min
        .zip(two.min)
        .map(|(one, two)| match one.0.cmp(&two.0) {
            Ordering::Less => one,
            Ordering::Greater => two,
            Ordering::Equal => (one.0, one.1 || two.1),
        });
    let max = one
        .max
        .zip(two.max)
        .map(|(one, two)| match one.0.cmp(&two.0) {
            Ordering::Greater => one,
            Ordering::Less => two,
            Ordering::Equal => (one.0, one.1 || two.1),
        });
    Refinements {
        min,
        max,
        min_length: one
            .min_length
            .zip(two.min_length)
            .map(|(one, two)| one.min(two)),
        max_length: one
            .max_length
            .zip(two.max_length)
            .map(|(one, two)| one.max(two)),
        ..Refinements::default()
    }
}

/// Why two types have nothing in common, in a sentence.
fn mismatch(if_true: &Type, if_false: &Type) -> String {
    match (if_true, if_false) {
        (Type::Object(left), Type::Object(right)) => {
            for (name, ty) in &left.attributes {
                let Some(other) = right.attributes.get(name) else {
                    return format!(
                        "The 'true' value includes object attribute {name:?}, which is absent in the 'false' value."
                    );
                };
                if ty != other {
                    return format!(
                        "Type mismatch for object attribute {name:?}: {}",
                        mismatch(ty, other)
                    );
                }
            }
            let mut names = right.attributes.keys();
            if let Some(name) = names.find(|name| !left.attributes.contains_key(*name)) {
                return format!(
                    "The 'false' value includes object attribute {name:?}, which is absent in the 'true' value."
                );
            }
        }
        (Type::Tuple(left), Type::Tuple(right)) => {
            if left.len() != right.len() {
                return format!(
                    "The 'true' tuple has length {}, but the 'false' tuple has length {}.",
                    left.len(),
                    right.len()
                );
            }
            for (place, (ty, other)) in left.iter().zip(right.iter()).enumerate() {
                if ty != other {
                    return format!(
                        "Type mismatch for tuple element {place}: {}",
                        mismatch(ty, other)
                    );
                }
            }
        }
        _ => {}
    }
    let (left, right) = (if_true.friendly_name(), if_false.friendly_name());
    if left == right {
        return "At least one deeply-nested attribute or element is not compatible across both the 'true' and the \
                'false' value."
            .into();
    }
    format!("The 'true' value is {left}, but the 'false' value is {right}.")
}
