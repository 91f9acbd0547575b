//! Combinations of several sequences.

use terrace_value::convert::{convert, unify_unsafe};
use terrace_value::{Marks, Refinements, Type, Value};

use crate::spec::{any, gives_first, parameter};
use crate::support::{elements_of, equal, known_length, length_bounds};
use crate::{CallError, Context, Function};

pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            "matchkeys",
            "The values whose keys, at the same places of another list, are among those searched for.",
            [
                parameter("values", "", Type::list(Type::Dynamic)),
                parameter("keys", "", Type::list(Type::Dynamic)),
                parameter("searchset", "", Type::list(Type::Dynamic)),
            ],
            matchkeys_type,
            matchkeys,
        ),
        Function::new(
            "setproduct",
            "All combinations of one element of each of the sets or lists.",
            [],
            setproduct_type,
            setproduct,
        )
        .with_variadic(
            any(
                "sets",
                "The sets; if all are lists or tuples, the result keeps their order.",
            )
            .marked()
            .unknown(),
        ),
    ]
}

fn matchkeys_type(arguments: &[Value]) -> Result<Type, CallError> {
    match unify_unsafe(&[arguments[1].ty(), arguments[2].ty()]) {
        Some(_) => gives_first(arguments),
        None => Err(CallError::call(
            "keys and searchset must be of the same type",
        )),
    }
}

fn matchkeys(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let [values, keys, searched] = [&arguments[0], &arguments[1], &arguments[2]];
    if known_length(values) != known_length(keys) {
        return Err(CallError::call("length of keys and values should be equal"));
    }
    let common = unify_unsafe(&[keys.ty(), searched.ty()]).unwrap_or(Type::Dynamic);
    let as_common = |value: &Value| convert(value, &common).unwrap_or_else(|_| value.clone());
    let (keys, searched) = (as_common(keys), as_common(searched));
    let element = result.element().cloned().unwrap_or(Type::Dynamic);
    let wanted = elements_of(&searched);
    if wanted.is_empty() {
        return Ok(Value::list(element, []));
    }
    if !values.is_wholly_known() || !keys.is_wholly_known() {
        return Ok(Value::unknown(result.clone()));
    }
    let mut matched = Vec::new();
    for (key, value) in elements_of(&keys).iter().zip(elements_of(values)) {
        for candidate in &wanted {
            match equal(key, candidate) {
                Some(true) => {
                    matched.push(value);
                    break;
                }
                Some(false) => {}
                None => return Ok(Value::unknown(result.clone())),
            }
        }
    }
    Ok(Value::list(element, matched))
}

fn setproduct_type(arguments: &[Value]) -> Result<Type, CallError> {
    if arguments.len() < 2 {
        return Err(CallError::call("at least two arguments are required"));
    }
    let mut elements = Vec::with_capacity(arguments.len());
    let mut all_ordered = true;
    for (index, argument) in arguments.iter().enumerate() {
        elements.push(match argument.ty() {
            Type::Set(element) => {
                all_ordered = false;
                (*element).clone()
            }
            Type::List(element) => (*element).clone(),
            Type::Tuple(items) if items.is_empty() => Type::Dynamic,
            Type::Tuple(items) => unify_unsafe(&items).ok_or_else(|| {
                CallError::argument(index, "all elements must be of the same type")
            })?,
            _ => return Err(CallError::argument(index, "a set or a list is required")),
        });
    }
    let combination = Type::tuple(elements);
    Ok(if all_ordered {
        Type::list(combination)
    } else {
        Type::set(combination)
    })
}

fn setproduct(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let marks = arguments
        .iter()
        .fold(Marks::NONE, |marks, argument| marks | argument.marks());
    if !arguments
        .iter()
        .all(|argument| argument.is_known() && known_length(argument).is_some())
    {
        let refinements = product_bounds(arguments);
        return Ok(Value::unknown_refined(result.clone(), refinements).with_marks(marks));
    }
    let combination = result.element().cloned().unwrap_or(Type::Dynamic);
    let Type::Tuple(types) = &combination else {
        return Err(CallError::call("at least two arguments are required"));
    };
    let mut combinations: Vec<Vec<Value>> = vec![Vec::new()];
    for (argument, ty) in arguments.iter().zip(types.iter()) {
        let items = elements_of(argument)
            .iter()
            .map(|item| convert(item, ty))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| CallError::call(error.message))?;
        if combinations.len().saturating_mul(items.len()) > MOST_COMBINATIONS {
            return Err(CallError::call(format!(
                "there are more than {MOST_COMBINATIONS} combinations"
            )));
        }
        combinations = combinations
            .iter()
            .flat_map(|begun| {
                items
                    .iter()
                    .map(|item| [begun.as_slice(), std::slice::from_ref(item)].concat())
            })
            .collect();
    }
    let combinations = combinations.into_iter().map(Value::tuple);
    let value = match result {
        Type::List(_) => Value::list(combination.clone(), combinations),
        _ => Value::set(combination.clone(), combinations),
    };
    Ok(value.with_marks(marks))
}

const MOST_COMBINATIONS: usize = 1 << 24;

/// How long a product can become, as far as that is bounded usefully.
fn product_bounds(arguments: &[Value]) -> Refinements {
    let mut greatest = 1_u64;
    for argument in arguments {
        match length_bounds(argument).1 {
            Some(length) if length <= 1024 => greatest *= length,
            _ => return Refinements::not_null(),
        }
        if greatest > 2048 {
            return Refinements::not_null();
        }
    }
    let least = if greatest == 0 { None } else { Some(1) };
    Refinements {
        min_length: least,
        max_length: Some(greatest),
        ..Refinements::not_null()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::tests::{call, check};

    #[test]
    fn combinations() {
        check(&[
            (
                "setproduct",
                r#"[["a", "b"], [1, 2]]"#,
                r#"[["a",1],["a",2],["b",1],["b",2]]"#,
            ),
            ("setproduct", r#"[[], ["a"]]"#, "[]"),
            (
                "setproduct",
                r#"[["a"]]"#,
                "! at least two arguments are required",
            ),
            (
                "setproduct",
                r#"[["a"], "b"]"#,
                "!1 a set or a list is required",
            ),
            (
                "matchkeys",
                r#"[["i-1", "i-2", "i-3"], ["west", "east", "east"], ["east"]]"#,
                r#"["i-2","i-3"]"#,
            ),
            (
                "matchkeys",
                r#"[["a"], ["b", "c"], ["b"]]"#,
                "! length of keys and values should be equal",
            ),
        ]);
    }

    #[test]
    fn a_set_among_them_makes_a_set() {
        let set = Value::set(Type::String, [Value::from("a")]).sensitive();
        let result = call("setproduct", &[set, Value::tuple([Value::int(1)])]).unwrap();
        assert_eq!(
            result.ty(),
            Type::set(Type::tuple([Type::String, Type::Number]))
        );
        assert!(result.is_sensitive());
    }

    #[test]
    fn unknown_lengths_are_bounded() {
        let unknown = Value::set(
            Type::String,
            [Value::unknown(Type::String), Value::from("a")],
        );
        let result = call(
            "setproduct",
            &[unknown, Value::tuple([Value::int(1), Value::int(2)])],
        )
        .unwrap();
        let refinements = result.refinements().unwrap();
        assert_eq!(
            (refinements.min_length, refinements.max_length),
            (Some(1), Some(4))
        );
    }
}
