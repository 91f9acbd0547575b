//! What is in a sequence, and where.

use terrace_value::convert::{convert, unify_unsafe};
use terrace_value::{Type, Value};

use super::length_of;
use crate::spec::{any, gives_bool, gives_number, number, parameter};
use crate::support::{elements_of, equal, integer_of, known_length};
use crate::{CallError, Context, Function};

pub(crate) fn functions() -> Vec<Function> {
    let mut functions = choices();
    functions.extend(questions());
    functions
}

fn choices() -> Vec<Function> {
    vec![
        Function::new(
            "coalesce",
            "The first argument that is neither null nor an empty string.",
            [],
            coalesce_type,
            coalesce,
        )
        .with_variadic(any("vals", "").unknown().dynamic().nullable()),
        Function::new(
            "coalescelist",
            "The first list that is not empty.",
            [],
            coalescelist_type,
            coalescelist,
        )
        .with_variadic(
            any("vals", "The lists or tuples.")
                .unknown()
                .dynamic()
                .nullable(),
        ),
        Function::new(
            "element",
            "The element at an index, counting on from the beginning where the list ends.",
            [any("list", "").marked(), number("index", "")],
            element_type,
            element,
        )
        .with_nullable_result(),
        Function::new(
            "one",
            "The only element, or null if there is none. More than one is an error.",
            [any("list", "")],
            one_type,
            one,
        )
        .with_nullable_result(),
    ]
}

fn questions() -> Vec<Function> {
    vec![
        Function::new(
            "alltrue",
            "Whether all elements are true; also if there are none.",
            [parameter("list", "", Type::list(Type::Bool))],
            gives_bool,
            alltrue,
        ),
        Function::new(
            "anytrue",
            "Whether any element is true.",
            [parameter("list", "", Type::list(Type::Bool))],
            gives_bool,
            anytrue,
        ),
        Function::new(
            "contains",
            "Whether a value is an element of a list, tuple or set.",
            [any("list", ""), any("value", "")],
            gives_bool,
            contains,
        ),
        Function::new(
            "index",
            "The index of the first element that equals a value. It is an error if there is none.",
            [any("list", ""), any("value", "")],
            gives_number,
            index,
        ),
    ]
}

fn coalesce_type(arguments: &[Value]) -> Result<Type, CallError> {
    let types: Vec<Type> = arguments.iter().map(Value::ty).collect();
    if types.is_empty() {
        return Err(CallError::call("all arguments must have the same type"));
    }
    unify_unsafe(&types).ok_or_else(|| CallError::call("all arguments must have the same type"))
}

fn coalesce(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    for argument in arguments {
        let converted =
            convert(argument, result).map_err(|error| CallError::call(error.message))?;
        if !converted.is_known() {
            return Ok(Value::unknown(result.clone()));
        }
        let is_empty_text = *result == Type::String && converted.as_str() == Some("");
        if !converted.is_null() && !is_empty_text {
            return Ok(converted);
        }
    }
    Err(CallError::call("no non-null, non-empty-string arguments"))
}

fn coalescelist_type(arguments: &[Value]) -> Result<Type, CallError> {
    let Some(first) = arguments.first() else {
        return Err(CallError::call("at least one argument is required"));
    };
    for argument in arguments {
        if !argument.is_known() {
            return Ok(Type::Dynamic);
        }
        if !matches!(argument.ty(), Type::List(_) | Type::Tuple(_)) {
            return Err(CallError::call(
                "coalescelist arguments must be lists or tuples",
            ));
        }
    }
    let ty = first.ty();
    Ok(if arguments.iter().all(|argument| argument.ty() == ty) {
        ty
    } else {
        Type::Dynamic
    })
}

fn coalescelist(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    for argument in arguments {
        if !argument.is_known() {
            return Ok(Value::unknown(result.clone()));
        }
        if !argument.is_null() && length_of(argument) > 0 {
            return Ok(argument.clone());
        }
    }
    Err(CallError::call("no non-null arguments"))
}

/// The place that an index leads to, counted around the length either way.
fn wrapped_index(index: &Value, length: usize) -> Result<usize, CallError> {
    let index = integer_of(index)
        .map_err(|message| CallError::call(format!("invalid index: {message}")))?;
    if length == 0 {
        return Err(CallError::call(
            "cannot use element function with an empty list",
        ));
    }
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    Ok(usize::try_from(index.rem_euclid(length)).unwrap_or(0))
}

fn element_type(arguments: &[Value]) -> Result<Type, CallError> {
    match arguments[0].ty() {
        Type::List(element) => Ok((*element).clone()),
        Type::Tuple(_) if !arguments[1].is_known() => Ok(Type::Dynamic),
        Type::Tuple(items) => Ok(items[wrapped_index(&arguments[1], items.len())?].clone()),
        other => Err(CallError::call(format!(
            "cannot read elements from {}",
            other.friendly_name()
        ))),
    }
}

fn element(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let items = elements_of(&arguments[0]);
    let index = wrapped_index(&arguments[1], items.len())?;
    Ok(items[index].clone().with_marks(arguments[0].marks()))
}

fn not_one() -> CallError {
    CallError::argument(
        0,
        "must be a list, set, or tuple value with either zero or one elements",
    )
}

fn one_type(arguments: &[Value]) -> Result<Type, CallError> {
    match arguments[0].ty() {
        Type::List(element) | Type::Set(element) => Ok((*element).clone()),
        Type::Tuple(items) => match &*items {
            [] => Ok(Type::Dynamic),
            [only] => Ok(only.clone()),
            _ => Err(not_one()),
        },
        _ => Err(not_one()),
    }
}

fn one(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    // A set of one element has one, be it that parts of it are unknown.
    let is_single = || elements_of(&arguments[0]).len() == 1;
    if known_length(&arguments[0]).is_none() && !(arguments[0].is_known() && is_single()) {
        return Ok(Value::unknown(result.clone()));
    }
    match elements_of(&arguments[0]).as_slice() {
        [] => Ok(Value::null(result.clone())),
        [only] => Ok(only.clone()),
        _ => Err(not_one()),
    }
}

fn alltrue(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    for item in elements_of(&arguments[0]) {
        if !item.is_known() {
            return Ok(Value::unknown(Type::Bool));
        }
        if item.as_bool() != Some(true) {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}

fn anytrue(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let items = elements_of(&arguments[0]);
    if items.iter().any(|item| item.as_bool() == Some(true)) {
        return Ok(Value::TRUE);
    }
    let all_known = items.iter().all(Value::is_known);
    Ok(if all_known {
        Value::FALSE
    } else {
        Value::unknown(Type::Bool)
    })
}

fn contains(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    if !matches!(
        arguments[0].ty(),
        Type::List(_) | Type::Set(_) | Type::Tuple(_)
    ) {
        return Err(CallError::call("argument must be list, tuple, or set"));
    }
    let mut all_known = true;
    for item in elements_of(&arguments[0]) {
        match equal(&arguments[1], &item) {
            Some(true) => return Ok(Value::TRUE),
            Some(false) => {}
            None => all_known = false,
        }
    }
    Ok(if all_known {
        Value::FALSE
    } else {
        Value::unknown(Type::Bool)
    })
}

fn index(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    if !matches!(arguments[0].ty(), Type::List(_) | Type::Tuple(_)) {
        return Err(CallError::call("argument must be a list or tuple"));
    }
    let items = elements_of(&arguments[0]);
    if items.is_empty() {
        return Err(CallError::call("cannot search an empty list"));
    }
    for (index, item) in (0..).zip(&items) {
        match equal(item, &arguments[1]) {
            Some(true) => return Ok(Value::int(index)),
            Some(false) => {}
            None => return Ok(Value::unknown(Type::Number)),
        }
    }
    Err(CallError::call("item not found"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::tests::{call, check};

    #[test]
    fn a_set_of_one_element_has_one_whatever_is_unknown_in_it() {
        let partly = Value::tuple([Value::unknown(Type::String), Value::int(1)]);
        let set = Value::set(partly.ty(), [partly.clone()]);
        assert_eq!(call("one", &[set]).unwrap(), partly);
    }

    #[test]
    fn choosing() {
        check(&[
            ("coalesce", r#"["", "b"]"#, r#""b""#),
            ("coalesce", r#"[null, 1, "a"]"#, r#""1""#),
            (
                "coalesce",
                "[null, null]",
                "! no non-null, non-empty-string arguments",
            ),
            ("coalesce", "[]", "! all arguments must have the same type"),
            ("coalescelist", r#"[[], ["a"]]"#, r#"["a"]"#),
            ("coalescelist", "[[], []]", "! no non-null arguments"),
            (
                "coalescelist",
                r#"[null, ["b"]]"#,
                "! coalescelist arguments must be lists or tuples",
            ),
            ("element", r#"[["a", "b", "c"], 4]"#, r#""b""#),
            ("element", r#"[["a", "b", "c"], -1]"#, r#""c""#),
            (
                "element",
                "[[], 0]",
                "! cannot use element function with an empty list",
            ),
            (
                "element",
                r#"["a", 0]"#,
                "! cannot read elements from string",
            ),
            ("one", "[[]]", "null"),
            ("one", r#"[["a"]]"#, r#""a""#),
            (
                "one",
                "[[1, 2]]",
                "!0 must be a list, set, or tuple value with either zero or one elements",
            ),
        ]);
    }

    #[test]
    fn asking() {
        check(&[
            ("alltrue", r#"[[true, "true"]]"#, "true"),
            ("alltrue", "[[true, null]]", "false"),
            ("anytrue", "[[null, true]]", "true"),
            ("anytrue", "[[]]", "false"),
            ("contains", r#"[["a", "b"], "a"]"#, "true"),
            ("contains", r#"[[1, 2], "1"]"#, "false"),
            (
                "contains",
                r#"["a", "a"]"#,
                "! argument must be list, tuple, or set",
            ),
            ("index", r#"[["a", "b"], "b"]"#, "1"),
            ("index", r#"[["a"], "z"]"#, "! item not found"),
            ("index", r#"[[], "z"]"#, "! cannot search an empty list"),
        ]);
    }

    #[test]
    fn unknown_elements_may_be_the_answer() {
        let list = Value::tuple([Value::unknown(Type::String), Value::from("a")]);
        assert_eq!(
            call("contains", &[list.clone(), Value::from("a")]),
            Ok(Value::TRUE)
        );
        assert!(
            !call("contains", &[list.clone(), Value::from("b")])
                .unwrap()
                .is_known()
        );
        assert!(!call("index", &[list, Value::from("a")]).unwrap().is_known());
    }

    #[test]
    fn an_element_keeps_the_marks_of_its_list() {
        let list = Value::tuple([Value::from("a")]).sensitive();
        assert_eq!(
            call("element", &[list, Value::int(0)]),
            Ok(Value::from("a").sensitive())
        );
    }
}
