//! Values in words, for the notes beside errors. What is sensitive is never told.

use std::fmt::Write as _;

use terrace_diag::ValueNote;
use terrace_syntax::{Expr, Step, Traversal};
use terrace_value::{Kind, Marks, Value};

use crate::expression::{Frame, Run};
use crate::visit;

/// How many values are told beside one error.
const MOST_NOTES: usize = 20;

impl Run<'_> {
    /// What the references in `expression` are.
    pub(crate) fn notes(&mut self, expression: &Expr, frame: Option<&Frame<'_>>) -> Vec<ValueNote> {
        let mut notes: Vec<ValueNote> = Vec::new();
        let dependencies = self.dependencies.clone();
        for traversal in visit::references(expression) {
            for length in (1..=traversal.steps.len()).rev() {
                let part = Traversal {
                    root: traversal.root.clone(),
                    steps: traversal.steps[..length].to_vec(),
                };
                let (value, failed) = self.quietly(|run| run.traversal(&part, frame));
                if !failed {
                    notes.extend(note(traversal, length, &value));
                    break;
                }
            }
            if traversal.steps.is_empty() {
                let (value, failed) = self.quietly(|run| run.traversal(traversal, frame));
                if !failed {
                    notes.extend(note(traversal, 0, &value));
                }
            }
        }
        self.dependencies = dependencies;
        notes.sort_by(|left, right| left.expression.cmp(&right.expression));
        notes.dedup();
        notes.truncate(MOST_NOTES);
        notes
    }
}

/// What the first `steps` steps of a reference are; nothing for what is unknown, sensitive or ephemeral.
pub(crate) fn note(traversal: &Traversal, steps: usize, value: &Value) -> Option<ValueNote> {
    if !value.is_known()
        || value
            .marks()
            .intersects(Marks::SENSITIVE | Marks::EPHEMERAL)
    {
        return None;
    }
    Some(ValueNote {
        expression: written(traversal, steps),
        statement: format!("is {}", words(value)),
    })
}

/// A reference as it is written.
pub(crate) fn written(traversal: &Traversal, steps: usize) -> String {
    let mut text = traversal.root.name.to_string();
    for step in traversal.steps.iter().take(steps) {
        match step {
            Step::Attribute(ident) => {
                let _ = write!(text, ".{}", ident.name);
            }
            Step::Index { key, .. } => {
                let _ = match key.as_str() {
                    Some(key) => write!(text, "[{key:?}]"),
                    None => write!(
                        text,
                        "[{}]",
                        key.as_number().map(ToString::to_string).unwrap_or_default()
                    ),
                };
            }
            Step::Splat { .. } => text.push_str("[*]"),
        }
    }
    text
}

/// A value in few words.
pub(crate) fn words(value: &Value) -> String {
    if value.is_sensitive() {
        return "(sensitive value)".into();
    }
    let counted = |what: String, count: usize| match count {
        0 => format!("empty {what}"),
        1 => format!("{what} with 1 element"),
        count => format!("{what} with {count} elements"),
    };
    match value.kind() {
        Kind::Unknown(unknown) => format!("{}, known only after apply", unknown.0.friendly_name()),
        Kind::Null(_) => "null".into(),
        Kind::Bool(value) => value.to_string(),
        Kind::Number(number) => number.to_string(),
        Kind::String(text) => format!("{text:?}"),
        Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => counted(
            value.ty().friendly_name(),
            value.as_sequence().map_or(0, <[Value]>::len),
        ),
        Kind::Map(_, entries) => counted(value.ty().friendly_name(), entries.len()),
        Kind::Object(attributes) => match attributes.len() {
            0 => "object with no attributes".into(),
            1 => format!(
                "object with 1 attribute {:?}",
                attributes.keys().next().map_or("", |name| name)
            ),
            count => format!("object with {count} attributes"),
        },
    }
}
