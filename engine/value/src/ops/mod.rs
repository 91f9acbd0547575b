//! Operations on values: equality with unknowns and marks, order, arithmetic, logic, indexing.
//!
//! Marks of the operands are on the result, and where an operand is unknown, so is the result unless what is known
//! of the operand decides it.

mod access;
mod equality;
mod set_order;

use std::cmp::Ordering;
use std::fmt;

use crate::{Kind, NotANumber, Number, Refinements, Type, Value};

pub use access::{AccessError, MAX_LENGTH, get_attribute, has_index, index, length};
pub use equality::{equals, not_equals};
pub(crate) use set_order::sort_set;

/// Why an operation has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationError {
    /// An operand is null.
    NullOperand,
    /// An operand is not of the type that the operation works on; operands are converted before.
    WrongType(Type),
    /// The result would be no number.
    NotANumber(NotANumber),
}

impl fmt::Display for OperationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NullOperand => f.write_str("argument must not be null"),
            Self::WrongType(ty) => write!(f, "{} required", ty.friendly_name()),
            Self::NotANumber(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OperationError {}

impl From<NotANumber> for OperationError {
    fn from(error: NotANumber) -> Self {
        Self::NotANumber(error)
    }
}

/// The sum of two numbers.
pub fn add(left: &Value, right: &Value) -> Result<Value, OperationError> {
    arithmetic(left, right, Number::add)
}

/// The difference of two numbers.
pub fn subtract(left: &Value, right: &Value) -> Result<Value, OperationError> {
    arithmetic(left, right, Number::sub)
}

/// The product of two numbers.
pub fn multiply(left: &Value, right: &Value) -> Result<Value, OperationError> {
    arithmetic(left, right, Number::mul)
}

/// The quotient of two numbers.
pub fn divide(left: &Value, right: &Value) -> Result<Value, OperationError> {
    arithmetic(left, right, Number::div)
}

/// The remainder of two numbers, with the sign of the first.
pub fn modulo(left: &Value, right: &Value) -> Result<Value, OperationError> {
    arithmetic(left, right, Number::rem)
}

/// The number with the other sign.
pub fn negate(value: &Value) -> Result<Value, OperationError> {
    let result = match operand_number(value)? {
        Some(number) => Value::number(number.neg()),
        None => unknown_result(Type::Number),
    };
    Ok(result.with_marks(value.marks()))
}

/// `left < right` for numbers.
pub fn less_than(left: &Value, right: &Value) -> Result<Value, OperationError> {
    comparison(left, right, Ordering::is_lt)
}

/// `left <= right` for numbers.
pub fn less_than_or_equal(left: &Value, right: &Value) -> Result<Value, OperationError> {
    comparison(left, right, Ordering::is_le)
}

/// `left > right` for numbers.
pub fn greater_than(left: &Value, right: &Value) -> Result<Value, OperationError> {
    comparison(left, right, Ordering::is_gt)
}

/// `left >= right` for numbers.
pub fn greater_than_or_equal(left: &Value, right: &Value) -> Result<Value, OperationError> {
    comparison(left, right, Ordering::is_ge)
}

/// Whether both are true. As in the reference, unknown if either is unknown, even beside a `false`.
pub fn and(left: &Value, right: &Value) -> Result<Value, OperationError> {
    logic(left, right, |left, right| left && right)
}

/// Whether at least one is true. As in the reference, unknown if either is unknown, even beside a `true`.
pub fn or(left: &Value, right: &Value) -> Result<Value, OperationError> {
    logic(left, right, |left, right| left || right)
}

/// The opposite bool.
pub fn not(value: &Value) -> Result<Value, OperationError> {
    let result = match operand_bool(value)? {
        Some(value) => Value::bool(!value),
        None => unknown_result(Type::Bool),
    };
    Ok(result.with_marks(value.marks()))
}

fn arithmetic(
    left: &Value,
    right: &Value,
    operation: impl FnOnce(&Number, &Number) -> Result<Number, NotANumber>,
) -> Result<Value, OperationError> {
    let result = match (operand_number(left)?, operand_number(right)?) {
        (Some(left), Some(right)) => Value::number(operation(left, right)?),
        _ => unknown_result(Type::Number),
    };
    Ok(result.with_marks(left.marks() | right.marks()))
}

fn comparison(
    left: &Value,
    right: &Value,
    holds: impl Fn(Ordering) -> bool,
) -> Result<Value, OperationError> {
    let result = match (operand_number(left)?, operand_number(right)?) {
        (Some(left), Some(right)) => Value::bool(holds(left.cmp(right))),
        _ => match order_by_range(left, right) {
            Some(order) => Value::bool(holds(order)),
            None => unknown_result(Type::Bool),
        },
    };
    Ok(result.with_marks(left.marks() | right.marks()))
}

fn logic(
    left: &Value,
    right: &Value,
    operation: impl Fn(bool, bool) -> bool,
) -> Result<Value, OperationError> {
    let result = match (operand_bool(left)?, operand_bool(right)?) {
        (Some(left), Some(right)) => Value::bool(operation(left, right)),
        _ => unknown_result(Type::Bool),
    };
    Ok(result.with_marks(left.marks() | right.marks()))
}

/// Which of two numbers is less, where what is known of them decides it without doubt.
fn order_by_range(left: &Value, right: &Value) -> Option<Ordering> {
    let lower = |value| bounds(value).0;
    let upper = |value| bounds(value).1;
    if upper(left)? < lower(right)? {
        return Some(Ordering::Less);
    }
    (lower(left)? > upper(right)?).then_some(Ordering::Greater)
}

/// The least and the greatest number that a value can be, as far as they are known.
fn bounds(value: &Value) -> (Option<&Number>, Option<&Number>) {
    match value.kind() {
        Kind::Number(number) => (Some(number), Some(number)),
        Kind::Unknown(unknown) => (
            unknown.1.min.as_ref().map(|bound| &bound.0),
            unknown.1.max.as_ref().map(|bound| &bound.0),
        ),
        _ => (None, None),
    }
}

/// The number; `None` if it is unknown.
fn operand_number(value: &Value) -> Result<Option<&Number>, OperationError> {
    match value.kind() {
        Kind::Number(number) => Ok(Some(number)),
        kind => unknown_operand(kind, Type::Number).map(|()| None),
    }
}

/// The bool; `None` if it is unknown.
fn operand_bool(value: &Value) -> Result<Option<bool>, OperationError> {
    match value.kind() {
        Kind::Bool(value) => Ok(Some(*value)),
        kind => unknown_operand(kind, Type::Bool).map(|()| None),
    }
}

fn unknown_operand(kind: &Kind, wanted: Type) -> Result<(), OperationError> {
    match kind {
        Kind::Null(_) => Err(OperationError::NullOperand),
        Kind::Unknown(unknown) if unknown.0 == wanted || unknown.0 == Type::Dynamic => Ok(()),
        _ => Err(OperationError::WrongType(wanted)),
    }
}

/// Unknown, but not null: operations do not result in null.
fn unknown_result(ty: Type) -> Value {
    Value::unknown_refined(ty, Refinements::not_null())
}

#[cfg(test)]
mod tests;
