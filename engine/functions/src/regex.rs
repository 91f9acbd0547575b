//! Matching patterns.

use std::collections::BTreeSet;

use terrace_value::{Type, Value};

use crate::re2::Pattern;
use crate::spec::text;
use crate::support::text_of;
use crate::{CallError, Context, Function};

pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            "regex",
            "The first match of a pattern: a string, or its groups as a tuple or object. It is an error if there is none.",
            [text("pattern", ""), text("string", "")],
            pattern_type,
            regex,
        ),
        Function::new(
            "regexall",
            "All matches of a pattern, each as `regex` would give it.",
            [text("pattern", ""), text("string", "")],
            |arguments| pattern_type(arguments).map(Type::list),
            regexall,
        ),
    ]
}

/// What a match of the first argument looks like.
fn pattern_type(arguments: &[Value]) -> Result<Type, CallError> {
    if !arguments[0].is_known() {
        return Ok(Type::Dynamic);
    }
    let pattern = compiled(&arguments[0])?;
    let groups = pattern.groups();
    let names: BTreeSet<&str> = groups.iter().flatten().map(String::as_str).collect();
    if groups.is_empty() {
        return Ok(Type::String);
    }
    if names.is_empty() {
        return Ok(Type::tuple(groups.iter().map(|_| Type::String)));
    }
    if groups.iter().any(Option::is_none) {
        let message = "invalid regexp pattern: cannot mix both named and unnamed capture groups";
        return Err(CallError::argument(0, message));
    }
    Ok(Type::object(
        names.into_iter().map(|name| (name, Type::String)),
    ))
}

fn compiled(pattern: &Value) -> Result<Pattern, CallError> {
    Pattern::new(text_of(pattern))
        .map_err(|error| CallError::argument(0, format!("invalid regexp pattern: {error}")))
}

fn regex(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let pattern = compiled(&arguments[0])?;
    let found = pattern
        .find(text_of(&arguments[1]))
        .ok_or_else(|| CallError::call("pattern did not match any part of the given string"))?;
    Ok(match_value(&pattern, &found))
}

fn regexall(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let pattern = compiled(&arguments[0])?;
    let element = result.element().cloned().unwrap_or(Type::Dynamic);
    let found = pattern.find_all(text_of(&arguments[1]));
    Ok(Value::list(
        element,
        found.iter().map(|groups| match_value(&pattern, groups)),
    ))
}

fn match_value(pattern: &Pattern, found: &[Option<&str>]) -> Value {
    let value = |group: Option<&str>| group.map_or(Value::null(Type::String), Value::from);
    let names = pattern.groups();
    match names.first() {
        None => value(found.first().copied().flatten()),
        Some(None) => Value::tuple(found[1..].iter().copied().map(value)),
        Some(Some(_)) => Value::object(
            names
                .iter()
                .flatten()
                .map(String::as_str)
                .zip(found[1..].iter().copied().map(value)),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::tests::{call, check};

    #[test]
    fn shapes_of_results() {
        check(&[
            ("regex", r#"["[a-z]+", "53aaabbb45"]"#, r#""aaabbb""#),
            (
                "regex",
                r#"["(\\d+)-(\\d+)", "2019-02"]"#,
                r#"["2019","02"]"#,
            ),
            (
                "regex",
                r#"["(?P<y>\\d+)-(?P<m>\\d+)", "2019-02"]"#,
                r#"{"m":"02","y":"2019"}"#,
            ),
            ("regex", r#"["a(b)?c", "ac"]"#, "[null]"),
            (
                "regex",
                r#"["[a-z]+", "123"]"#,
                "! pattern did not match any part of the given string",
            ),
            (
                "regex",
                r#"["(a)(?P<n>b)", "ab"]"#,
                "!0 invalid regexp pattern: cannot mix both named and unnamed capture groups",
            ),
            (
                "regex",
                r#"["[", "x"]"#,
                "!0 invalid regexp pattern: missing closing ] in [",
            ),
            (
                "regexall",
                r#"["(a)(b)?", "abab a"]"#,
                r#"[["a","b"],["a","b"],["a",null]]"#,
            ),
            ("regexall", r#"["[a-z]+", "123"]"#, "[]"),
        ]);
    }

    #[test]
    fn the_pattern_alone_tells_the_type() {
        let result = call("regex", &[Value::from("(a)"), Value::unknown(Type::String)]).unwrap();
        assert_eq!(result.ty(), Type::tuple([Type::String]));
        assert_eq!(
            call("regex", &[Value::unknown(Type::String), Value::from("a")]),
            Ok(Value::dynamic())
        );
    }
}
