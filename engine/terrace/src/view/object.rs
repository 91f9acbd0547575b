//! Values as people read them: outputs and objects of the state.

use terrace_value::{Kind, Value};

use super::plan::{harmless, quoted};

/// A value over as many lines as it needs, the first without indentation.
pub(crate) fn value_text(value: &Value, indent: usize) -> String {
    if value.is_sensitive() {
        return "(sensitive value)".to_owned();
    }
    match value.kind() {
        Kind::Unknown(_) => "(known after apply)".to_owned(),
        Kind::Null(_) => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Number(number) => number.to_string(),
        Kind::String(text) if text.contains('\n') => {
            let pad = " ".repeat(indent);
            let lines: Vec<_> = text.split('\n').map(harmless).collect();
            let lines = lines.join(&format!("\n{pad}"));
            format!("<<EOT\n{pad}{lines}\n{pad}EOT")
        }
        Kind::String(text) => quoted(text),
        Kind::List(_, items) | Kind::Tuple(items) => sequence(items, indent, ("[", "]")),
        Kind::Set(_, items) => sequence(items, indent, ("toset([", "])")),
        Kind::Map(_, entries) | Kind::Object(entries) => {
            let is_map = matches!(value.kind(), Kind::Map(..));
            let (open, close) = if is_map {
                ("tomap({", "})")
            } else {
                ("{", "}")
            };
            if entries.is_empty() {
                return format!("{open}{close}");
            }
            let pad = " ".repeat(indent + 2);
            let rows: Vec<String> = entries
                .iter()
                .map(|(key, item)| {
                    format!("{pad}{} = {}", quoted(key), value_text(item, indent + 2))
                })
                .collect();
            format!("{open}\n{}\n{}{close}", rows.join("\n"), " ".repeat(indent))
        }
    }
}

fn sequence(items: &[Value], indent: usize, (open, close): (&str, &str)) -> String {
    if items.is_empty() {
        return format!("{open}{close}");
    }
    let pad = " ".repeat(indent + 2);
    let rows: Vec<String> = items
        .iter()
        .map(|item| format!("{pad}{},", value_text(item, indent + 2)))
        .collect();
    format!("{open}\n{}\n{}{close}", rows.join("\n"), " ".repeat(indent))
}
