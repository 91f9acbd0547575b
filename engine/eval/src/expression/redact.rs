//! Keeping secrets out of what functions say of their arguments.

use terrace_functions::CallError;
use terrace_value::{Kind, Marks, Value};

/// Texts shorter than this are only hidden where they stand in quotes: elsewhere they would be found by chance.
const SHORTEST_BARE: usize = 4;

/// The error without the texts of sensitive arguments.
pub(super) fn redacted(mut error: CallError, arguments: &[Value]) -> CallError {
    let mut secrets = Vec::new();
    for argument in arguments {
        collect(argument, false, &mut secrets);
    }
    // Longer ones first, so that no part of one is left when another is contained in it.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    for secret in secrets {
        error.message = error
            .message
            .replace(&format!("{secret:?}"), "(sensitive value)");
        if secret.len() >= SHORTEST_BARE {
            error.message = error.message.replace(&secret, "(sensitive value)");
        }
    }
    error
}

fn collect(value: &Value, within: bool, secrets: &mut Vec<String>) {
    let sensitive = within || value.marks().contains(Marks::SENSITIVE);
    match value.kind() {
        Kind::String(text) if sensitive && !text.is_empty() => secrets.push(text.to_string()),
        Kind::Number(number) if sensitive => secrets.push(number.to_string()),
        Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => {
            items
                .iter()
                .for_each(|item| collect(item, sensitive, secrets));
        }
        Kind::Map(_, entries) | Kind::Object(entries) => {
            for (key, item) in entries.iter() {
                if sensitive {
                    secrets.push(key.to_string());
                }
                collect(item, sensitive, secrets);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_wherever_they_are_quoted() {
        let arguments = [
            Value::tuple([Value::string("hunter2").sensitive()]),
            Value::string("open"),
        ];
        let error = CallError::argument(0, "cannot convert \"hunter2\" (hunter2) beside \"open\"");
        let message = redacted(error, &arguments).message;
        assert_eq!(
            message,
            "cannot convert (sensitive value) ((sensitive value)) beside \"open\""
        );
    }
}
