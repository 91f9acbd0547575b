//! Operators.

use terrace_diag::Diagnostic;
use terrace_syntax::{BinaryOp, Expr, UnaryOp};
use terrace_value::convert::convert;
use terrace_value::ops::{self, OperationError};
use terrace_value::{Type, Value};

use super::{Frame, Run};

type Operation = fn(&Value, &Value) -> Result<Value, OperationError>;
type UnaryOperation = fn(&Value) -> Result<Value, OperationError>;

/// What an operator takes, what it gives, and how.
fn operation(op: BinaryOp) -> Option<(Type, Type, Operation)> {
    Some(match op {
        BinaryOp::Or => (Type::Bool, Type::Bool, ops::or),
        BinaryOp::And => (Type::Bool, Type::Bool, ops::and),
        BinaryOp::Equal | BinaryOp::NotEqual => return None,
        BinaryOp::Greater => (Type::Number, Type::Bool, ops::greater_than),
        BinaryOp::GreaterOrEqual => (Type::Number, Type::Bool, ops::greater_than_or_equal),
        BinaryOp::Less => (Type::Number, Type::Bool, ops::less_than),
        BinaryOp::LessOrEqual => (Type::Number, Type::Bool, ops::less_than_or_equal),
        BinaryOp::Add => (Type::Number, Type::Number, ops::add),
        BinaryOp::Subtract => (Type::Number, Type::Number, ops::subtract),
        BinaryOp::Multiply => (Type::Number, Type::Number, ops::multiply),
        BinaryOp::Divide => (Type::Number, Type::Number, ops::divide),
        BinaryOp::Modulo => (Type::Number, Type::Number, ops::modulo),
    })
}

impl Run<'_> {
    pub(super) fn binary(
        &mut self,
        expression: &Expr,
        op: BinaryOp,
        left: &Expr,
        right: &Expr,
        frame: Option<&Frame<'_>>,
    ) -> Value {
        let before = self.errors();
        let left_value = self.eval(left, frame);
        let right_value = self.eval(right, frame);
        let Some((takes, gives, operation)) = operation(op) else {
            if self.errors() > before {
                return Value::unknown(Type::Bool);
            }
            return if op == BinaryOp::Equal {
                ops::equals(&left_value, &right_value)
            } else {
                ops::not_equals(&left_value, &right_value)
            };
        };
        let left_value = self.operand(&left_value, &takes, left, "left", frame);
        let right_value = self.operand(&right_value, &takes, right, "right", frame);
        if self.errors() > before {
            return Value::unknown(gives);
        }
        match operation(&left_value, &right_value) {
            Ok(result) => result,
            Err(error) => {
                self.operation_failed(expression, &error, frame);
                Value::unknown(gives)
            }
        }
    }

    pub(super) fn unary(
        &mut self,
        expression: &Expr,
        op: UnaryOp,
        operand: &Expr,
        frame: Option<&Frame<'_>>,
    ) -> Value {
        let (ty, operation): (Type, UnaryOperation) = match op {
            UnaryOp::Not => (Type::Bool, ops::not),
            UnaryOp::Negate => (Type::Number, ops::negate),
        };
        let before = self.errors();
        let value = self.eval(operand, frame);
        let value = self.operand(&value, &ty, operand, "unary", frame);
        if self.errors() > before {
            return Value::unknown(ty);
        }
        match operation(&value) {
            Ok(result) => result,
            Err(error) => {
                self.operation_failed(expression, &error, frame);
                Value::unknown(ty)
            }
        }
    }

    fn operand(
        &mut self,
        value: &Value,
        ty: &Type,
        expression: &Expr,
        which: &str,
        frame: Option<&Frame<'_>>,
    ) -> Value {
        match convert(value, ty) {
            Ok(value) => value,
            Err(error) => {
                self.error_about(expression, frame, || {
                    Diagnostic::error(
                        "invalid-operand",
                        "Invalid operand",
                        format!("Unsuitable value for {which} operand: {error}."),
                    )
                    .at(expression.span)
                });
                Value::unknown(ty.clone())
            }
        }
    }

    fn operation_failed(
        &mut self,
        expression: &Expr,
        error: &OperationError,
        frame: Option<&Frame<'_>>,
    ) {
        self.error_about(expression, frame, || {
            Diagnostic::error(
                "operation-failed",
                "Operation failed",
                format!("Error during operation: {error}."),
            )
            .at(expression.span)
        });
    }
}
