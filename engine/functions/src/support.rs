//! What bodies share: reading arguments, lengths, equality, keeping secrets out of messages.

use num_bigint::BigInt;
use terrace_value::{Kind, Marks, Number, Type, Value};

use crate::CallError;
use crate::go_text::quoted;

/// The text of a known string; empty for anything else, which the protocol of arguments keeps out.
pub(crate) fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The number, zero for anything that is none.
pub(crate) fn number_of(value: &Value) -> &Number {
    value.as_number().unwrap_or(&Number::ZERO)
}

/// A whole number that fits in 64 bits, or what to say.
pub(crate) fn integer_of(value: &Value) -> Result<i64, String> {
    number_of(value).to_i64().ok_or_else(|| {
        format!(
            "value must be a whole number, between {} and {}",
            i64::MIN,
            i64::MAX
        )
    })
}

/// A whole number of any size, or what to say.
pub(crate) fn big_integer_of(value: &Value) -> Result<BigInt, String> {
    number_of(value)
        .to_bigint()
        .ok_or_else(|| "value must be a whole number".to_owned())
}

/// The nearest double, or what to say if only an infinity is near.
pub(crate) fn double_of(value: &Value) -> Result<f64, String> {
    let number = number_of(value);
    let double = number.to_f64();
    if double.is_infinite() && !number.is_infinite() {
        return Err(format!(
            "value must be between {:.6} and {:.6} inclusive",
            -f64::MAX,
            f64::MAX
        ));
    }
    Ok(double)
}

/// The elements of a list, set or tuple, or of a map or object in the order of keys; none for anything else.
pub(crate) fn elements_of(value: &Value) -> Vec<Value> {
    match value.as_sequence() {
        Some(items) => items.to_vec(),
        None => value
            .as_entries()
            .map(|entries| entries.values().cloned().collect())
            .unwrap_or_default(),
    }
}

/// How many elements a collection or structure has, if that is known: unknown elements of a set may turn out equal.
pub(crate) fn known_length(value: &Value) -> Option<usize> {
    match value.kind() {
        Kind::Set(_, items) if items.iter().all(Value::is_wholly_known) => Some(items.len()),
        Kind::Set(..) => None,
        Kind::List(_, items) | Kind::Tuple(items) => Some(items.len()),
        Kind::Map(_, entries) | Kind::Object(entries) => Some(entries.len()),
        Kind::Unknown(unknown) => length_of_type(&unknown.0),
        _ => None,
    }
}

fn length_of_type(ty: &Type) -> Option<usize> {
    match ty {
        Type::Tuple(items) => Some(items.len()),
        Type::Object(object) => Some(object.attributes.len()),
        _ => None,
    }
}

/// Least and greatest length that a collection or structure can turn out to have.
pub(crate) fn length_bounds(value: &Value) -> (u64, Option<u64>) {
    if let Some(length) = known_length(value) {
        return (length as u64, Some(length as u64));
    }
    match value.kind() {
        Kind::Set(_, items) => (u64::from(!items.is_empty()), Some(items.len() as u64)),
        Kind::Unknown(unknown) => (unknown.1.min_length.unwrap_or(0), unknown.1.max_length),
        _ => (0, None),
    }
}

/// Whether two unmarked values are equal; `None` if that is not known.
pub(crate) fn equal(left: &Value, right: &Value) -> Option<bool> {
    terrace_value::ops::equals(left, right).as_bool()
}

/// `text` quoted for a message, unless its marks forbid that.
pub(crate) fn redacted(text: &str, marks: Marks) -> String {
    if marks.contains(Marks::SENSITIVE) {
        "(sensitive value)".to_owned()
    } else {
        quoted(text)
    }
}

/// Names an argument in an error about its content.
pub(crate) trait BlameArgument<T> {
    /// The error blames argument `index`.
    fn blame(self, index: usize) -> Result<T, CallError>;

    /// The error blames the call.
    fn blame_call(self) -> Result<T, CallError>;
}

impl<T> BlameArgument<T> for Result<T, String> {
    fn blame(self, index: usize) -> Result<T, CallError> {
        self.map_err(|message| CallError::argument(index, message))
    }

    fn blame_call(self) -> Result<T, CallError> {
        self.map_err(CallError::call)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Context, FileError, FunctionTable};

    /// Without files, clock and entropy.
    pub(crate) struct NoContext;

    impl Context for NoContext {
        fn read_file(&self, _: &str) -> Result<Arc<[u8]>, FileError> {
            Err(FileError::NotFound)
        }

        fn list_files(&self, _: &str) -> Result<Vec<String>, FileError> {
            Ok(Vec::new())
        }

        fn file_exists(&self, _: &str) -> Result<bool, FileError> {
            Ok(false)
        }

        fn absolute_path(&self, path: &str) -> String {
            format!("/root/{path}")
        }

        fn home_directory(&self) -> Option<String> {
            Some("/home/jo".to_owned())
        }

        fn timestamp(&self) -> Option<String> {
            None
        }

        fn plan_timestamp(&self) -> Option<String> {
            None
        }

        fn entropy(&self) -> Option<[u8; 16]> {
            None
        }
    }

    /// Calls a function of the standard table without any context.
    pub(crate) fn call(name: &str, arguments: &[Value]) -> Result<Value, CallError> {
        FunctionTable::standard()
            .get(name)
            .unwrap()
            .call(arguments, &NoContext)
    }

    /// Calls with arguments as JSON text gives them (objects, tuples, primitives); the result or error in words.
    ///
    /// Results are shown as JSON text, `unknown`, or `! message` (`!0 message` where argument 0 is to blame).
    pub(crate) fn shown(name: &str, arguments: &str) -> String {
        let parsed = crate::json::decode(arguments).unwrap();
        match call(name, parsed.as_sequence().unwrap()) {
            Ok(value) if !value.is_wholly_known() => "unknown".to_owned(),
            Ok(value) => crate::json::encode(&value.unmark_deep().0).unwrap(),
            Err(CallError {
                argument: Some(index),
                message,
                ..
            }) => format!("!{index} {message}"),
            Err(CallError { message, .. }) => format!("! {message}"),
        }
    }

    /// Checks many calls at once: name, arguments as a JSON array, what [`shown`] gives.
    #[track_caller]
    pub(crate) fn check(cases: &[(&str, &str, &str)]) {
        for (name, arguments, expected) in cases {
            assert_eq!(shown(name, arguments), *expected, "{name}({arguments})");
        }
    }

    #[test]
    fn secrets_stay_out_of_messages() {
        assert_eq!(redacted("x", Marks::SENSITIVE), "(sensitive value)");
        assert_eq!(redacted("x", Marks::EPHEMERAL), "\"x\"");
    }

    #[test]
    fn lengths() {
        let unknown = Value::unknown(Type::String);
        assert_eq!(
            known_length(&Value::set(
                Type::String,
                [Value::from("a"), unknown.clone()]
            )),
            None
        );
        assert_eq!(
            known_length(&Value::list(Type::String, [Value::from("a"), unknown])),
            Some(2)
        );
        assert_eq!(
            known_length(&Value::unknown(Type::tuple([Type::String]))),
            Some(1)
        );
    }
}
