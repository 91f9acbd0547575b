//! From values to JSON.

use std::fmt::Write as _;

use super::JsonError;
use super::types::type_onto;
use crate::{Kind, Path, PathStep, Text, Type, Value};

/// The JSON of `value` in a place of type `ty`, which is its type or has `Dynamic` where its type has something else.
///
/// Values with marks, unknown ones and infinite numbers have none: the caller takes the marks off, knowing why.
pub fn encode(value: &Value, ty: &Type) -> Result<String, JsonError> {
    let mut text = String::new();
    encode_onto(value, ty, &mut text)?;
    Ok(text)
}

/// Like [`encode`], at the end of `text`. After an error the text may hold a part of the JSON.
pub fn encode_onto(value: &Value, ty: &Type, text: &mut String) -> Result<(), JsonError> {
    Encoder {
        text,
        path: Vec::new(),
    }
    .value(value, ty)
}

/// The JSON of `value` without any types, as `jsonencode` gives it.
pub fn simple_encode(value: &Value) -> Result<String, JsonError> {
    let mut text = String::new();
    Encoder {
        text: &mut text,
        path: Vec::new(),
    }
    .simple(value)?;
    Ok(text)
}

struct Encoder<'a> {
    text: &'a mut String,
    path: Vec<PathStep>,
}

impl Encoder<'_> {
    fn value(&mut self, value: &Value, ty: &Type) -> Result<(), JsonError> {
        let bare = match value.kind() {
            Kind::Null(own) => *own == Type::Dynamic,
            Kind::Unknown(unknown) => unknown.0 == Type::Dynamic,
            _ => false,
        };
        if *ty == Type::Dynamic && !bare {
            self.check_marks(value)?;
            let own = value.ty();
            self.text.push_str("{\"value\":");
            self.value(value, &own)?;
            self.text.push_str(",\"type\":");
            type_onto(&own, self.text);
            self.text.push('}');
            return Ok(());
        }
        match (value.kind(), ty) {
            (Kind::List(_, items), Type::List(element))
            | (Kind::Set(_, items), Type::Set(element)) => {
                self.check_marks(value)?;
                self.array(items, |encoder, _, item| encoder.value(item, element))
            }
            (Kind::Tuple(items), Type::Tuple(elements)) if items.len() == elements.len() => {
                self.check_marks(value)?;
                self.array(items, |encoder, index, item| {
                    encoder.value(item, &elements[index])
                })
            }
            (Kind::Map(_, entries), Type::Map(element)) => {
                self.check_marks(value)?;
                self.entries(entries, PathStepKind::Key, |encoder, _, item| {
                    encoder.value(item, element)
                })
            }
            (Kind::Object(entries), Type::Object(object))
                if entries.len() == object.attributes.len() =>
            {
                self.check_marks(value)?;
                self.entries(
                    entries,
                    PathStepKind::Attribute,
                    |encoder, name, item| match object.attributes.get(name) {
                        Some(ty) => encoder.value(item, ty),
                        None => encoder.fail("unsupported attribute"),
                    },
                )
            }
            (Kind::Null(_), _) => self.leaf(value),
            (kind, ty) if is_leaf(kind) && value.has_type(ty) => self.leaf(value),
            _ => self.fail(&format!(
                "{} is required",
                ty.friendly_name_for_constraint()
            )),
        }
    }

    fn simple(&mut self, value: &Value) -> Result<(), JsonError> {
        match value.kind() {
            Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => {
                self.check_marks(value)?;
                self.array(items, |encoder, _, item| encoder.simple(item))
            }
            Kind::Map(_, entries) => {
                self.check_marks(value)?;
                self.entries(entries, PathStepKind::Key, |encoder, _, item| {
                    encoder.simple(item)
                })
            }
            Kind::Object(entries) => {
                self.check_marks(value)?;
                self.entries(entries, PathStepKind::Attribute, |encoder, _, item| {
                    encoder.simple(item)
                })
            }
            _ => self.leaf(value),
        }
    }

    fn leaf(&mut self, value: &Value) -> Result<(), JsonError> {
        self.check_marks(value)?;
        match value.kind() {
            Kind::Null(_) => self.text.push_str("null"),
            Kind::Bool(value) => self.text.push_str(if *value { "true" } else { "false" }),
            Kind::Number(number) if number.is_infinite() => {
                return self.fail("cannot encode infinity as JSON");
            }
            Kind::Number(number) => {
                let written = write!(self.text, "{number}");
                debug_assert!(written.is_ok(), "writing to a string does not fail");
            }
            Kind::String(text) => quote_onto(text, self.text),
            _ => return self.fail("value is not known"),
        }
        Ok(())
    }

    fn array(
        &mut self,
        items: &[Value],
        mut element: impl FnMut(&mut Self, usize, &Value) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.text.push('[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            self.path.push(PathStep::Index(Value::number(index.into())));
            element(self, index, item)?;
            self.path.pop();
        }
        self.text.push(']');
        Ok(())
    }

    fn entries(
        &mut self,
        entries: &std::collections::BTreeMap<Text, Value>,
        kind: PathStepKind,
        mut entry: impl FnMut(&mut Self, &str, &Value) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.text.push('{');
        for (index, (key, item)) in entries.iter().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            quote_onto(key, self.text);
            self.text.push(':');
            self.path.push(match kind {
                PathStepKind::Attribute => PathStep::Attribute(key.clone()),
                PathStepKind::Key => PathStep::Index(Value::from_kind(Kind::String(key.clone()))),
            });
            entry(self, key, item)?;
            self.path.pop();
        }
        self.text.push('}');
        Ok(())
    }

    fn check_marks(&self, value: &Value) -> Result<(), JsonError> {
        if value.marks().is_empty() {
            Ok(())
        } else {
            self.fail("value has marks, so it cannot be serialized as JSON")
        }
    }

    fn fail<T>(&self, message: &str) -> Result<T, JsonError> {
        Err(JsonError {
            path: Path(self.path.clone()),
            message: message.into(),
        })
    }
}

#[derive(Clone, Copy)]
enum PathStepKind {
    Attribute,
    Key,
}

const fn is_leaf(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Null(_) | Kind::Unknown(_) | Kind::Bool(_) | Kind::Number(_) | Kind::String(_)
    )
}

/// Writes `string` as a JSON string at the end of `text`.
pub fn quote_onto(string: &str, text: &mut String) {
    text.push('"');
    let mut rest = string;
    while let Some(at) = rest.find(needs_escape) {
        let (plain, tail) = rest.split_at(at);
        text.push_str(plain);
        let mut characters = tail.chars();
        if let Some(character) = characters.next() {
            escape_onto(character, text);
        }
        rest = characters.as_str();
    }
    text.push_str(rest);
    text.push('"');
}

const fn needs_escape(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1f}' | '"' | '\\' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}'
    )
}

fn escape_onto(character: char, text: &mut String) {
    match character {
        '"' => text.push_str("\\\""),
        '\\' => text.push_str("\\\\"),
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        '\u{8}' => text.push_str("\\b"),
        '\u{c}' => text.push_str("\\f"),
        _ => {
            let written = write!(text, "\\u{:04x}", u32::from(character));
            debug_assert!(written.is_ok(), "writing to a string does not fail");
        }
    }
}
