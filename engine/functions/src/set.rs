//! Sets.

use std::collections::HashSet;

use terrace_value::convert::{convert, unify_unsafe};
use terrace_value::{Kind, Type, Value};

use crate::spec::parameter;
use crate::support::{elements_of, known_length};

use crate::{CallError, Context, Function, Parameter};

pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            "setintersection",
            "The elements that are in all of the sets.",
            [set("first_set")],
            result_type,
            |arguments, result, _| {
                combined(arguments, result, |set, other| {
                    set.retain(|item| other.contains(item));
                })
            },
        )
        .with_variadic(set("other_sets")),
        Function::new(
            "setsubtract",
            "The elements of the first set that are not in the second.",
            [set("a"), set("b")],
            result_type,
            |arguments, result, _| {
                combined(arguments, result, |set, other| {
                    set.retain(|item| !other.contains(item));
                })
            },
        ),
        Function::new(
            "setunion",
            "The elements of all sets together.",
            [set("first_set")],
            result_type,
            union,
        )
        .with_variadic(set("other_sets")),
    ]
}

fn set(name: &'static str) -> Parameter {
    parameter(name, "", Type::set(Type::Dynamic)).dynamic()
}

/// A set of the type that all elements convert to. Empty sets of no particular type do not count.
fn result_type(arguments: &[Value]) -> Result<Type, CallError> {
    let elements: Vec<Type> = arguments
        .iter()
        .filter_map(|argument| {
            let element = argument.ty().element().cloned().unwrap_or(Type::Dynamic);
            let counts = element != Type::Dynamic || known_length(argument) != Some(0);
            counts.then_some(element)
        })
        .collect();
    if elements.is_empty() {
        return Ok(Type::set(Type::Dynamic));
    }
    unify_unsafe(&elements)
        .map(Type::set)
        .ok_or_else(|| CallError::call("given sets must all have compatible element types"))
}

fn converted(arguments: &[Value], result: &Type) -> Result<Vec<Value>, CallError> {
    arguments
        .iter()
        .enumerate()
        .map(|(index, argument)| {
            convert(argument, result).map_err(|error| CallError::argument(index, error.message))
        })
        .collect()
}

fn union(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let sets = converted(arguments, result)?;
    let element = result.element().cloned().unwrap_or(Type::Dynamic);
    Ok(Value::set(element, sets.iter().flat_map(elements_of)))
}

/// Lets each further set change the first; unknown if any element is, because it could turn out to be any other.
fn combined(
    arguments: &[Value],
    result: &Type,
    change: fn(&mut Vec<Value>, &HashSet<Value>),
) -> Result<Value, CallError> {
    let sets = converted(arguments, result)?;
    if !sets.iter().all(Value::is_wholly_known) {
        return Ok(Value::unknown(result.clone()));
    }
    let mut elements = sets.first().map(elements_of).unwrap_or_default();
    for other in &sets[1..] {
        change(&mut elements, &elements_of(other).into_iter().collect());
    }
    let element = result.element().cloned().unwrap_or(Type::Dynamic);
    Ok(Value::from_kind(Kind::Set(element, elements.into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::tests::{call, check};

    #[test]
    fn operations() {
        check(&[
            (
                "setunion",
                r#"[["b", "a"], ["c", "b"]]"#,
                r#"["a","b","c"]"#,
            ),
            ("setunion", "[[]]", "[]"),
            ("setintersection", r#"[[1, 2], ["2"]]"#, r#"["2"]"#),
            ("setintersection", r#"[["a", "b"], ["b"], []]"#, "[]"),
            (
                "setsubtract",
                r#"[["a", "b", "c"], ["a", "c"]]"#,
                r#"["b"]"#,
            ),
            ("setsubtract", r#"[["a"], [1]]"#, r#"["a"]"#),
            (
                "setunion",
                r#"[["a"], [[1]]]"#,
                "! given sets must all have compatible element types",
            ),
        ]);
    }

    #[test]
    fn an_unknown_element_may_be_any() {
        let known = Value::set(Type::String, [Value::from("a")]);
        let unknown = Value::set(Type::String, [Value::unknown(Type::String)]);
        let subtracted = call("setsubtract", &[known.clone(), unknown.clone()]).unwrap();
        assert!(!subtracted.is_known());
        assert!(call("setunion", &[known, unknown]).unwrap().is_known());
    }
}
