//! Values and types as the console shows them: text that could be written in a configuration.

use std::fmt::Write as _;

use terrace_value::{Kind, Marks, Type, Value};

/// A value as text, on as many lines as it takes.
pub(crate) fn value_text(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value, 0);
    text
}

fn write_value(out: &mut String, value: &Value, indent: usize) {
    if value.is_sensitive() {
        return out.push_str("(sensitive value)");
    }
    if value.marks().contains(Marks::EPHEMERAL) {
        return out.push_str("(ephemeral value)");
    }
    match value.kind() {
        Kind::Unknown(_) => out.push_str("(known after apply)"),
        Kind::Null(ty) => out.push_str(&null_text(ty)),
        Kind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Kind::Number(number) if number.is_infinite() => {
            out.push_str(if number.is_negative() { "-Inf" } else { "+Inf" });
        }
        Kind::Number(number) => out.push_str(&number.to_string()),
        Kind::String(text) if text.contains('\n') => write_lines(out, text, indent),
        Kind::String(text) => out.push_str(&quoted(text)),
        Kind::Tuple(items) => write_items(out, items, indent, ("[", "]")),
        Kind::List(_, items) => write_items(out, items, indent, ("tolist([", "])")),
        Kind::Set(_, items) => write_items(out, items, indent, ("toset([", "])")),
        Kind::Map(_, entries) => write_entries(out, entries.iter(), indent, ("tomap({", "})")),
        Kind::Object(entries) => write_entries(out, entries.iter(), indent, ("{", "}")),
    }
}

/// How a null is written that has a type.
fn null_text(ty: &Type) -> String {
    match ty {
        Type::Dynamic => "null".to_owned(),
        Type::Bool => "tobool(null)".to_owned(),
        Type::Number => "tonumber(null)".to_owned(),
        Type::String => "tostring(null)".to_owned(),
        Type::List(element) => format!("tolist(null) /* of {} */", friendly(element)),
        Type::Set(element) => format!("toset(null) /* of {} */", friendly(element)),
        Type::Map(element) => format!("tomap(null) /* of {} */", friendly(element)),
        Type::Object(_) => "null /* object */".to_owned(),
        Type::Tuple(_) => "null /* tuple */".to_owned(),
    }
}

/// A type in words.
fn friendly(ty: &Type) -> String {
    match ty {
        Type::Dynamic => "dynamic".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::Number => "number".to_owned(),
        Type::String => "string".to_owned(),
        Type::List(element) => format!("list of {}", friendly(element)),
        Type::Set(element) => format!("set of {}", friendly(element)),
        Type::Map(element) => format!("map of {}", friendly(element)),
        Type::Object(_) => "object".to_owned(),
        Type::Tuple(_) => "tuple".to_owned(),
    }
}

/// A heredoc, whose marker is no line of the text.
fn write_lines(out: &mut String, text: &str, indent: usize) {
    let mut marker = "EOT".to_owned();
    while text.lines().any(|line| line.trim() == marker) {
        marker.push('_');
    }
    let pad = " ".repeat(indent);
    let dash = if indent > 0 { "-" } else { "" };
    write!(out, "<<{dash}{marker}").expect("writing to a string does not fail");
    for line in text.split('\n').chain([&*marker]) {
        write!(out, "\n{pad}{line}").expect("writing to a string does not fail");
    }
}

fn write_items(out: &mut String, items: &[Value], indent: usize, (open, close): (&str, &str)) {
    out.push_str(open);
    if !items.is_empty() {
        for item in items {
            new_line(out, indent + 2);
            write_value(out, item, indent + 2);
            out.push(',');
        }
        new_line(out, indent);
    }
    out.push_str(close);
}

fn write_entries<'a>(
    out: &mut String,
    entries: impl IntoIterator<Item = (&'a terrace_value::Text, &'a Value)>,
    indent: usize,
    (open, close): (&str, &str),
) {
    out.push_str(open);
    let before = out.len();
    for (key, item) in entries {
        new_line(out, indent + 2);
        out.push_str(&quoted(key));
        out.push_str(" = ");
        write_value(out, item, indent + 2);
    }
    if out.len() > before {
        new_line(out, indent);
    }
    out.push_str(close);
}

fn new_line(out: &mut String, indent: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}

/// A string between quotes; what cannot be printed is escaped.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            ' '..='~' => out.push(letter),
            _ if is_printable(letter) => out.push(letter),
            '\0'..='\u{7f}' => push(&mut out, format_args!("\\x{:02x}", u32::from(letter))),
            '\0'..='\u{ffff}' => push(&mut out, format_args!("\\u{:04x}", u32::from(letter))),
            _ => push(&mut out, format_args!("\\U{:08x}", u32::from(letter))),
        }
    }
    out.push('"');
    out
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text)
        .expect("writing to a string does not fail");
}

fn is_printable(letter: char) -> bool {
    // Marks that change the letter before them are printable behind one.
    let mut text = [0; 5];
    text[0] = b'a';
    letter.encode_utf8(&mut text[1..]);
    std::str::from_utf8(&text[..=letter.len_utf8()])
        .is_ok_and(|text| text.escape_debug().count() == 2)
}

/// A type as text.
pub(crate) fn type_text(ty: &Type) -> String {
    let mut text = String::new();
    write_type(&mut text, ty, 0);
    text
}

fn write_type(out: &mut String, ty: &Type, indent: usize) {
    match ty {
        Type::Dynamic => out.push_str("dynamic"),
        Type::Bool => out.push_str("bool"),
        Type::Number => out.push_str("number"),
        Type::String => out.push_str("string"),
        Type::List(element) => write_collection(out, "list", element, indent),
        Type::Set(element) => write_collection(out, "set", element, indent),
        Type::Map(element) => write_collection(out, "map", element, indent),
        Type::Tuple(elements) => {
            out.push_str("tuple([");
            for element in elements.iter() {
                new_line(out, indent + 4);
                write_type(out, element, indent + 4);
                out.push(',');
            }
            if !elements.is_empty() {
                new_line(out, indent);
            }
            out.push_str("])");
        }
        Type::Object(object) => {
            out.push_str("object({");
            for (name, ty) in &object.attributes {
                new_line(out, indent + 4);
                out.push_str(name);
                out.push_str(": ");
                write_type(out, ty, indent + 4);
                out.push(',');
            }
            if !object.attributes.is_empty() {
                new_line(out, indent);
            }
            out.push_str("})");
        }
    }
}

fn write_collection(out: &mut String, name: &str, element: &Type, indent: usize) {
    out.push_str(name);
    out.push('(');
    if matches!(element, Type::Object(_) | Type::Tuple(_)) {
        new_line(out, indent + 4);
        write_type(out, element, indent + 4);
        out.push(',');
        new_line(out, indent);
    } else {
        write_type(out, element, indent);
    }
    out.push(')');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_many_lines_is_a_heredoc_with_a_marker_of_its_own() {
        assert_eq!(value_text(&Value::string("a\nb")), "<<EOT\na\nb\nEOT");
        assert_eq!(
            value_text(&Value::tuple([Value::string("a\n EOT\nEOT_")])),
            "[\n  <<-EOT__\n  a\n   EOT\n  EOT_\n  EOT__,\n]"
        );
    }

    #[test]
    fn nulls_say_their_type() {
        let list = Type::list(Type::set(Type::String));
        let shown = [
            Value::null(Type::Dynamic),
            Value::null(Type::Number),
            Value::null(list),
            Value::null(Type::tuple([])),
        ];
        assert_eq!(
            shown.map(|value| value_text(&value)),
            [
                "null",
                "tonumber(null)",
                "tolist(null) /* of set of string */",
                "null /* tuple */"
            ]
        );
    }

    #[test]
    fn what_cannot_be_printed_is_escaped() {
        assert_eq!(
            value_text(&Value::string("a\t\u{1b}\u{7f}\"\\${x}é\u{301}\u{200b}")),
            "\"a\\t\\x1b\\x7f\\\"\\\\${x}é\u{301}\\u200b\""
        );
    }

    #[test]
    fn secrets_are_not_shown_at_any_depth() {
        let value = Value::object([("a", Value::tuple([Value::int(1).sensitive()]))]);
        assert_eq!(
            value_text(&value),
            "{\n  \"a\" = [\n    (sensitive value),\n  ]\n}"
        );
    }

    #[test]
    fn types_are_shown_as_constraints() {
        let ty = Type::map(Type::object([
            ("a", Type::Number),
            ("b", Type::list(Type::Dynamic)),
        ]));
        assert_eq!(
            type_text(&ty),
            "map(\n    object({\n        a: number,\n        b: list(dynamic),\n    }),\n)"
        );
        assert_eq!(type_text(&Type::tuple([])), "tuple([])");
    }
}
