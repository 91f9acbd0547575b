//! Equality as expressions see it: unknown where it cannot be decided yet.

use std::collections::BTreeMap;

use super::unknown_result;
use crate::{Kind, Marks, Refinements, Text, Type, Value};

/// Whether two values are equal: a bool, unknown if that is not decided yet.
///
/// Nulls of any types are equal; values of different types never are. Marks at any depth are on the result, except
/// that against null only the marks of the whole values count.
pub fn equals(left: &Value, right: &Value) -> Value {
    let marks = relevant_marks(left, right);
    let result = match decide(left, right) {
        Some(equal) => Value::bool(equal),
        None => unknown_result(Type::Bool),
    };
    result.with_marks(marks)
}

/// The opposite of [`equals`].
pub fn not_equals(left: &Value, right: &Value) -> Value {
    let (equal, marks) = equals(left, right).unmark();
    equal
        .as_bool()
        .map_or(equal, |equal| Value::bool(!equal))
        .with_marks(marks)
}

fn relevant_marks(left: &Value, right: &Value) -> Marks {
    if left.is_null() != right.is_null() {
        left.marks() | right.marks()
    } else {
        left.marks_deep() | right.marks_deep()
    }
}

/// `None` if it is not decided yet.
fn decide(left: &Value, right: &Value) -> Option<bool> {
    match (left.kind(), right.kind()) {
        (Kind::Null(_), _) if right.is_definitely_not_null() => Some(false),
        (_, Kind::Null(_)) if left.is_definitely_not_null() => Some(false),
        (Kind::Unknown(_), Kind::Unknown(_)) => None,
        (Kind::Unknown(unknown), _) => decide_unknown(&unknown.0, &unknown.1, right),
        (_, Kind::Unknown(unknown)) => decide_unknown(&unknown.0, &unknown.1, left),
        (Kind::Null(_), Kind::Null(_)) => Some(true),
        _ if left.has_unknown_type() || right.has_unknown_type() => {
            if std::mem::discriminant(left.kind()) == std::mem::discriminant(right.kind()) {
                None
            } else {
                Some(false)
            }
        }
        _ if !left.has_same_type(right) => Some(false),
        _ => decide_known(left, right),
    }
}

/// Both are known, not null, and of the same type.
fn decide_known(left: &Value, right: &Value) -> Option<bool> {
    match (left.kind(), right.kind()) {
        (Kind::Set(_, one), Kind::Set(_, two)) => {
            if left.is_wholly_known() && right.is_wholly_known() {
                return Some(one == two);
            }
            // Whichever way the unknown parts turn out, an element without a counterpart makes a difference.
            let lone = |element: &Value, others: &[Value]| {
                others
                    .iter()
                    .all(|other| decide(element, other) == Some(false))
            };
            let differ = one.iter().any(|element| lone(element, two))
                || two.iter().any(|element| lone(element, one));
            if differ { Some(false) } else { None }
        }
        (Kind::List(_, one), Kind::List(_, two)) | (Kind::Tuple(one), Kind::Tuple(two)) => {
            if one.len() != two.len() {
                return Some(false);
            }
            first_difference(one.iter().zip(two.iter()))
        }
        (Kind::Map(_, one), Kind::Map(_, two)) | (Kind::Object(one), Kind::Object(two)) => {
            if !same_keys(one, two) {
                return Some(false);
            }
            first_difference(one.values().zip(two.values()))
        }
        (one, two) => Some(one == two),
    }
}

fn same_keys(one: &BTreeMap<Text, Value>, two: &BTreeMap<Text, Value>) -> bool {
    one.len() == two.len() && one.keys().eq(two.keys())
}

/// The first pair that is not surely equal decides, as in the reference.
fn first_difference<'a>(pairs: impl Iterator<Item = (&'a Value, &'a Value)>) -> Option<bool> {
    for (one, two) in pairs {
        match decide(one, two) {
            Some(true) => {}
            other => return other,
        }
    }
    Some(true)
}

/// Compares an unknown of type `ty` with a known value: `Some(false)` if it cannot become that, else `None`.
fn decide_unknown(ty: &Type, refinements: &Refinements, known: &Value) -> Option<bool> {
    if known.is_null() || *ty == Type::Dynamic {
        return None;
    }
    if ty.has_dynamic() {
        return if same_structure(ty, known) {
            None
        } else {
            Some(false)
        };
    }
    if !known.has_unknown_type() && !known.has_type(ty) {
        return Some(false);
    }
    if excludes(refinements, known) {
        Some(false)
    } else {
        None
    }
}

/// Whether a value of type `ty`, which is not known in full, can be of the same kind as `known` is.
const fn same_structure(ty: &Type, known: &Value) -> bool {
    matches!(
        (ty, known.kind()),
        (Type::List(_), Kind::List(..))
            | (Type::Set(_), Kind::Set(..))
            | (Type::Map(_), Kind::Map(..))
            | (Type::Tuple(_), Kind::Tuple(_))
            | (Type::Object(_), Kind::Object(_))
    )
}

/// Whether what is known of an unknown value keeps it from becoming `known`.
fn excludes(refinements: &Refinements, known: &Value) -> bool {
    match known.kind() {
        Kind::String(text) => refinements
            .prefix
            .as_ref()
            .is_some_and(|prefix| !text.starts_with(&**prefix)),
        Kind::Number(number) => {
            let below = refinements
                .min
                .as_ref()
                .is_some_and(|(min, inclusive)| number < min || (!inclusive && number == min));
            let above = refinements
                .max
                .as_ref()
                .is_some_and(|(max, inclusive)| number > max || (!inclusive && number == max));
            below || above
        }
        Kind::List(_, items) => excludes_length(refinements, items.len(), items.len()),
        Kind::Set(_, items) => {
            let least = if known.is_wholly_known() {
                items.len()
            } else {
                items.len().min(1)
            };
            excludes_length(refinements, least, items.len())
        }
        Kind::Map(_, entries) => excludes_length(refinements, entries.len(), entries.len()),
        _ => false,
    }
}

fn excludes_length(refinements: &Refinements, least: usize, most: usize) -> bool {
    refinements
        .min_length
        .is_some_and(|min| (most as u64) < min)
        || refinements
            .max_length
            .is_some_and(|max| (least as u64) > max)
}
