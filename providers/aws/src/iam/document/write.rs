//! JSON whose keys are in a given order.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::document::escaped;

/// A value of JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// A text, a number, a bool or null, as it is written.
    Written(String),
    /// Values in order.
    List(Vec<Self>),
    /// Values by key, in this order.
    Map(Vec<(String, Self)>),
}

impl Node {
    pub(super) fn text(text: &str) -> Self {
        Self::Written(escaped(&Json::from(text).to_string()))
    }

    pub(super) fn list(texts: &[String]) -> Self {
        Self::List(texts.iter().map(|text| Self::text(text)).collect())
    }

    /// One text, or a list of none or several.
    pub(super) fn one_or_list(texts: &[String]) -> Self {
        match texts {
            [one] => Self::text(one),
            _ => Self::list(texts),
        }
    }

    pub(super) fn sorted(parts: BTreeMap<String, Self>) -> Self {
        Self::Map(parts.into_iter().collect())
    }

    /// What was read, its keys sorted.
    pub(super) fn of_json(json: &Json) -> Self {
        match json {
            Json::Array(items) => Self::List(items.iter().map(Self::of_json).collect()),
            Json::Object(parts) => Self::sorted(
                parts
                    .iter()
                    .map(|(key, part)| (key.clone(), Self::of_json(part)))
                    .collect(),
            ),
            other => Self::Written(escaped(&other.to_string())),
        }
    }

    /// With line breaks, and two blanks for each level.
    pub(super) fn indented(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, Some(0));
        out
    }

    /// Without blanks.
    pub(super) fn minified(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, None);
        out
    }

    fn write(&self, out: &mut String, level: Option<usize>) {
        let inner = level.map(|level| level + 1);
        match self {
            Self::Written(text) => out.push_str(text),
            Self::List(items) if items.is_empty() => out.push_str("[]"),
            Self::Map(parts) if parts.is_empty() => out.push_str("{}"),
            Self::List(items) => {
                for (place, item) in items.iter().enumerate() {
                    out.push(if place == 0 { '[' } else { ',' });
                    new_line(out, inner);
                    item.write(out, inner);
                }
                new_line(out, level);
                out.push(']');
            }
            Self::Map(parts) => {
                for (place, (key, part)) in parts.iter().enumerate() {
                    out.push(if place == 0 { '{' } else { ',' });
                    new_line(out, inner);
                    Self::text(key).write(out, None);
                    out.push_str(if level.is_some() { ": " } else { ":" });
                    part.write(out, inner);
                }
                new_line(out, level);
                out.push('}');
            }
        }
    }
}

fn new_line(out: &mut String, level: Option<usize>) {
    if let Some(level) = level {
        out.push('\n');
        out.push_str(&"  ".repeat(level));
    }
}
