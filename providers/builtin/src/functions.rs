//! Functions that read and write the language itself.

use std::collections::BTreeMap;
use std::fmt::Write;

use terrace_diag::SourceId;
use terrace_syntax::{Expr, ExprKind, ObjectKey, UnaryOp};
use terrace_value::{Kind, Text, Value};

/// Calls the function `name`. The error names the argument (from 0) that is to blame, if one is.
pub fn call(name: &str, arguments: &[Value]) -> Result<Value, (Option<usize>, String)> {
    let [argument] = arguments else {
        return Err((None, format!("{name} takes one argument")));
    };
    if !argument.is_wholly_known() {
        let ty = if name == "decode_tfvars" {
            terrace_value::Type::Dynamic
        } else {
            terrace_value::Type::String
        };
        return Ok(Value::unknown(ty));
    }
    match name {
        "encode_expr" => Ok(Value::string(expression(argument))),
        "encode_tfvars" => encode_variables(argument)
            .map(Value::string)
            .map_err(|message| (Some(0), message)),
        "decode_tfvars" => decode_variables(argument).map_err(|message| (Some(0), message)),
        _ => Err((None, format!("there is no function named {name:?}"))),
    }
}

fn encode_variables(value: &Value) -> Result<String, String> {
    let Some(entries) = value.as_entries() else {
        return Err("invalid value to encode: must be an object whose attribute names will become the encoded variable names".into());
    };
    let mut rows = Vec::new();
    for (name, value) in entries {
        if !is_identifier(name) {
            return Err(format!(
                "invalid variable name {name:?}: must be a valid identifier, per the rules for input variables"
            ));
        }
        rows.push((name.to_string(), written(value, 0)));
    }
    Ok(aligned(&rows, 0))
}

fn expression(value: &Value) -> String {
    written(value, 0)
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// `name = value` lines; the equals signs of neighbouring single-line values are aligned, as the formatter does.
fn aligned(rows: &[(String, String)], indent: usize) -> String {
    let mut text = String::new();
    let mut start = 0;
    while start < rows.len() {
        let mut end = start;
        while end < rows.len() && !rows[end].1.contains('\n') {
            end += 1;
        }
        // A value of several lines still takes part in the group that it begins with its first line.
        let group_end = (end + 1).min(rows.len());
        let width = rows[start..end]
            .iter()
            .map(|(name, _)| name.chars().count())
            .max()
            .unwrap_or(0);
        for (offset, (name, value)) in rows[start..group_end].iter().enumerate() {
            let width = if start + offset < end { width } else { 0 };
            writeln!(text, "{:indent$}{name:width$} = {value}", "")
                .expect("writing to a string does not fail");
        }
        start = group_end;
    }
    text
}

fn written(value: &Value, indent: usize) -> String {
    match value.kind() {
        Kind::Null(_) | Kind::Unknown(_) => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Number(number) => number.to_string(),
        Kind::String(text) => quoted(text),
        Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => {
            let items: Vec<String> = items.iter().map(|item| written(item, indent)).collect();
            format!("[{}]", items.join(", "))
        }
        Kind::Map(_, entries) | Kind::Object(entries) => {
            if entries.is_empty() {
                return "{}".to_owned();
            }
            let rows: Vec<(String, String)> = entries
                .iter()
                .map(|(key, value)| {
                    let key = if is_identifier(key) {
                        key.to_string()
                    } else {
                        quoted(key)
                    };
                    (key, written(value, indent + 2))
                })
                .collect();
            format!("{{\n{}{:indent$}}}", aligned(&rows, indent + 2), "")
        }
    }
}

fn quoted(text: &str) -> String {
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
            c if c.is_control() => {
                write!(out, "\\u{:04x}", u32::from(c)).expect("writing to a string does not fail")
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn decode_variables(value: &Value) -> Result<Value, String> {
    let source = value.as_str().unwrap_or_default();
    let (body, diagnostics) = terrace_syntax::parse(SourceId(0), source.as_bytes());
    if let Some(problem) = diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
        return Err(format!(
            "invalid tfvars syntax: {}; {}",
            problem.summary, problem.detail
        ));
    }
    let (attributes, diagnostics) = body.just_attributes();
    if let Some(problem) = diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
        return Err(format!(
            "invalid tfvars syntax: {}; {}",
            problem.summary, problem.detail
        ));
    }
    let mut values = BTreeMap::new();
    for (name, attribute) in attributes {
        values.insert(name, constant(&attribute.value)?);
    }
    Ok(Value::object(values))
}

/// The value of an expression that refers to nothing.
fn constant(expression: &Expr) -> Result<Value, String> {
    match &expression.kind {
        ExprKind::Literal(value) => Ok(value.clone()),
        ExprKind::Parens(inner) | ExprKind::TemplateWrap(inner) => constant(inner),
        ExprKind::Template(parts) => {
            let mut text = String::new();
            for part in parts {
                match constant(part)?.as_str() {
                    Some(piece) => text.push_str(piece),
                    None => {
                        return Err(
                            "invalid expression: a variable's value cannot be computed here".into(),
                        );
                    }
                }
            }
            Ok(Value::string(text))
        }
        ExprKind::Tuple(items) => Ok(Value::tuple(
            items.iter().map(constant).collect::<Result<Vec<_>, _>>()?,
        )),
        ExprKind::Object(items) => {
            let mut entries: BTreeMap<Text, Value> = BTreeMap::new();
            for item in items {
                let key = match &item.key {
                    ObjectKey::Name(ident) => ident.name.clone(),
                    ObjectKey::Expr(key) => match constant(key)?.as_str() {
                        Some(key) => key.into(),
                        None => return Err("invalid object key: a string is required".into()),
                    },
                };
                entries.insert(key, constant(&item.value)?);
            }
            Ok(Value::object(entries))
        }
        ExprKind::Unary {
            op: UnaryOp::Negate,
            operand,
        } => match constant(operand)?.as_number() {
            Some(number) => Ok(Value::number(number.neg())),
            None => Err("invalid expression: only a number can be negated".into()),
        },
        _ => Err(
            "invalid expression: variables, functions and operators are not allowed here".into(),
        ),
    }
}
