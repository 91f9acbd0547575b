//! Values as expressions of the language that give them again.

use terrace_value::literal::quoted;
use terrace_value::{Kind, Value};

/// An expression that gives `value`, sensitive where it is; `None` where something of it is unknown.
pub(crate) fn expression(value: &Value) -> Option<String> {
    let text = match value.kind() {
        Kind::Unknown(_) => return None,
        Kind::Null(_) => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Number(number) => number.to_string(),
        Kind::String(text) => quoted(text),
        Kind::List(_, items) | Kind::Tuple(items) => sequence(items)?,
        Kind::Set(_, items) => format!("toset({})", sequence(items)?),
        Kind::Map(_, entries) | Kind::Object(entries) => {
            let entries: Option<Vec<String>> = entries
                .iter()
                .map(|(key, item)| Some(format!("{} = {}", quoted(key), expression(item)?)))
                .collect();
            format!("{{ {} }}", entries?.join(", "))
        }
    };
    Some(if value.is_sensitive() {
        format!("sensitive({text})")
    } else {
        text
    })
}

fn sequence(items: &[Value]) -> Option<String> {
    let items: Option<Vec<String>> = items.iter().map(expression).collect();
    Some(format!("[{}]", items?.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrace_value::Type;

    #[test]
    fn values_are_written_so_that_they_can_be_read_again() {
        let value = Value::object([
            ("a", Value::tuple([Value::int(1), Value::bool(true)])),
            ("b", Value::string("${x}").sensitive()),
        ]);
        assert_eq!(
            expression(&value).unwrap(),
            r#"{ "a" = [1, true], "b" = sensitive("$${x}") }"#
        );
        let unknown = Value::tuple([Value::unknown(Type::String)]);
        assert_eq!(expression(&unknown), None);
    }
}
