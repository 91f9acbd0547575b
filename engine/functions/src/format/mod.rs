//! `format` and `formatlist`.

mod number;
mod scan;

use terrace_value::convert::convert;
use terrace_value::{Kind, Refinements, Type, Value};
use unicode_segmentation::UnicodeSegmentation;

use crate::go_text::{quoted, quoted_character};
use crate::spec::{any, gives_string, gives_strings, text};
use crate::support::{elements_of, known_length, text_of};
use crate::{CallError, Context, Function, json};
use scan::{Piece, Verb};

pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            "format",
            "Text with values in place of verbs such as `%s` and `%05d`.",
            [text("format", "")],
            gives_string,
            format_function,
        )
        .with_variadic(any("args", "").nullable().unknown()),
        Function::new(
            "formatlist",
            "As `format`, once for each element of the lists among the arguments.",
            [text("format", "")],
            gives_strings,
            formatlist,
        )
        .with_variadic(any("args", "").nullable().unknown()),
    ]
}

fn format_function(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let template = text_of(&arguments[0]);
    if !arguments[1..].iter().all(Value::is_wholly_known) {
        let literal = template.find('%').map_or("", |length| &template[..length]);
        return Ok(Value::unknown_refined(
            Type::String,
            Refinements::beginning_with(literal),
        ));
    }
    format(template, &arguments[1..]).map(Value::string)
}

/// What stands in one place of all results of `formatlist`.
enum Place {
    Each(Vec<Value>),
    Same(Value),
    Unknown,
}

fn formatlist(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let template = text_of(&arguments[0]);
    let values = &arguments[1..];
    if values.is_empty() {
        return Ok(Value::list(
            Type::String,
            [Value::string(format(template, &[])?)],
        ));
    }
    let mut places = Vec::with_capacity(values.len());
    let mut length: Option<(usize, usize)> = None;
    for (position, value) in (1..).zip(values) {
        let place = place_of(value);
        if let (Place::Each(_) | Place::Unknown, Some(found)) = (&place, sequence_length(value)) {
            match length {
                None => length = Some((position, found)),
                Some((chooser, wanted)) if wanted != found => {
                    let message = format!(
                        "argument {position} has length {found}, which is inconsistent with argument {chooser} of length \
                         {wanted}"
                    );
                    return Err(CallError::argument(position, message));
                }
                Some(_) => {}
            }
        }
        places.push(place);
    }
    if places.iter().any(|place| matches!(place, Place::Unknown)) {
        return Ok(Value::unknown(result.clone()));
    }
    let n_results = length.map_or(1, |(_, found)| found);
    let results = (0..n_results)
        .map(|index| one_of_list(template, &places, index))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Value::list(Type::String, results))
}

fn place_of(value: &Value) -> Place {
    match value.ty() {
        Type::List(_) | Type::Set(_) | Type::Tuple(_) if !value.is_null() => {
            if value.is_known() && known_length(value).is_some() {
                Place::Each(elements_of(value))
            } else {
                Place::Unknown
            }
        }
        Type::Dynamic if !value.is_known() => Place::Unknown,
        _ => Place::Same(value.clone()),
    }
}

fn sequence_length(value: &Value) -> Option<usize> {
    match value.ty() {
        Type::List(_) | Type::Set(_) | Type::Tuple(_) => known_length(value),
        _ => None,
    }
}

fn one_of_list(template: &str, places: &[Place], index: usize) -> Result<Value, CallError> {
    let values: Vec<Value> = places
        .iter()
        .filter_map(|place| match place {
            Place::Each(items) => items.get(index).cloned(),
            Place::Same(value) => Some(value.clone()),
            Place::Unknown => None,
        })
        .collect();
    if !values.iter().all(Value::is_wholly_known) {
        return Ok(Value::unknown_refined(
            Type::String,
            Refinements::not_null(),
        ));
    }
    format(template, &values)
        .map(Value::string)
        .map_err(|error| {
            CallError::call(format!(
                "error on format iteration {index}: {}",
                error.message
            ))
        })
}

/// Puts wholly known, unmarked values in place of the verbs of a template.
fn format(template: &str, values: &[Value]) -> Result<String, CallError> {
    let mut out = String::new();
    let mut highest = 0;
    let mut next = 1;
    let mut scanner = scan::Scanner::new(template);
    while let Some(piece) = scanner.next_piece().map_err(CallError::call)? {
        match piece {
            Piece::Literal(text) => out.push_str(text),
            Piece::Verb(verb) => {
                let position = verb.position.unwrap_or(next);
                highest = highest.max(position);
                next = position + 1;
                let value = position.checked_sub(1).and_then(|index| values.get(index)).ok_or_else(|| {
                    CallError::call(format!(
                        "not enough arguments for {} at {}: need index {position} but have {} total",
                        quoted(verb.raw),
                        verb.offset,
                        values.len()
                    ))
                })?;
                out.push_str(&format_value(&verb, value).map_err(CallError::call)?);
            }
        }
    }
    if highest < values.len() {
        let message = if highest == 0 {
            "too many arguments; no verbs in format string".to_owned()
        } else {
            format!("too many arguments; only {highest} used by format string")
        };
        return Err(CallError::argument(highest + 1, message));
    }
    Ok(out)
}

fn format_value(verb: &Verb<'_>, value: &Value) -> Result<String, String> {
    let unsupported = |why: &str| {
        format!(
            "unsupported value for {} at {}: {why}",
            quoted(verb.raw),
            verb.offset
        )
    };
    if verb.mode != 'v' && value.is_null() {
        return Err(unsupported("null value cannot be formatted"));
    }
    let converted = |ty: &Type| convert(value, ty).map_err(|error| unsupported(&error.message));
    match verb.mode {
        'v' => as_is(verb, value)
            .map(|text| pad(verb, text))
            .map_err(|why| unsupported(&why)),
        't' => Ok(if converted(&Type::Bool)?.as_bool() == Some(true) {
            "true"
        } else {
            "false"
        }
        .to_owned()),
        'b' | 'd' | 'o' | 'x' | 'X' => {
            let converted = converted(&Type::Number)?;
            let integer = converted
                .as_number()
                .and_then(terrace_value::Number::to_bigint);
            integer
                .map(|integer| number::integer(verb, &integer))
                .ok_or_else(|| unsupported("an integer is required"))
        }
        'e' | 'E' | 'f' | 'g' | 'G' => {
            let converted = converted(&Type::Number)?;
            Ok(converted
                .as_number()
                .map(|value| number::float(verb, value))
                .unwrap_or_default())
        }
        's' | 'q' => {
            let converted = converted(&Type::String)?;
            let text = truncated(verb, text_of(&converted));
            let text = if verb.mode == 'q' {
                json::encode(&Value::string(text))?
            } else {
                text.to_owned()
            };
            Ok(pad(verb, text))
        }
        other => Err(format!(
            "unsupported format verb {} in {} at offset {}",
            quoted_character(other),
            quoted(verb.raw),
            verb.offset
        )),
    }
}

fn as_is(verb: &Verb<'_>, value: &Value) -> Result<String, String> {
    match value.kind() {
        Kind::String(text) if !verb.sharp => Ok(text.to_string()),
        Kind::Number(number) if !verb.sharp => Ok(number::shortest(number)),
        _ => json::encode(value),
    }
}

/// To the precision in characters; a precision of 0 is none.
fn truncated<'t>(verb: &Verb<'_>, text: &'t str) -> &'t str {
    match verb.precision {
        Some(precision) if precision > 0 => {
            let end = text
                .grapheme_indices(true)
                .nth(precision)
                .map_or(text.len(), |(index, _)| index);
            &text[..end]
        }
        _ => text,
    }
}

/// To the width in characters.
fn pad(verb: &Verb<'_>, text: String) -> String {
    let length = text.graphemes(true).count();
    let Some(missing) = verb
        .width
        .and_then(|width| width.checked_sub(length))
        .filter(|missing| *missing > 0)
    else {
        return text;
    };
    let padding = if verb.zero { "0" } else { " " }.repeat(missing);
    if verb.minus {
        text + &padding
    } else {
        padding + &text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::tests::{call, check};

    #[test]
    fn verbs() {
        check(&[
            ("format", r#"["Hello, %s!", "Jo"]"#, r#""Hello, Jo!""#),
            (
                "format",
                r#"["%5d|%-5d|%05d|%+d|% d", 42, 42, 42, 5, 5]"#,
                r#""   42|42   |00042|+5| 5""#,
            ),
            (
                "format",
                r#"["%x %X %o %b %#x %#o", 255, 255, 8, -5, 255, 8]"#,
                r#""ff FF 10 -101 0xff 010""#,
            ),
            (
                "format",
                r#"["%f %.2f %e %g %G", 3.14159, 3.14159, 31415.9, 0.00001, 1e-10]"#,
                r#""3.141590 3.14 3.141590e+04 1e-05 1E-10""#,
            ),
            (
                "format",
                r#"["%8.3f|%-8.2f|%08.2f", 3.14159, 2.5, -2.5]"#,
                r#""   3.142|2.50    |-0002.50""#,
            ),
            (
                "format",
                r#"["%.0f %.0f %.1f", 0.5, 1.5, 0.25]"#,
                r#""0 2 0.2""#,
            ),
            (
                "format",
                r#"["%v %v %v", 1000000, 123456, 0.1]"#,
                r#""1e+06 123456 0.1""#,
            ),
            (
                "format",
                r#"["%v %v", [1, "a", null], {"a": 1}]"#,
                r#""[1,\"a\",null] {\"a\":1}""#,
            ),
            (
                "format",
                r#"["%q %#v", "a\"b", "c"]"#,
                r#""\"a\\\"b\" \"c\"""#,
            ),
            (
                "format",
                r#"["%5s|%-5s|%.2s|%05s", "ab", "ab", "abcdef", "x"]"#,
                r#""   ab|ab   |ab|0000x""#,
            ),
            ("format", r#"["%[2]s %[1]s", "a", "b"]"#, r#""b a""#),
            ("format", r#"["%t%%", "true"]"#, r#""true%""#),
        ]);
    }

    #[test]
    fn mistakes() {
        check(&[
            (
                "format",
                r#"["%s", []]"#,
                r#"! unsupported value for "%s" at 0: string required"#,
            ),
            (
                "format",
                r#"["%d", 1.5]"#,
                r#"! unsupported value for "%d" at 0: an integer is required"#,
            ),
            (
                "format",
                r#"["%z", 1]"#,
                r#"! unsupported format verb 'z' in "%z" at offset 0"#,
            ),
            (
                "format",
                r#"["a%s"]"#,
                r#"! not enough arguments for "%s" at 1: need index 1 but have 0 total"#,
            ),
            (
                "format",
                r#"["%s", "a", "b"]"#,
                "!2 too many arguments; only 1 used by format string",
            ),
            (
                "format",
                r#"["x", "a"]"#,
                "!1 too many arguments; no verbs in format string",
            ),
            (
                "format",
                r#"["%*d", 5, 42]"#,
                "! unrecognized format character '*' at offset 1",
            ),
            (
                "format",
                r#"["50%"]"#,
                "! invalid format string starting at offset 3",
            ),
        ]);
    }

    #[test]
    fn lists() {
        check(&[
            (
                "formatlist",
                r#"["%s=%d", ["a", "b"], [1, 2]]"#,
                r#"["a=1","b=2"]"#,
            ),
            (
                "formatlist",
                r#"["%s-%s", "x", ["a", "b"]]"#,
                r#"["x-a","x-b"]"#,
            ),
            ("formatlist", r#"["%s", []]"#, "[]"),
            ("formatlist", r#"["static"]"#, r#"["static"]"#),
            (
                "formatlist",
                r#"["%s %s", ["a"], ["b", "c"]]"#,
                "!2 argument 2 has length 2, which is inconsistent with argument 1 of length 1",
            ),
        ]);
    }

    #[test]
    fn unknown_values() {
        let result = call(
            "format",
            &[Value::from("id-%s"), Value::unknown(Type::String)],
        )
        .unwrap();
        assert_eq!(
            result
                .refinements()
                .and_then(|refinements| refinements.prefix.clone()),
            Some("id-".into())
        );
        let list = Value::tuple([Value::from("a"), Value::unknown(Type::String)]);
        let result = call("formatlist", &[Value::from("%s"), list]).unwrap();
        assert_eq!(
            result.as_sequence().map(|items| items[0].clone()),
            Some(Value::from("a"))
        );
        assert!(!result.is_wholly_known());
    }
}
