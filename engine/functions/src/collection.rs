//! Maps and objects, and the length of anything.

use std::collections::BTreeMap;

use terrace_value::convert::convert;
use terrace_value::{Kind, Marks, Number, Refinements, Text, Type, Value, ops};
use unicode_segmentation::UnicodeSegmentation;

use crate::go_text::quoted;
use crate::spec::{any, gives_number, parameter, text};
use crate::support::{elements_of, known_length, length_bounds, redacted, text_of};
use crate::{CallError, Context, Function};

pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            "keys",
            "The keys of a map in order.",
            [any(
                "inputMap",
                "The map; of an object, the result is a tuple of attribute names.",
            )
            .unknown()
            .marked()],
            keys_type,
            keys,
        ),
        Function::new(
            "length",
            "How many elements a collection has, or how many characters a string.",
            [any("value", "").dynamic().unknown().marked()],
            length_type,
            length,
        ),
        Function::new(
            "lookup",
            "The element of a map with a key, or else a default.",
            [
                any("inputMap", "").marked().unknown(),
                text("key", "").marked().unknown(),
            ],
            lookup_type,
            lookup,
        )
        .with_variadic(any("default", "").everything())
        .with_nullable_result(),
        Function::new(
            "merge",
            "One map or object of the elements of all; the last of several with one key counts.",
            [],
            merge_type,
            merge,
        )
        .with_variadic(any("maps", "").dynamic().nullable().marked()),
        Function::new(
            "transpose",
            "The map of lists with keys and elements exchanged.",
            [parameter("values", "", Type::map(Type::list(Type::String)))],
            |_| Ok(Type::map(Type::list(Type::String))),
            transpose,
        ),
        Function::new(
            "values",
            "The elements of a map in the order of their keys.",
            [any("mapping", "").marked()],
            values_type,
            values,
        ),
        Function::new(
            "zipmap",
            "A map of keys and values from a list of each.",
            [
                parameter("keys", "", Type::list(Type::String)).marked(),
                any("values", "").marked(),
            ],
            zipmap_type,
            zipmap,
        ),
    ]
}

fn keys_type(arguments: &[Value]) -> Result<Type, CallError> {
    match arguments[0].ty() {
        Type::Map(_) => Ok(Type::list(Type::String)),
        Type::Object(object) => Ok(Type::tuple(object.attributes.keys().map(|_| Type::String))),
        _ => Err(CallError::argument(0, "must have map or object type")),
    }
}

fn keys(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let names = |names: Vec<&Text>| {
        names
            .into_iter()
            .map(|name| Value::from(name.clone()))
            .collect::<Vec<_>>()
    };
    let value = match (arguments[0].ty(), arguments[0].as_entries()) {
        (Type::Object(object), _) => Value::tuple(names(object.attributes.keys().collect())),
        (_, Some(entries)) => Value::list(Type::String, names(entries.keys().collect())),
        _ => Value::unknown(result.clone()),
    };
    Ok(value.with_marks(arguments[0].marks()))
}

fn length_type(arguments: &[Value]) -> Result<Type, CallError> {
    match arguments[0].ty() {
        Type::Bool | Type::Number => Err(CallError::call(
            "argument must be a string, a collection type, or a structural type",
        )),
        _ => gives_number(arguments),
    }
}

fn length(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let value = &arguments[0];
    let marks = value.marks();
    let length = match value.as_str() {
        Some(text) => Some(text.graphemes(true).count()),
        None => known_length(value),
    };
    if let Some(length) = length {
        return Ok(Value::number(Number::from(length)).with_marks(marks));
    }
    let (least, greatest) = match value.kind() {
        Kind::Unknown(unknown) if unknown.0 == Type::String => {
            let prefix = unknown.1.prefix.as_deref().unwrap_or_default();
            (prefix.graphemes(true).count() as u64, None)
        }
        Kind::Unknown(unknown) if unknown.0 == Type::Dynamic => {
            return Ok(Value::unknown(Type::Number).with_marks(marks));
        }
        _ => {
            let (least, greatest) = length_bounds(value);
            (least, Some(greatest.unwrap_or(ops::MAX_LENGTH)))
        }
    };
    let refinements = Refinements {
        min: Some((Number::from(least), true)),
        max: greatest.map(|greatest| (Number::from(greatest), true)),
        ..Refinements::not_null()
    };
    Ok(Value::unknown_refined(Type::Number, refinements).with_marks(marks))
}

fn lookup_type(arguments: &[Value]) -> Result<Type, CallError> {
    if arguments.len() > 3 {
        return Err(CallError::call(format!(
            "lookup() takes two or three arguments, got {}",
            arguments.len()
        )));
    }
    match arguments[0].ty() {
        Type::Object(_) if !arguments[1].is_known() => Ok(Type::Dynamic),
        Type::Object(object) => {
            let key = text_of(&arguments[1]);
            match (object.attributes.get(key), arguments.get(2)) {
                (Some(attribute), _) => Ok(attribute.clone()),
                (None, Some(default)) => Ok(default.ty()),
                (None, None) => {
                    let message = format!("the given object has no attribute {}", quoted(key));
                    Err(CallError::argument(0, message))
                }
            }
        }
        Type::Map(element) => {
            if arguments
                .get(2)
                .is_some_and(|default| convert(default, &element).is_err())
            {
                let message = "the default value must have the same type as the map elements";
                return Err(CallError::argument(2, message));
            }
            Ok((*element).clone())
        }
        _ => Err(CallError::argument(
            0,
            "lookup() requires a map as the first argument",
        )),
    }
}

fn lookup(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let (map, key) = (&arguments[0], &arguments[1]);
    let marks = map.marks() | key.marks();
    if !map.is_known() || !key.is_known() {
        return Ok(Value::unknown(result.clone()).with_marks(marks));
    }
    let found = match (map.get(text_of(key)), arguments.get(2)) {
        (Some(found), _) => found.clone(),
        (None, Some(default)) => {
            convert(default, result).map_err(|error| CallError::call(error.message))?
        }
        (None, None) => {
            let key = redacted(text_of(key), key.marks());
            return Err(CallError::call(format!("lookup failed to find key {key}")));
        }
    };
    Ok(found.with_marks(marks))
}

fn merge_type(arguments: &[Value]) -> Result<Type, CallError> {
    let mut attributes: BTreeMap<Text, Type> = BTreeMap::new();
    let mut all_known = true;
    let types: Vec<Type> = arguments.iter().map(Value::ty).collect();
    for (argument, ty) in arguments.iter().zip(&types) {
        match ty {
            Type::Dynamic => return Ok(Type::Dynamic),
            Type::Object(object) if !argument.is_null() => {
                attributes.extend(
                    object
                        .attributes
                        .iter()
                        .map(|(name, ty)| (name.clone(), ty.clone())),
                );
            }
            Type::Map(element) if !argument.is_null() => match argument.as_entries() {
                Some(entries) => {
                    attributes.extend(entries.keys().map(|key| (key.clone(), (**element).clone())));
                }
                None => all_known = false,
            },
            Type::Object(_) | Type::Map(_) => {}
            other => return Err(not_mergeable(other)),
        }
    }
    match types.first() {
        Some(first) if types.iter().all(|ty| ty == first) => Ok(first.clone()),
        _ if !all_known => Ok(Type::Dynamic),
        _ => Ok(Type::object(attributes)),
    }
}

fn not_mergeable(ty: &Type) -> CallError {
    CallError::call(format!(
        "arguments must be maps or objects, got {}",
        quoted(&ty.friendly_name())
    ))
}

fn merge(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let mut entries: BTreeMap<Text, Value> = BTreeMap::new();
    let mut marks = Marks::NONE;
    for argument in arguments.iter().filter(|argument| !argument.is_null()) {
        marks |= argument.marks();
        let items = argument
            .as_entries()
            .ok_or_else(|| not_mergeable(&argument.ty()))?;
        entries.extend(items.iter().map(|(key, item)| (key.clone(), item.clone())));
    }
    let value = match result {
        Type::Map(element) => Value::map((**element).clone(), entries),
        _ => Value::object(entries),
    };
    Ok(value.with_marks(marks))
}

fn transpose(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let map = &arguments[0];
    if !map.is_wholly_known() {
        return Ok(Value::unknown(result.clone()));
    }
    let mut turned: BTreeMap<Text, Vec<Text>> = BTreeMap::new();
    for (key, list) in map.as_entries().into_iter().flatten() {
        if list.is_null() {
            return Err(CallError::call("input must not contain null list"));
        }
        for item in elements_of(list) {
            let item = item
                .as_str()
                .ok_or_else(|| CallError::call("input list must not contain null string"))?;
            turned.entry(item.into()).or_default().push(key.clone());
        }
    }
    let strings = |keys: Vec<Text>| Value::list(Type::String, keys.into_iter().map(Value::from));
    Ok(Value::map(
        Type::list(Type::String),
        turned.into_iter().map(|(key, keys)| (key, strings(keys))),
    ))
}

fn values_type(arguments: &[Value]) -> Result<Type, CallError> {
    match arguments[0].ty() {
        Type::Map(element) => Ok(Type::List(element)),
        Type::Object(object) => Ok(Type::tuple(object.attributes.values().cloned())),
        _ => Err(CallError::call(
            "values() requires a map as the first argument",
        )),
    }
}

fn values(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let items = elements_of(&arguments[0]);
    let value = match result.element() {
        Some(element) => Value::list(element.clone(), items),
        None => Value::tuple(items),
    };
    Ok(value.with_marks(arguments[0].marks()))
}

fn zipmap_type(arguments: &[Value]) -> Result<Type, CallError> {
    let (keys, values) = (&arguments[0], &arguments[1]);
    match values.ty() {
        Type::List(element) => Ok(Type::Map(element)),
        Type::Tuple(_) if !keys.is_wholly_known() => Ok(Type::Dynamic),
        Type::Tuple(types) => {
            let keys = elements_of(keys);
            check_lengths(keys.len(), types.len())?;
            let attributes = keys
                .iter()
                .enumerate()
                .map(|(index, key)| Ok(key_text(index, key)?.into()))
                .collect::<Result<Vec<Text>, CallError>>()?;
            Ok(Type::object(
                attributes.into_iter().zip(types.iter().cloned()),
            ))
        }
        _ => Err(CallError::call(
            "values argument must be a list or tuple value",
        )),
    }
}

fn check_lengths(n_keys: usize, n_values: usize) -> Result<(), CallError> {
    if n_keys == n_values {
        return Ok(());
    }
    let message = format!("number of keys ({n_keys}) does not match number of values ({n_values})");
    Err(CallError::call(message))
}

fn key_text(index: usize, key: &Value) -> Result<&str, CallError> {
    key.as_str()
        .ok_or_else(|| CallError::call(format!("keys list has null value at index {index}")))
}

fn zipmap(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let (keys, values) = (&arguments[0], &arguments[1]);
    let mut marks = keys.marks() | values.marks();
    if !keys.is_wholly_known() {
        return Ok(Value::unknown(result.clone()).with_marks(marks));
    }
    let keys = elements_of(keys);
    let values = elements_of(values);
    check_lengths(keys.len(), values.len())?;
    let mut entries: BTreeMap<Text, Value> = BTreeMap::new();
    for (index, (key, value)) in keys.iter().zip(values).enumerate() {
        marks |= key.marks();
        entries.insert(key_text(index, key)?.into(), value);
    }
    let value = match result {
        Type::Map(element) => Value::map((**element).clone(), entries),
        _ => Value::object(entries),
    };
    Ok(value.with_marks(marks))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::tests::{call, check};

    #[test]
    fn maps_and_objects() {
        check(&[
            ("keys", r#"[{"b": 1, "a": 2}]"#, r#"["a","b"]"#),
            ("keys", "[[]]", "!0 must have map or object type"),
            ("values", r#"[{"b": 1, "a": 2}]"#, "[2,1]"),
            (
                "values",
                "[[]]",
                "! values() requires a map as the first argument",
            ),
            ("lookup", r#"[{"a": "x"}, "a", "d"]"#, r#""x""#),
            ("lookup", r#"[{"a": "x"}, "b", "d"]"#, r#""d""#),
            (
                "lookup",
                r#"[{"a": "x"}, "b"]"#,
                r#"!0 the given object has no attribute "b""#,
            ),
            (
                "lookup",
                r#"[[], "b"]"#,
                "!0 lookup() requires a map as the first argument",
            ),
            (
                "merge",
                r#"[{"a": 1}, null, {"a": 2, "b": 3}]"#,
                r#"{"a":2,"b":3}"#,
            ),
            ("merge", "[]", "{}"),
            (
                "merge",
                "[null, [1]]",
                r#"! arguments must be maps or objects, got "tuple""#,
            ),
            (
                "merge",
                "[[1]]",
                r#"! arguments must be maps or objects, got "tuple""#,
            ),
            (
                "transpose",
                r#"[{"a": ["1", "2"], "b": ["2"]}]"#,
                r#"{"1":["a"],"2":["a","b"]}"#,
            ),
            ("zipmap", r#"[["a", "a"], [1, 2]]"#, r#"{"a":2}"#),
            (
                "zipmap",
                r#"[["a", "b"], [1]]"#,
                "! number of keys (2) does not match number of values (1)",
            ),
        ]);
    }

    #[test]
    fn missing_keys_of_maps() {
        let map = Value::map(Type::Number, [("a", Value::int(1))]);
        let error = call("lookup", &[map.clone(), Value::from("b")]);
        assert_eq!(
            error,
            Err(CallError::call("lookup failed to find key \"b\""))
        );
        let error = call("lookup", &[map.clone(), Value::from("b").sensitive()]);
        assert_eq!(
            error,
            Err(CallError::call(
                "lookup failed to find key (sensitive value)"
            ))
        );
        let error = call("lookup", &[map, Value::from("b"), Value::from("z")]);
        let message = "the default value must have the same type as the map elements";
        assert_eq!(error, Err(CallError::argument(2, message)));
    }

    #[test]
    fn lengths() {
        check(&[
            ("length", "[[1, 2]]", "2"),
            ("length", "[\"e\u{301} \u{1f468}\u{200d}\u{1f469}\"]", "3"),
            (
                "length",
                "[5]",
                "! argument must be a string, a collection type, or a structural type",
            ),
        ]);
        let tuple = Value::unknown(Type::tuple([Type::String, Type::Bool]));
        assert_eq!(call("length", &[tuple]), Ok(Value::int(2)));
        let list = call(
            "length",
            &[Value::unknown(Type::list(Type::String)).sensitive()],
        )
        .unwrap();
        assert!(list.is_sensitive());
        assert!(
            list.refinements()
                .is_some_and(|refinements| refinements.not_null && refinements.min.is_some())
        );
    }

    #[test]
    fn keys_need_no_known_values() {
        let object = Value::unknown(Type::object([("a", Type::String)]));
        assert_eq!(
            call("keys", &[object]),
            Ok(Value::tuple([Value::from("a")]))
        );
    }
}
