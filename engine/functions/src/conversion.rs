//! Conversion of types, and taking ephemeral content out.

use std::sync::Arc;

use terrace_value::convert::convert;
use terrace_value::{Kind, Marks, Type, Value};

use crate::go_text::quoted;
use crate::spec::{any, gives_first};
use crate::{CallError, Function};

pub(crate) fn functions() -> Vec<Function> {
    vec![
        conversion(
            "tobool",
            "The value as a bool.",
            |arguments| possible(arguments, &Type::Bool),
            |arguments, _, _| converted(arguments, &Type::Bool),
        ),
        conversion(
            "tolist",
            "The value as a list of one type.",
            |arguments| possible(arguments, &Type::list(Type::Dynamic)),
            |arguments, _, _| converted(arguments, &Type::list(Type::Dynamic)),
        ),
        conversion(
            "tomap",
            "The value as a map of one type.",
            |arguments| possible(arguments, &Type::map(Type::Dynamic)),
            |arguments, _, _| converted(arguments, &Type::map(Type::Dynamic)),
        ),
        conversion(
            "tonumber",
            "The value as a number.",
            |arguments| possible(arguments, &Type::Number),
            |arguments, _, _| converted(arguments, &Type::Number),
        ),
        conversion(
            "toset",
            "The value as a set of one type.",
            |arguments| possible(arguments, &Type::set(Type::Dynamic)),
            |arguments, _, _| converted(arguments, &Type::set(Type::Dynamic)),
        ),
        conversion(
            "tostring",
            "The value as a string.",
            |arguments| possible(arguments, &Type::String),
            |arguments, _, _| converted(arguments, &Type::String),
        ),
        Function::new(
            "ephemeralasnull",
            "The value with null in place of everything that is ephemeral.",
            [any("value", "").everything()],
            gives_first,
            |arguments, _, _| Ok(without_ephemeral(&arguments[0])),
        )
        .with_nullable_result(),
    ]
}

fn conversion(
    name: &'static str,
    description: &'static str,
    result: crate::TypeFn,
    body: crate::BodyFn,
) -> Function {
    Function::new(name, description, [any("v", "").everything()], result, body)
        .with_nullable_result()
}

/// As messages name a type that is asked for.
fn constraint_name(ty: &Type) -> String {
    match ty {
        Type::Dynamic => "any type".to_owned(),
        Type::List(element) => format!("list of {}", single_name(element)),
        Type::Set(element) => format!("set of {}", single_name(element)),
        Type::Map(element) => format!("map of {}", single_name(element)),
        _ => ty.friendly_name(),
    }
}

fn single_name(ty: &Type) -> String {
    if *ty == Type::Dynamic {
        "any single type".to_owned()
    } else {
        constraint_name(ty)
    }
}

fn possible(arguments: &[Value], wanted: &Type) -> Result<Type, CallError> {
    let given = arguments[0].ty();
    match convert(&Value::unknown(given.clone()), wanted) {
        Ok(_) if !arguments[0].is_known() => Ok(wanted.clone()),
        Ok(result) => Ok(result.ty()),
        Err(_) => Err(impossible(&given, wanted)),
    }
}

fn impossible(given: &Type, wanted: &Type) -> CallError {
    CallError::argument(
        0,
        format!(
            "cannot convert {} to {}",
            given.friendly_name(),
            constraint_name(wanted)
        ),
    )
}

fn converted(arguments: &[Value], wanted: &Type) -> Result<Value, CallError> {
    let value = &arguments[0];
    if !value.is_known() {
        // As in the reference, neither the type of elements nor what else is known of the argument is kept.
        return Ok(Value::unknown(wanted.clone()).with_marks(value.marks()));
    }
    convert(value, wanted).map_err(|_| {
        let given = value.ty();
        let text = value.as_str().map_or("string".to_owned(), quoted);
        let message = match (&given, wanted) {
            _ if value.has_marks_deep(Marks::SENSITIVE) => {
                format!("cannot convert this sensitive {} to {}", given.friendly_name(), constraint_name(wanted))
            }
            (Type::String, Type::Bool) => {
                format!("cannot convert {text} to bool; only the strings \"true\" or \"false\" are allowed")
            }
            (Type::String, Type::Number) => {
                format!("cannot convert {text} to number; given string must be a decimal representation of a number")
            }
            _ => return impossible(&given, wanted),
        };
        CallError::argument(0, message)
    })
}

fn without_ephemeral(value: &Value) -> Value {
    let marks = value.marks();
    if marks.contains(Marks::EPHEMERAL) {
        return Value::null(value.ty()).with_marks(marks.without(Marks::EPHEMERAL));
    }
    if !value.has_marks_deep(Marks::EPHEMERAL) {
        return value.clone();
    }
    let kind = match value.kind() {
        Kind::List(ty, items) => {
            Kind::List(ty.clone(), items.iter().map(without_ephemeral).collect())
        }
        Kind::Tuple(items) => Kind::Tuple(items.iter().map(without_ephemeral).collect()),
        Kind::Map(ty, entries) => Kind::Map(
            ty.clone(),
            Arc::new(
                entries
                    .iter()
                    .map(|(key, item)| (key.clone(), without_ephemeral(item)))
                    .collect(),
            ),
        ),
        Kind::Object(entries) => Kind::Object(Arc::new(
            entries
                .iter()
                .map(|(key, item)| (key.clone(), without_ephemeral(item)))
                .collect(),
        )),
        other => other.clone(),
    };
    Value::from_kind(kind).with_marks(marks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::tests::{call, check};

    #[test]
    fn conversions() {
        check(&[
            ("tostring", "[5.50]", r#""5.5""#),
            ("tostring", "[null]", "null"),
            ("tonumber", r#"["1e5"]"#, "100000"),
            ("tobool", r#"["true"]"#, "true"),
            ("tolist", r#"[["a", 1, true]]"#, r#"["a","1","true"]"#),
            ("toset", r#"[["c", "a", "c"]]"#, r#"["a","c"]"#),
            ("tomap", r#"[{"a": 1, "b": "x"}]"#, r#"{"a":"1","b":"x"}"#),
        ]);
    }

    #[test]
    fn refusals() {
        check(&[
            ("tobool", "[1]", "!0 cannot convert number to bool"),
            (
                "tobool",
                r#"["yes"]"#,
                r#"!0 cannot convert "yes" to bool; only the strings "true" or "false" are allowed"#,
            ),
            (
                "tonumber",
                r#"["x"]"#,
                r#"!0 cannot convert "x" to number; given string must be a decimal representation of a number"#,
            ),
            (
                "toset",
                r#"["a"]"#,
                "!0 cannot convert string to set of any single type",
            ),
            (
                "tomap",
                "[[]]",
                "!0 cannot convert tuple to map of any single type",
            ),
        ]);
        let secret = call("tonumber", &[Value::from("hunter2").sensitive()]);
        assert_eq!(
            secret,
            Err(CallError::argument(
                0,
                "cannot convert this sensitive string to number"
            ))
        );
    }

    #[test]
    fn marks_and_unknowns_stay() {
        assert_eq!(
            call("tostring", &[Value::int(1).sensitive()]),
            Ok(Value::from("1").sensitive())
        );
        let unknown = call("tostring", &[Value::unknown(Type::Number)]).unwrap();
        assert_eq!(unknown.ty(), Type::String);
        assert!(!unknown.is_known());
    }

    #[test]
    fn ephemeral_content_becomes_null() {
        let object = Value::object([
            (
                "a",
                Value::from("x").with_marks(Marks::EPHEMERAL | Marks::SENSITIVE),
            ),
            ("b", Value::from("y")),
        ]);
        let result = call("ephemeralasnull", &[object]).unwrap();
        let expected = Value::object([
            ("a", Value::null(Type::String).sensitive()),
            ("b", Value::from("y")),
        ]);
        assert_eq!(result, expected);
    }
}
