//! What an author promises about values that are not known yet. A promise narrows what is known while planning, and is
//! checked once the value is known.

use terrace_value::convert::convert;
use terrace_value::{Kind, Refinements, Text, Type, Value};

use crate::go_text::quoted;
use crate::spec::{any, gives_first, gives_string, number, parameter, text};
use crate::support::{BlameArgument, equal, integer_of, length_bounds, text_of};
use crate::{BodyFn, CallError, Context, Function, Parameter, TypeFn};

pub(crate) fn functions() -> Vec<Function> {
    let mut functions = vec![
        Function::new(
            "assumeequal",
            "The assumed value, on the promise that the given one will be equal to it.",
            [
                any("got", "The value that may not be known yet.").everything(),
                any("assumed", "What it will be equal to; wholly known.").everything(),
            ],
            |arguments| Ok(arguments[1].ty()),
            assumeequal,
        )
        .with_nullable_result(),
        Function::new(
            "assumenotnull",
            "The value, on the promise that it will not be null.",
            [any("value", "The value, of a known type.").everything()],
            assumenotnull_type,
            assumenotnull,
        ),
        Function::new(
            "assumestringprefix",
            "The text, on the promise that it will begin with a prefix.",
            [
                text("str", "The text.")
                    .nullable()
                    .unknown()
                    .marked()
                    .dynamic(),
                text("prefix", "What it will begin with."),
            ],
            gives_string,
            assumestringprefix,
        )
        .with_nullable_result(),
    ];
    functions.extend(lengths(
        [
            "assumelistlength",
            "assumelistlengthmin",
            "assumelistlengthmax",
        ],
        || collection("list", Type::list(Type::Dynamic)),
    ));
    functions.extend(lengths(
        [
            "assumemaplength",
            "assumemaplengthmin",
            "assumemaplengthmax",
        ],
        || collection("map", Type::map(Type::Dynamic)),
    ));
    functions.extend(lengths(
        [
            "assumesetlength",
            "assumesetlengthmin",
            "assumesetlengthmax",
        ],
        || collection("set", Type::set(Type::Dynamic)),
    ));
    functions
}

fn collection(name: &'static str, ty: Type) -> Parameter {
    parameter(name, "The collection.", ty)
        .nullable()
        .unknown()
        .marked()
        .dynamic()
}

/// The functions that promise a length between two bounds, from a least one, and up to a greatest one.
fn lengths(names: [&'static str; 3], subject: fn() -> Parameter) -> [Function; 3] {
    let [between, least, greatest] = names;
    let minimum = || number("min", "The least length.");
    let maximum = || number("max", "The greatest length.");
    let function = |name, description, parameters: Vec<Parameter>, body: BodyFn| {
        Function::new(name, description, parameters, gives_first as TypeFn, body)
            .with_nullable_result()
    };
    [
        function(
            between,
            "The collection, on the promise that its length will be within bounds.",
            vec![subject(), minimum(), maximum()],
            |arguments, _, _| assume_length(arguments, Some(1), Some(2)),
        ),
        function(
            least,
            "The collection, on the promise that it will have a least length.",
            vec![subject(), minimum()],
            |arguments, _, _| assume_length(arguments, Some(1), None),
        ),
        function(
            greatest,
            "The collection, on the promise that it will have no more than a greatest length.",
            vec![subject(), maximum()],
            |arguments, _, _| assume_length(arguments, None, Some(1)),
        ),
    ]
}

fn broken(what: &str) -> CallError {
    CallError::argument(0, format!("assumption does not hold: {what}"))
}

fn assumeequal(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let assumed = &arguments[1];
    if !assumed.is_wholly_known() {
        return Err(CallError::argument(
            1,
            "the assumed value must be wholly known",
        ));
    }
    let given = convert(&arguments[0], &assumed.ty())
        .map_err(|error| format!("cannot be equal to the assumed value: {}", error.message))
        .blame(0)?;
    if equal(&given.unmark_deep().0, &assumed.unmark_deep().0) == Some(false) {
        return Err(broken("the value is not equal to the assumed one"));
    }
    Ok(assumed.clone())
}

fn assumenotnull_type(arguments: &[Value]) -> Result<Type, CallError> {
    match arguments[0].ty() {
        Type::Dynamic => Err(CallError::argument(
            0,
            "the type of the value is not known yet; use the convert function to say which type it will have",
        )),
        ty => Ok(ty),
    }
}

fn assumenotnull(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    if arguments[0].is_null() {
        return Err(broken("the value is null"));
    }
    Ok(arguments[0].clone().refine_not_null())
}

fn assumestringprefix(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let prefix = text_of(&arguments[1]);
    let given = &arguments[0];
    match given.as_str() {
        Some(text) if !text.starts_with(prefix) => Err(broken(&format!(
            "the string does not begin with {}",
            quoted(prefix)
        ))),
        Some(_) => Ok(given.clone()),
        None if given.is_null() => Ok(given.clone()),
        None => {
            let known = given
                .refinements()
                .and_then(|known| known.prefix.as_deref());
            let known = known.unwrap_or_default();
            if !known.starts_with(prefix) && !prefix.starts_with(known) {
                return Err(broken(&format!(
                    "the string will begin with {}, not with {}",
                    quoted(known),
                    quoted(prefix)
                )));
            }
            Ok(given.clone().refine(Refinements {
                prefix: (!prefix.is_empty()).then(|| Text::from(prefix)),
                ..Refinements::default()
            }))
        }
    }
}

/// The bound that argument `index` is.
fn bound(arguments: &[Value], index: Option<usize>) -> Result<Option<u64>, CallError> {
    let Some(index) = index else {
        return Ok(None);
    };
    let bound = integer_of(&arguments[index]).blame(index)?;
    u64::try_from(bound)
        .map(Some)
        .map_err(|_| CallError::argument(index, "a length must not be less than zero"))
}

fn assume_length(
    arguments: &[Value],
    least: Option<usize>,
    greatest: Option<usize>,
) -> Result<Value, CallError> {
    let (min, max) = (bound(arguments, least)?, bound(arguments, greatest)?);
    if let (Some(min), Some(max), Some(index)) = (min, max, greatest)
        && min > max
    {
        let message = "the greatest length must not be less than the least length";
        return Err(CallError::argument(index, message));
    }
    let given = &arguments[0];
    if given.is_null() {
        return Ok(given.clone());
    }
    let (shortest, longest) = length_bounds(given);
    if let Some(max) = max.filter(|max| shortest > *max) {
        return Err(broken(&format!("the length is greater than {max}")));
    }
    if let Some(min) = min.filter(|min| longest.is_some_and(|longest| longest < *min)) {
        return Err(broken(&format!("the length is less than {min}")));
    }
    if let Kind::Unknown(_) = given.kind() {
        return Ok(given.clone().refine(Refinements {
            min_length: min,
            max_length: max,
            ..Refinements::default()
        }));
    }
    Ok(given.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::tests::{call, check};

    fn known(value: &Value) -> Refinements {
        value.refinements().cloned().unwrap()
    }

    #[test]
    fn promises_narrow_what_is_unknown() {
        let text = Value::unknown(Type::String);
        let vpc = call("assumestringprefix", &[text.clone(), Value::from("vpc-")]).unwrap();
        assert_eq!(known(&vpc).prefix.as_deref(), Some("vpc-"));
        assert_eq!(
            call("startswith", &[vpc, Value::from("vpc")]),
            Ok(Value::TRUE)
        );
        assert!(known(&call("assumenotnull", &[text]).unwrap()).not_null);
        let list = Value::unknown(Type::list(Type::String)).sensitive();
        let bounded = call("assumelistlength", &[list, Value::int(1), Value::int(3)]).unwrap();
        assert!(bounded.is_sensitive());
        assert_eq!(
            (known(&bounded).min_length, known(&bounded).max_length),
            (Some(1), Some(3))
        );
        let exact = call("assumelistlength", &[bounded, Value::int(2), Value::int(2)]).unwrap();
        let exact = call("assumenotnull", &[exact]).unwrap();
        assert_eq!(exact.as_sequence().map(<[Value]>::len), Some(2));
        let secret = Value::unknown(Type::String).sensitive();
        let equal = call("assumeequal", &[secret, Value::from("arn")]).unwrap();
        assert_eq!(equal, Value::from("arn"));
    }

    #[test]
    fn promises_are_kept() {
        check(&[
            ("assumeequal", r#"["1", 1]"#, "1"),
            ("assumestringprefix", r#"["vpc-1", "vpc-"]"#, r#""vpc-1""#),
            ("assumenotnull", "[1]", "1"),
            ("assumelistlengthmin", r#"[["a"], 1]"#, r#"["a"]"#),
            ("assumemaplengthmax", r#"[{"a": 1}, 1]"#, r#"{"a":1}"#),
            ("assumesetlength", r#"[["a", "a"], 1, 1]"#, r#"["a"]"#),
        ]);
    }

    #[test]
    fn broken_promises_are_errors() {
        check(&[
            (
                "assumeequal",
                r#"["a", "b"]"#,
                "!0 assumption does not hold: the value is not equal to the assumed one",
            ),
            (
                "assumestringprefix",
                r#"["sg-1", "vpc-"]"#,
                r#"!0 assumption does not hold: the string does not begin with "vpc-""#,
            ),
            (
                "assumelistlengthmin",
                r#"[["a"], 2]"#,
                "!0 assumption does not hold: the length is less than 2",
            ),
            (
                "assumesetlengthmax",
                r#"[["a", "b"], 1]"#,
                "!0 assumption does not hold: the length is greater than 1",
            ),
            (
                "assumelistlength",
                "[[], 2, 1]",
                "!2 the greatest length must not be less than the least length",
            ),
            (
                "assumelistlengthmin",
                "[[], -1]",
                "!1 a length must not be less than zero",
            ),
        ]);
        let null = call("assumenotnull", &[Value::null(Type::String)]).unwrap_err();
        assert_eq!(null.message, "assumption does not hold: the value is null");
        assert!(call("assumenotnull", &[Value::dynamic()]).is_err());
        let prefixed = Value::unknown_refined(Type::String, Refinements::beginning_with("sg-"));
        assert!(call("assumestringprefix", &[prefixed, Value::from("vpc-")]).is_err());
    }
}
