//! Functions of OPA that regorus does not have, or has otherwise.

mod aws;
mod certificates;
mod digests;
mod graphql;
mod keys;
mod networks;
mod patterns;
mod schemas;
mod texts;
mod tokens;
mod uri;
mod values;

use std::cell::Cell;

use regorus::{Engine, Value};

/// What a function gives: why it cannot say anything of its arguments is an error where functions are strict, and leaves the
/// result undefined where they are not, as OPA has it.
type Outcome = Result<Value, String>;
type Function = fn(&[Value]) -> Outcome;

/// A name, the number of arguments, and the function.
type Entry = (&'static str, u8, Function);

thread_local! {
    static STRICT: Cell<bool> = const { Cell::new(false) };
}

fn entries() -> impl Iterator<Item = &'static Entry> {
    [
        aws::FUNCTIONS,
        certificates::FUNCTIONS,
        digests::FUNCTIONS,
        graphql::FUNCTIONS,
        networks::FUNCTIONS,
        patterns::FUNCTIONS,
        schemas::FUNCTIONS,
        texts::FUNCTIONS,
        tokens::FUNCTIONS,
        uri::FUNCTIONS,
        values::FUNCTIONS,
    ]
    .into_iter()
    .flatten()
}

/// Adds the functions to an engine.
pub(crate) fn add(engine: &mut Engine) {
    for &(name, n_arguments, function) in entries() {
        let extension = move |values: Vec<Value>| match function(&values) {
            Ok(value) => Ok(value),
            Err(why) if STRICT.get() => Err(std::io::Error::other(format!("{name}: {why}")).into()),
            Err(_) => Ok(Value::Undefined),
        };
        engine
            .add_extension(name.to_owned(), n_arguments, Box::new(extension))
            .expect("each is added once");
    }
}

/// How many arguments one of these functions takes.
pub(crate) fn arity(name: &str) -> Option<u8> {
    entries()
        .find(|(known, ..)| *known == name)
        .map(|(_, n_arguments, _)| *n_arguments)
}

/// Evaluates with functions of this thread strict or not.
pub(crate) fn with_strictness<T>(is_strict: bool, evaluate: impl FnOnce() -> T) -> T {
    let before = STRICT.replace(is_strict);
    let result = evaluate();
    STRICT.set(before);
    result
}

/// The argument at an index, which is a text.
fn text(values: &[Value], index: usize) -> Result<&str, String> {
    values
        .get(index)
        .and_then(|value| value.as_string().ok())
        .map(|text| &**text)
        .ok_or_else(|| format!("operand {} must be string", index + 1))
}

/// A member of an object by its name.
fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    object.as_object().ok()?.get(&Value::from(name))
}

/// A number as floating point, whether or not it fits exactly.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(_) => value.to_json_str().ok()?.parse().ok(),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}
