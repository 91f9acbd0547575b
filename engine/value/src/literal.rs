//! Values as the language writes them, for people.

use std::fmt::Write as _;

use crate::{Kind, Marks, Type, Value};

/// A string in quotes, as the language writes it: nothing in it is a template, nothing in it can steer a terminal.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if chars.peek() == Some(&'{') => {
                out.push(c);
                out.push(c);
            }
            c if is_printable(c) => out.push(c),
            c if u32::from(c) > 0xffff => {
                write!(out, "\\U{:08x}", u32::from(c)).expect("strings take all");
            }
            c => write!(out, "\\u{:04x}", u32::from(c)).expect("strings take all"),
        }
    }
    out.push('"');
    out
}

/// Whether a character can be seen: letters, marks, digits, punctuation, symbols, and the plain space.
fn is_printable(c: char) -> bool {
    // Behind a letter even a combining mark is shown as it is, and only what has no shape is escaped.
    c == '\''
        || c.is_ascii_graphic()
        || ['a', c].iter().collect::<String>().escape_debug().count() == 2
}

/// A line of a text, in which nothing can steer a terminal.
fn harmless(line: &str) -> String {
    line.chars().fold(String::new(), |mut out, c| {
        if c.is_control() && c != '\t' {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
        out
    })
}

/// A value over as many lines as it needs, as the console and the outputs show it: what is secret or not known stands
/// as a remark. Lines after the first are indented by `indent` columns.
pub fn shown(value: &Value, indent: usize) -> String {
    if value.is_sensitive() {
        return "(sensitive value)".to_owned();
    }
    if value.marks().contains(Marks::EPHEMERAL) {
        return "(ephemeral value)".to_owned();
    }
    match value.kind() {
        Kind::Unknown(_) => "(known after apply)".to_owned(),
        Kind::Null(ty) => null(ty),
        Kind::Bool(value) => value.to_string(),
        Kind::Number(number) => number.to_string(),
        Kind::String(text) if text.contains('\n') => heredoc(text, indent),
        Kind::String(text) => quoted(text),
        Kind::List(_, items) => sequence(items, indent, ("tolist([", "])")),
        Kind::Tuple(items) => sequence(items, indent, ("[", "]")),
        Kind::Set(_, items) => sequence(items, indent, ("toset([", "])")),
        Kind::Map(_, entries) | Kind::Object(entries) => {
            let is_map = matches!(value.kind(), Kind::Map(..));
            let (open, close) = if is_map {
                ("tomap({", "})")
            } else {
                ("{", "}")
            };
            let rows = entries
                .iter()
                .map(|(key, item)| format!("{} = {}", quoted(key), shown(item, indent + 2)));
            rows_between(rows, indent, (open, close))
        }
    }
}

fn null(ty: &Type) -> String {
    match ty {
        Type::Dynamic => "null".to_owned(),
        Type::String => "tostring(null)".to_owned(),
        Type::Number => "tonumber(null)".to_owned(),
        Type::Bool => "tobool(null)".to_owned(),
        Type::List(element) => format!("tolist(null) /* of {} */", element.friendly_name()),
        Type::Set(element) => format!("toset(null) /* of {} */", element.friendly_name()),
        Type::Map(element) => format!("tomap(null) /* of {} */", element.friendly_name()),
        other => format!("null /* {} */", other.friendly_name()),
    }
}

/// On its own a text stands as it is; within something it is indented, and the marker says so.
fn heredoc(text: &str, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let mark = if indent == 0 { "<<EOT" } else { "<<-EOT" };
    let mut out = format!("{mark}\n");
    for line in text.split('\n') {
        out = format!("{out}{pad}{}\n", harmless(line));
    }
    format!("{out}{pad}EOT")
}

fn sequence(items: &[Value], indent: usize, ends: (&str, &str)) -> String {
    let rows = items
        .iter()
        .map(|item| format!("{},", shown(item, indent + 2)));
    rows_between(rows, indent, ends)
}

fn rows_between(
    rows: impl Iterator<Item = String>,
    indent: usize,
    (open, close): (&str, &str),
) -> String {
    let pad = " ".repeat(indent + 2);
    let rows = rows.fold(String::new(), |text, row| text + &pad + &row + "\n");
    if rows.is_empty() {
        return format!("{open}{close}");
    }
    format!("{open}\n{rows}{}{close}", " ".repeat(indent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted_and_harmless() {
        assert_eq!(
            quoted("a\"\\\n${b}%{c}$d\u{1b}"),
            r#""a\"\\\n$${b}%%{c}$d\u001b""#
        );
        assert_eq!(
            quoted("e\u{301} \u{200d}\u{a0}\u{e0001}日'"),
            "\"e\u{301} \\u200d\\u00a0\\U000e0001日'\""
        );
    }

    #[test]
    fn collections_name_themselves() {
        let numbers = [Value::from(1), Value::from(2)];
        assert_eq!(
            shown(&Value::list(Type::Number, numbers), 0),
            "tolist([\n  1,\n  2,\n])"
        );
        let empty: [Value; 0] = [];
        assert_eq!(shown(&Value::list(Type::Number, empty), 0), "tolist([])");
        assert_eq!(shown(&Value::null(Type::String), 0), "tostring(null)");
        assert_eq!(
            shown(&Value::null(Type::List(Type::String.into())), 0),
            "tolist(null) /* of string */"
        );
    }

    #[test]
    fn texts_within_something_are_indented() {
        let text = Value::string("a\nb\n");
        assert_eq!(shown(&text, 0), "<<EOT\na\nb\n\nEOT");
        assert_eq!(
            shown(&Value::tuple([text]), 0),
            "[\n  <<-EOT\n  a\n  b\n  \n  EOT,\n]"
        );
    }

    #[test]
    fn secrets_are_not_shown() {
        let secret = Value::string("x").with_marks(Marks::SENSITIVE);
        assert_eq!(
            shown(&Value::tuple([secret]), 0),
            "[\n  (sensitive value),\n]"
        );
    }
}
