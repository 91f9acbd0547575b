//! Objects and `for`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use terrace_diag::{Diagnostic, Span};
use terrace_syntax::{Expr, ExprKind, ForExpr, ObjectItem, ObjectKey};
use terrace_value::convert::convert;
use terrace_value::{Kind, Marks, Text, Type, Value};

use super::{Frame, Run, dynamic_with};

impl Run<'_> {
    pub(super) fn object(&mut self, items: &[ObjectItem], frame: Option<&Frame<'_>>) -> Value {
        let mut attributes: BTreeMap<Text, Value> = BTreeMap::new();
        let mut marks = Marks::NONE;
        let mut known = true;
        for item in items {
            let key = self.object_key(&item.key, item.value.span, frame);
            let value = self.eval(&item.value, frame);
            match key {
                Some((name, key_marks)) => {
                    marks |= key_marks;
                    match name {
                        Some(name) => drop(attributes.insert(name, value)),
                        None => known = false,
                    }
                }
                None => known = false,
            }
        }
        if known {
            Value::object(attributes).with_marks(marks)
        } else {
            dynamic_with(marks)
        }
    }

    /// The key (`None` while it is unknown) and its marks; `None` for an error. As in the reference, a null key is
    /// reported where the value stands.
    fn object_key(
        &mut self,
        key: &ObjectKey,
        value_span: Span,
        frame: Option<&Frame<'_>>,
    ) -> Option<(Option<Text>, Marks)> {
        let expression = match key {
            ObjectKey::Name(ident) => return Some((Some(ident.name.clone()), Marks::NONE)),
            ObjectKey::Expr(expression) => expression,
        };
        if matches!(expression.kind, ExprKind::Traversal(_)) {
            self.error(|| {
                Diagnostic::error(
                    "ambiguous-attribute-key",
                    "Ambiguous attribute key",
                    "If this expression is intended to be a reference, wrap it in parentheses. If it's instead intended as a literal name containing periods, wrap it in quotes to create a string literal.",
                )
                .at(expression.span)
            });
            return None;
        }
        let before = self.errors();
        let value = self.eval(expression, frame);
        if self.errors() > before {
            return None;
        }
        if value.is_null() {
            self.error_about(expression, frame, || {
                Diagnostic::error(
                    "null-key",
                    "Null value as key",
                    "Can't use a null value as a key.",
                )
                .at(value_span)
            });
            return None;
        }
        match convert(&value, &Type::String) {
            Ok(value) => Some((value.as_str().map(Text::from), value.marks())),
            Err(error) => {
                self.error_about(expression, frame, || {
                    Diagnostic::error(
                        "incorrect-key-type",
                        "Incorrect key type",
                        format!("Can't use this value as a key: {error}."),
                    )
                    .at(expression.span)
                });
                None
            }
        }
    }

    pub(super) fn for_expression(
        &mut self,
        expression: &ForExpr,
        frame: Option<&Frame<'_>>,
    ) -> Value {
        let collection = self.eval(&expression.collection, frame);
        let span = expression.collection.span;
        if collection.is_null() {
            self.error_about(&expression.collection, frame, || {
                Diagnostic::error(
                    "iteration-over-null",
                    "Iteration over null value",
                    "A null value cannot be used as the collection in a 'for' expression.",
                )
                .at(span)
            });
            return Value::dynamic();
        }
        let (collection, marks) = collection.unmark();
        let entries = match collection.kind() {
            Kind::Unknown(unknown) => {
                if is_iterable(&unknown.0) {
                    self.note_unread(expression, frame);
                    return dynamic_with(marks);
                }
                None
            }
            _ => entries(&collection),
        };
        let Some(entries) = entries else {
            let ty = collection.ty().friendly_name();
            self.error_about(&expression.collection, frame, || {
                Diagnostic::error(
                    "iteration-over-non-iterable",
                    "Iteration over non-iterable value",
                    format!("A value of type {ty} cannot be used as the collection in a 'for' expression."),
                )
                .at(span)
            });
            return Value::dynamic();
        };
        let before = self.errors();
        if let Some(condition) = &expression.condition
            && !self.condition_can_hold(condition, expression, frame)
        {
            return Value::dynamic();
        }
        let mut building = Building {
            marks,
            known: true,
            ..Building::default()
        };
        for (key, value) in entries {
            let key = expression
                .key_name
                .as_ref()
                .map(|ident| (&*ident.name, key));
            let child = Frame::pair(frame, key, (&expression.value_name.name, value));
            self.for_item(expression, &child, &mut building);
        }
        if self.errors() > before || !building.known {
            if !building.known {
                self.note_unread(expression, frame);
            }
            return dynamic_with(building.marks);
        }
        building.finish(expression)
    }

    /// Whether the condition can be one at all, whatever the items are: looked at once, so that it is refused over no
    /// items too.
    fn condition_can_hold(
        &mut self,
        condition: &Expr,
        expression: &ForExpr,
        frame: Option<&Frame<'_>>,
    ) -> bool {
        let before = self.errors();
        let child = unknown_item(expression, frame);
        let mut building = Building {
            known: true,
            ..Building::default()
        };
        self.for_condition(condition, Some(&child), &mut building);
        self.errors() == before
    }

    fn for_item(&mut self, expression: &ForExpr, frame: &Frame<'_>, building: &mut Building) {
        let frame = Some(frame);
        if let Some(condition) = &expression.condition {
            match self.for_condition(condition, frame, building) {
                Some(true) => {}
                Some(false) | None => return,
            }
        }
        let Some(key_expression) = &expression.key else {
            building.items.push(self.eval(&expression.value, frame));
            return;
        };
        let before = self.errors();
        let key = self.eval(key_expression, frame);
        if self.errors() > before {
            return;
        }
        let Some(key) = self.for_key(&key, key_expression, frame, building) else {
            return;
        };
        let value = self.eval(&expression.value, frame);
        if expression.group {
            building.groups.entry(key).or_default().push(value);
            return;
        }
        match building.entries.entry(key) {
            Entry::Vacant(free) => drop(free.insert(value)),
            Entry::Occupied(taken) => self.error_about(key_expression, frame, || {
                duplicate_key(taken.key(), building.marks, key_expression.span)
            }),
        }
    }

    /// Whether the item is included; `None` where that is not known or an error.
    fn for_condition(
        &mut self,
        condition: &Expr,
        frame: Option<&Frame<'_>>,
        building: &mut Building,
    ) -> Option<bool> {
        let before = self.errors();
        let value = self.eval(condition, frame);
        building.marks |= value.marks();
        if self.errors() > before {
            return None;
        }
        let refused = if value.is_null() {
            let detail = "The value of the 'if' clause must not be null.";
            ("null-for-condition", "Condition is null", detail.to_owned())
        } else {
            match convert(&value, &Type::Bool) {
                Ok(value) => {
                    building.known &= value.is_known();
                    return value.as_bool();
                }
                Err(error) => (
                    "invalid-for-condition",
                    "Invalid 'for' condition",
                    format!("The 'if' clause value is invalid: {error}."),
                ),
            }
        };
        self.for_refused(condition, frame, building, refused);
        None
    }

    fn for_key(
        &mut self,
        key: &Value,
        expression: &Expr,
        frame: Option<&Frame<'_>>,
        building: &mut Building,
    ) -> Option<Text> {
        building.marks |= key.marks();
        let detail = if key.is_null() {
            "Key expression in 'for' expression must not produce a null value.".to_owned()
        } else {
            match convert(key, &Type::String) {
                Ok(key) => {
                    building.known &= key.is_known();
                    return key.as_str().map(Text::from);
                }
                Err(error) => format!("The key expression produced an invalid result: {error}."),
            }
        };
        let refused = ("invalid-object-key", "Invalid object key", detail);
        self.for_refused(expression, frame, building, refused);
        None
    }

    /// Says what is wrong with an item's key or condition, unless an item before was as wrong or unknown.
    fn for_refused(
        &mut self,
        expression: &Expr,
        frame: Option<&Frame<'_>>,
        building: &mut Building,
        (id, summary, detail): (&'static str, &'static str, String),
    ) {
        if building.known {
            self.error_about(expression, frame, || {
                Diagnostic::error(id, summary, detail).at(expression.span)
            });
        }
        building.known = false;
    }

    /// Notes what the parts of a `for` would read that could not be evaluated for every item.
    fn note_unread(&mut self, expression: &ForExpr, frame: Option<&Frame<'_>>) {
        let unknown = unknown_item(expression, frame);
        for part in [
            Some(&expression.value),
            expression.key.as_ref(),
            expression.condition.as_ref(),
        ]
        .into_iter()
        .flatten()
        {
            self.quietly(|run| run.eval(part, Some(&unknown)));
        }
    }
}

/// The scope of an item of which nothing is known.
fn unknown_item<'a>(expression: &'a ForExpr, frame: Option<&'a Frame<'a>>) -> Frame<'a> {
    Frame::pair(
        frame,
        expression
            .key_name
            .as_ref()
            .map(|ident| (&*ident.name, Value::dynamic())),
        (&expression.value_name.name, Value::dynamic()),
    )
}

/// What a `for` has made so far.
#[derive(Default)]
struct Building {
    items: Vec<Value>,
    entries: BTreeMap<Text, Value>,
    groups: BTreeMap<Text, Vec<Value>>,
    marks: Marks,
    known: bool,
}

impl Building {
    fn finish(self, expression: &ForExpr) -> Value {
        let value = if expression.key.is_none() {
            Value::tuple(self.items)
        } else if expression.group {
            Value::object(
                self.groups
                    .into_iter()
                    .map(|(key, items)| (key, Value::tuple(items))),
            )
        } else {
            Value::object(self.entries)
        };
        value.with_marks(self.marks)
    }
}

fn duplicate_key(key: &str, marks: Marks, span: Span) -> Diagnostic {
    let key = if marks.contains(Marks::SENSITIVE) {
        "(sensitive value)".to_owned()
    } else {
        terrace_functions::quoted(key)
    };
    Diagnostic::error(
        "duplicate-object-key",
        "Duplicate object key",
        format!(
            "Two different items produced the key {key} in this 'for' expression. If duplicates are expected, use the ellipsis (...) after the value expression to enable grouping by key."
        ),
    )
    .at(span)
}

const fn is_iterable(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Dynamic
            | Type::List(_)
            | Type::Set(_)
            | Type::Map(_)
            | Type::Tuple(_)
            | Type::Object(_)
    )
}

/// Keys and elements of a known collection in order; `None` for what has no elements.
pub(crate) fn entries(collection: &Value) -> Option<Vec<(Value, Value)>> {
    Some(match collection.kind() {
        Kind::List(_, items) | Kind::Tuple(items) => (0_i64..)
            .map(Value::int)
            .zip(items.iter().cloned())
            .collect(),
        Kind::Set(_, items) => items
            .iter()
            .map(|item| (item.clone(), item.clone()))
            .collect(),
        Kind::Map(_, entries) | Kind::Object(entries) => entries
            .iter()
            .map(|(key, value)| (Value::from_kind(Kind::String(key.clone())), value.clone()))
            .collect(),
        _ => return None,
    })
}
