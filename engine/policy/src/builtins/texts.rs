//! Functions over texts: `strings.*`, strings with expressions, patterns that meet, and `array.flatten`.

use std::collections::BTreeMap;

use regorus::Value;

use super::{Entry, Outcome, text};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("strings.split_n", 3, split_n),
    ("strings.count", 2, count),
    ("strings.replace_n", 2, replace_n),
    ("strings.render_template", 2, render_template),
    ("internal.template_string", 1, template_string),
    ("array.flatten", 1, flatten),
];

fn flatten(values: &[Value]) -> Outcome {
    let items = values
        .first()
        .and_then(|value| value.as_array().ok())
        .ok_or("operand 1 must be array")?;
    let mut flat = Vec::with_capacity(items.len());
    for item in items {
        match item.as_array() {
            Ok(inner) => flat.extend(inner.iter().cloned()),
            Err(_) => flat.push(item.clone()),
        }
    }
    Ok(flat.into())
}

/// The first so many parts, or the last ones for a negative number.
fn split_n(values: &[Value]) -> Outcome {
    let (whole, delimiter) = (text(values, 0)?, text(values, 1)?);
    let number = values
        .get(2)
        .and_then(|value| value.as_i64().ok())
        .ok_or("operand 3 must be integer number")?;
    let parts: Vec<Value> = if delimiter.is_empty() {
        whole
            .chars()
            .map(|character| character.to_string().into())
            .collect()
    } else {
        whole.split(delimiter).map(Value::from).collect()
    };
    let n_wanted = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
    let n_wanted = n_wanted.min(parts.len());
    let wanted = if number < 0 {
        &parts[parts.len() - n_wanted..]
    } else {
        &parts[..n_wanted]
    };
    Ok(wanted.to_vec().into())
}

/// Replaces from left to right, at each place the first key in the keys' order; what was put in is not looked at again.
fn replace_n(values: &[Value]) -> Outcome {
    let patterns = values
        .first()
        .and_then(|value| value.as_object().ok())
        .ok_or("operand 1 must be object")?;
    let mut replacements = Vec::with_capacity(patterns.len());
    for (key, value) in patterns.iter() {
        match (key, value) {
            (Value::String(key), Value::String(value)) => {
                replacements.push((key.to_string(), value.to_string()));
            }
            _ => return Err("operand 1 non-string key or value found in pattern object".to_owned()),
        }
    }
    let mut rest = text(values, 1)?;
    let mut replaced = String::new();
    let mut was_empty = false;
    loop {
        let found = replacements
            .iter()
            .find(|(key, _)| rest.starts_with(key.as_str()) && !(key.is_empty() && was_empty));
        if let Some((key, value)) = found {
            replaced.push_str(value);
            rest = &rest[key.len()..];
            was_empty = key.is_empty();
            continue;
        }
        let Some(next) = rest.chars().next() else {
            return Ok(replaced.into());
        };
        replaced.push(next);
        rest = &rest[next.len_utf8()..];
        was_empty = false;
    }
}

/// How often a text is in another, without overlaps; the empty one is before and behind each character.
fn count(values: &[Value]) -> Outcome {
    let (whole, part) = (text(values, 0)?, text(values, 1)?);
    let number = if part.is_empty() {
        whole.chars().count() + 1
    } else {
        whole.matches(part).count()
    };
    Ok(Value::from(number))
}

/// Joins what a string with expressions is made of: texts, and lists with a value or without one.
fn template_string(values: &[Value]) -> Outcome {
    let parts = values
        .first()
        .and_then(|value| value.as_array().ok())
        .ok_or("operand 1 must be array")?;
    let mut joined = String::new();
    for part in parts {
        match part {
            Value::String(text) => joined.push_str(text),
            Value::Array(held) => match held.iter().next() {
                None => joined.push_str("<undefined>"),
                Some(Value::String(text)) => joined.push_str(text),
                Some(value) => joined.push_str(&shown(value)),
            },
            other => joined.push_str(&shown(other)),
        }
    }
    Ok(joined.into())
}

/// A value as Rego writes it.
fn shown(value: &Value) -> String {
    let list =
        |items: &mut dyn Iterator<Item = &Value>| items.map(shown).collect::<Vec<_>>().join(", ");
    match value {
        Value::Array(items) => format!("[{}]", list(&mut items.iter())),
        Value::Set(items) if items.is_empty() => "set()".to_owned(),
        Value::Set(items) => format!("{{{}}}", list(&mut items.iter())),
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(key, value)| format!("{}: {}", shown(key), shown(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        other => other.to_json_str().unwrap_or_default(),
    }
}

/// A part of a template: text, a value, or what stands between a `range` or `if` and its `end`.
enum Step {
    Text(String),
    Show(String),
    Each(Vec<String>, String, Vec<Self>),
    When(String, Vec<Self>, Vec<Self>),
}

/// Go's templates, as far as values, `if`, `else` and `range` go.
fn render_template(values: &[Value]) -> Outcome {
    let mut rest = text(values, 0)?;
    let root = values.get(1).ok_or("operand 2 must be object")?;
    root.as_object()
        .map_err(|_| "operand 2 must be object".to_owned())?;
    let (steps, end) = steps(&mut rest)?;
    if !end.is_empty() {
        return Err(format!("unexpected {{{{{end}}}}}"));
    }
    let mut rendered = String::new();
    render(&steps, root, &BTreeMap::new(), &mut rendered)?;
    Ok(rendered.into())
}

/// Reads steps up to an `end` or `else`, which is given too.
fn steps(rest: &mut &str) -> Result<(Vec<Step>, String), String> {
    let mut steps = Vec::new();
    while let Some((before, behind)) = rest.split_once("{{") {
        let (action, behind) = behind.split_once("}}").ok_or("unclosed action")?;
        let mut before = before;
        let mut behind = behind;
        let mut action = action;
        if let Some(trimming) = action.strip_prefix("- ") {
            action = trimming;
            before = before.trim_end();
        }
        if let Some(trimming) = action.strip_suffix(" -") {
            action = trimming;
            behind = behind.trim_start();
        }
        *rest = behind;
        steps.push(Step::Text(before.to_owned()));
        let action = action.trim();
        match action.split_once(' ').map_or((action, ""), |parts| parts) {
            ("end" | "else", _) => return Ok((steps, action.to_owned())),
            ("range", range) => {
                let (names, source) = match range.split_once(":=") {
                    Some((names, source)) => (
                        names
                            .split(',')
                            .map(|name| name.trim().to_owned())
                            .collect(),
                        source.trim(),
                    ),
                    None => (Vec::new(), range.trim()),
                };
                let (inner, _) = self::steps(rest)?;
                steps.push(Step::Each(names, source.to_owned(), inner));
            }
            ("if", condition) => {
                let (inner, end) = self::steps(rest)?;
                let otherwise = if end == "else" {
                    self::steps(rest)?.0
                } else {
                    Vec::new()
                };
                steps.push(Step::When(condition.trim().to_owned(), inner, otherwise));
            }
            _ if action.starts_with("/*") => {}
            _ if action.starts_with(['.', '$']) => steps.push(Step::Show(action.to_owned())),
            _ => return Err(format!("{action} is not understood in a template")),
        }
    }
    steps.push(Step::Text((*rest).to_owned()));
    *rest = "";
    Ok((steps, String::new()))
}

fn render(
    steps: &[Step],
    dot: &Value,
    variables: &BTreeMap<String, Value>,
    rendered: &mut String,
) -> Result<(), String> {
    for step in steps {
        match step {
            Step::Text(text) => rendered.push_str(text),
            Step::Show(path) => match looked_up(path, dot, variables) {
                Some(Value::String(text)) => rendered.push_str(&text),
                Some(value) => rendered.push_str(&shown(&value)),
                None => rendered.push_str("<undefined>"),
            },
            Step::When(condition, inner, otherwise) => {
                let value = looked_up(condition, dot, variables);
                let chosen = if value.is_some_and(|value| is_truthy(&value)) {
                    inner
                } else {
                    otherwise
                };
                render(chosen, dot, variables, rendered)?;
            }
            Step::Each(names, source, inner) => {
                let pairs: Vec<(Value, Value)> = match looked_up(source, dot, variables) {
                    Some(Value::Array(items)) => items
                        .iter()
                        .enumerate()
                        .map(|(index, item)| (Value::from(index), item.clone()))
                        .collect(),
                    Some(Value::Object(members)) => members
                        .iter()
                        .map(|(key, value)| (key.clone(), value.clone()))
                        .collect(),
                    _ => return Err(format!("range can't iterate over {source}")),
                };
                for (key, value) in pairs {
                    let mut variables = variables.clone();
                    match names.as_slice() {
                        [one] => {
                            variables.insert(one.clone(), value.clone());
                        }
                        [first, second, ..] => {
                            variables.insert(first.clone(), key);
                            variables.insert(second.clone(), value.clone());
                        }
                        [] => {}
                    }
                    render(inner, &value, &variables, rendered)?;
                }
            }
        }
    }
    Ok(())
}

/// The value of `.`, `.a.b`, `$name` or `$name.a`.
fn looked_up(path: &str, dot: &Value, variables: &BTreeMap<String, Value>) -> Option<Value> {
    let (start, fields) = path.split_once('.').unwrap_or((path, ""));
    let mut value = if start.is_empty() {
        dot.clone()
    } else {
        variables.get(start)?.clone()
    };
    for field in fields.split('.').filter(|field| !field.is_empty()) {
        value = super::member(&value, field)?.clone();
    }
    Some(value)
}

fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null | Value::Undefined => false,
        Value::Bool(value) => *value,
        Value::Number(_) => value.as_f64().is_ok_and(|number| number != 0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Set(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}
