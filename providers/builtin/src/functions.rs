//! Functions that read and write the language itself.

use terrace_config::evaluate_constant;
use terrace_diag::{Diagnostic, Diagnostics, SourceFile, SourceId};
use terrace_value::literal::quoted;
use terrace_value::{Kind, Text, Value};

/// What the text given to `decode_tfvars` is called in messages.
const ARGUMENT: &str = "<decode_tfvars argument>";

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
    let mut text = String::new();
    for (name, value) in entries {
        if !is_identifier(name) {
            return Err(format!(
                "invalid variable name {name:?}: must be a valid identifier, per Terrace's rules for input variable declarations"
            ));
        }
        assign(name, value, &mut text);
    }
    Ok(terrace_syntax::format(&text))
}

/// The formatter lays out whole files: the expression is formatted as a variable's value.
fn expression(value: &Value) -> String {
    let mut text = String::new();
    assign("v", value, &mut text);
    let formatted = terrace_syntax::format(&text);
    let expression = formatted.strip_prefix("v = ").unwrap_or(&formatted);
    expression.trim_end_matches('\n').to_owned()
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

fn assign(name: &str, value: &Value, out: &mut String) {
    out.push_str(name);
    out.push_str(" = ");
    write_value(value, out);
    out.push('\n');
}

/// Lines break only within objects; spacing is left to the formatter.
fn write_value(value: &Value, out: &mut String) {
    match value.kind() {
        Kind::Null(_) | Kind::Unknown(_) => out.push_str("null"),
        Kind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Kind::Number(number) => out.push_str(&number.to_string()),
        Kind::String(text) => out.push_str(&quoted(text)),
        Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_value(item, out);
            }
            out.push(']');
        }
        Kind::Map(_, entries) | Kind::Object(entries) if entries.is_empty() => out.push_str("{}"),
        Kind::Map(_, entries) | Kind::Object(entries) => {
            out.push_str("{\n");
            for (key, value) in entries.iter() {
                assign(&written_key(key), value, out);
            }
            out.push('}');
        }
    }
}

fn written_key(key: &Text) -> String {
    if is_identifier(key) {
        return key.to_string();
    }
    quoted(key)
}

fn decode_variables(value: &Value) -> Result<Value, String> {
    let text = value.as_str().unwrap_or_default();
    let source = SourceFile::new(ARGUMENT, text);
    let (body, diagnostics) = terrace_syntax::parse(SourceId(0), text.as_bytes());
    no_errors("invalid tfvars syntax", &source, diagnostics)?;
    let (attributes, diagnostics) = body.just_attributes();
    no_errors("invalid tfvars content", &source, diagnostics)?;
    let mut values = Vec::new();
    for (name, attribute) in attributes {
        let mut diagnostics = Diagnostics::new();
        let value = evaluate_constant(&attribute.value, &mut diagnostics);
        let what = format!("invalid expression for variable \"{name}\"");
        no_errors(&what, &source, diagnostics)?;
        values.push((name, value));
    }
    Ok(Value::object(values))
}

fn no_errors(what: &str, source: &SourceFile, diagnostics: Diagnostics) -> Result<(), String> {
    match diagnostics.sorted().into_iter().find(Diagnostic::is_error) {
        None => Ok(()),
        Some(problem) => Err(format!(
            "{what}: {}{}; {}",
            place(source, &problem),
            problem.summary,
            problem.detail
        )),
    }
}

/// Where a problem is, as `name:line,column-column: `.
fn place(source: &SourceFile, problem: &Diagnostic) -> String {
    let Some(span) = problem.subject else {
        return String::new();
    };
    let (from, to) = (source.position(span.start), source.position(span.end));
    let end = if from.line == to.line {
        to.column.to_string()
    } else {
        format!("{},{}", to.line, to.column)
    };
    format!("{}:{},{}-{end}: ", source.name(), from.line, from.column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
        Value::object(entries)
    }

    fn sample() -> Value {
        let list = Value::tuple([
            Value::int(1),
            Value::int(2),
            object([("z", Value::int(1)), ("wide", Value::TRUE)]),
        ]);
        object([
            ("a", Value::int(1)),
            (
                "l",
                Value::tuple([Value::string("a"), Value::empty_object()]),
            ),
            ("long_name", Value::string("x\ny ${z} %{\"\\\u{1}\u{e9}")),
            (
                "obj",
                object([("a b", Value::NULL), ("x", Value::int(1)), ("yy", list)]),
            ),
            (
                "set",
                Value::set(terrace_value::Type::String, [Value::string("b")]),
            ),
            ("zz", Value::tuple([])),
            ("zzzz", Value::TRUE),
        ])
    }

    // The layout is what Terraform 1.11 gives for the same values.
    const WRITTEN: &str = r#"a         = 1
l         = ["a", {}]
long_name = "x\ny $${z} %%{\"\\\u0001é"
obj = {
  "a b" = null
  x     = 1
  yy = [1, 2, {
    wide = true
    z    = 1
  }]
}
set  = ["b"]
zz   = []
zzzz = true
"#;

    #[test]
    fn variables_are_laid_out_as_the_formatter_does() {
        let written = call("encode_tfvars", &[sample()]).unwrap();
        assert_eq!(written.as_str(), Some(WRITTEN));
        assert_eq!(terrace_syntax::format(WRITTEN), WRITTEN);
    }

    #[test]
    fn what_was_written_is_read_again() {
        let read = call("decode_tfvars", &[Value::string(WRITTEN)]).unwrap();
        for (name, value) in sample().as_entries().unwrap() {
            if &**name != "set" {
                assert_eq!(read.get(name), Some(value), "{name}");
            }
        }
        assert_eq!(read.get("set"), Some(&Value::tuple([Value::string("b")])));
    }

    #[test]
    fn expressions_are_written() {
        for (value, expected) in [
            (Value::int(-2), "-2"),
            (Value::string("a"), "\"a\""),
            (Value::NULL, "null"),
            (
                object([("b.c", Value::int(1)), ("d_e-f", Value::int(2))]),
                "{\n  \"b.c\" = 1\n  d_e-f = 2\n}",
            ),
            (Value::tuple([Value::tuple([Value::int(1)])]), "[[1]]"),
        ] {
            let written = call("encode_expr", &[value]).unwrap();
            assert_eq!(written.as_str(), Some(expected));
        }
    }

    #[test]
    fn constants_may_be_reckoned() {
        let text = "a = 1 + 2\nb = true ? [\"x\"] : []\nc = { (\"k\") = -3 }\n";
        let read = call("decode_tfvars", &[Value::string(text)]).unwrap();
        assert_eq!(read.get("a"), Some(&Value::int(3)));
        assert_eq!(
            read.get("c").and_then(|c| c.get("k")),
            Some(&Value::int(-3))
        );
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        for (text, expected) in [
            (
                "a = foo",
                "invalid expression for variable \"a\": <decode_tfvars argument>:1,5-8: Variables not allowed; ",
            ),
            (
                "a = upper(\"x\")",
                "invalid expression for variable \"a\": <decode_tfvars argument>:1,5-",
            ),
            (
                "a = [",
                "invalid tfvars syntax: <decode_tfvars argument>:1,",
            ),
            (
                "b {\n}",
                "invalid tfvars content: <decode_tfvars argument>:1,1-",
            ),
            (
                "a = 1\na = 2",
                "invalid tfvars syntax: <decode_tfvars argument>:2,1-2: Attribute redefined; ",
            ),
        ] {
            let (argument, told) = call("decode_tfvars", &[Value::string(text)]).unwrap_err();
            assert_eq!(argument, Some(0));
            assert!(told.starts_with(expected), "{text}: {told}");
        }
    }

    #[test]
    fn values_that_cannot_be_variables_are_refused() {
        for value in [Value::int(1), Value::NULL, object([("a b", Value::TRUE)])] {
            assert_eq!(call("encode_tfvars", &[value]).unwrap_err().0, Some(0));
        }
        assert!(call("encode_tfvars", &[]).is_err());
        assert!(call("other", &[Value::NULL]).is_err());
    }

    #[test]
    fn unknowns_give_unknowns() {
        let unknown = object([("a", Value::dynamic())]);
        for name in ["encode_tfvars", "encode_expr", "decode_tfvars"] {
            assert!(
                !call(name, std::slice::from_ref(&unknown))
                    .unwrap()
                    .is_known()
            );
        }
    }
}
