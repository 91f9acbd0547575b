//! Arguments of key providers, as backends have theirs.

use std::collections::BTreeMap;

use terrace_backend_remote::{Argument, Arguments, Kind, Problem, Reader, Surroundings};
use terrace_value::{Value, convert};

/// How many bytes a key may have.
const LENGTHS: std::ops::RangeInclusive<i64> = 1..=1024;

/// What is given, with what the environment adds.
pub(crate) fn conform(
    schema: &[Argument],
    given: &BTreeMap<String, Value>,
    surroundings: &Surroundings<'_>,
) -> Result<Arguments, String> {
    let mut values = BTreeMap::new();
    let mut endpoints = BTreeMap::new();
    for (name, value) in given {
        if let Some(inner) = name.strip_prefix("endpoints.") {
            endpoints.insert(inner.to_owned(), value.clone());
            continue;
        }
        let argument = schema.iter().find(|argument| argument.name == name);
        let argument =
            argument.ok_or_else(|| format!("An argument named {name:?} is not expected here."))?;
        values.insert(name.clone(), converted(argument, value)?);
    }
    if !endpoints.is_empty() {
        let argument = schema.iter().find(|argument| argument.name == "endpoints");
        let argument =
            argument.ok_or_else(|| "A block \"endpoints\" is not expected here.".to_owned())?;
        let value = converted(argument, &Value::object(endpoints))?;
        values.insert("endpoints".to_owned(), value);
    }
    Arguments::new(schema, &values, surroundings.environment).map_err(|problems| told(&problems))
}

/// A value of the argument's type. It is not shown where it has another, since it may be a secret.
fn converted(argument: &Argument, value: &Value) -> Result<Value, String> {
    let name = argument.name;
    let mut value = value.clone();
    if let (Kind::Object(inner), Some(entries)) = (argument.kind, value.as_entries()) {
        let mut entries: BTreeMap<String, Value> = entries
            .iter()
            .map(|(name, value)| (name.to_string(), value.clone()))
            .collect();
        let known = |name: &String| inner.iter().any(|argument| argument.name == name);
        if let Some(unknown) = entries.keys().find(|name| !known(name)) {
            return Err(format!("{name:?} has no attribute {unknown:?}."));
        }
        for argument in inner {
            entries
                .entry(argument.name.to_owned())
                .or_insert_with(|| Value::null(argument.value_type()));
        }
        value = Value::object(entries);
    }
    convert::convert(&value, &argument.value_type())
        .map_err(|error| format!("The argument {name:?} does not fit: {error}."))
}

/// What is wrong with arguments, in sentences.
pub(crate) fn told(problems: &[Problem]) -> String {
    let sentences: Vec<String> = problems
        .iter()
        .map(|problem| match &problem.argument {
            Some(argument) => format!("{argument}: {}", problem.detail),
            None => problem.detail.clone(),
        })
        .collect();
    sentences.join("\n")
}

/// How many bytes a key has.
pub(crate) fn key_length(reader: &mut Reader<'_>) -> Option<usize> {
    let length = reader.arguments.number("key_length");
    match length.filter(|length| LENGTHS.contains(length)) {
        Some(length) => usize::try_from(length).ok(),
        None => {
            reader.refuse(
                "key_length",
                "Invalid Value",
                format!(
                    "\"key_length\" must be a whole number from {} to {}.",
                    LENGTHS.start(),
                    LENGTHS.end()
                ),
            );
            None
        }
    }
}

/// The arguments of a key provider: its own, and those that say who signs in.
pub(crate) fn all(own: &[Argument], identity: &[Argument]) -> Vec<Argument> {
    [own, identity].concat()
}
