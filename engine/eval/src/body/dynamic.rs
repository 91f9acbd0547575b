//! `dynamic` blocks.

use terrace_diag::{Diagnostic, Span};
use terrace_schema::NestedBlock;
use terrace_syntax::{AttributeSchema, Block, BlockSchema, BodySchema, Content, Expr, ExprKind};
use terrace_value::convert::convert;
use terrace_value::{Kind, Marks, Text, Type, Value};

use crate::expression::{Frame, Run, entries};

/// Blocks of one type, read.
#[derive(Default)]
pub(super) struct Blocks {
    /// Label, value and header of each.
    pub(super) items: Vec<(Option<Text>, Value, Span)>,
    /// Whether there may be more or fewer.
    pub(super) unknown: bool,
    pub(super) marks: Marks,
}

impl Blocks {
    pub(super) fn push(&mut self, label: Option<Text>, value: Value, span: Span) {
        self.items.push((label, value, span));
    }

    pub(super) fn into_values(self) -> impl Iterator<Item = Value> {
        self.items.into_iter().map(|item| item.1)
    }
}

/// What a `dynamic` block says.
struct Dynamic<'d> {
    block: &'d Block,
    iterator: Text,
    labels: Option<&'d Expr>,
    content: &'d Block,
}

impl Run<'_> {
    pub(super) fn dynamic_block(
        &mut self,
        block: &Block,
        nested: &NestedBlock,
        frame: Option<&Frame<'_>>,
        blocks: &mut Blocks,
    ) {
        let (content, diagnostics) = block.body.content(&dynamic_schema());
        let failed = diagnostics.has_errors();
        self.append(diagnostics);
        if failed {
            blocks.unknown = true;
            return;
        }
        let Some(dynamic) = self.read_dynamic(block, &content) else {
            blocks.unknown = true;
            return;
        };
        let Some(for_each) = content.attributes.get("for_each") else {
            return;
        };
        let before = self.errors();
        let value = self.whole_in(&for_each.value, frame);
        if self.errors() > before {
            blocks.unknown = true;
            return;
        }
        let (value, marks) = value.unmark();
        blocks.marks |= marks;
        let refused = if value.is_null() {
            Some("Cannot use a null value in for_each.".to_owned())
        } else if value.is_known() && entries(&value).is_none() || is_plain_unknown(&value) {
            Some(format!(
                "Cannot use a {} value in for_each. An iterable collection is required.",
                value.ty().friendly_name()
            ))
        } else {
            None
        };
        if let Some(detail) = refused {
            self.error_about(&for_each.value, frame, || {
                Diagnostic::error(
                    "invalid-dynamic-for-each",
                    "Invalid dynamic for_each value",
                    detail,
                )
                .at(for_each.value.span)
            });
            blocks.unknown = true;
            return;
        }
        let Some(entries) = entries(&value) else {
            blocks.unknown = true;
            self.dynamic_item(
                &dynamic,
                nested,
                (Value::dynamic(), Value::dynamic()),
                frame,
            );
            return;
        };
        for entry in entries {
            if let Some((label, value)) = self.dynamic_item(&dynamic, nested, entry, frame) {
                blocks.push(label, value, block.header_span);
            }
        }
    }

    fn read_dynamic<'d>(&mut self, block: &'d Block, content: &'d Content) -> Option<Dynamic<'d>> {
        let iterator = match content.attributes.get("iterator") {
            None => block
                .labels
                .first()
                .map_or_else(|| Text::from(""), |label| label.text.clone()),
            Some(attribute) => match &attribute.value.kind {
                ExprKind::Traversal(traversal) if traversal.steps.is_empty() => {
                    traversal.root.name.clone()
                }
                _ => {
                    self.error(|| {
                        Diagnostic::error(
                            "invalid-iterator",
                            "Invalid expression",
                            "A static variable reference is required: the name that stands for each element in the content.",
                        )
                        .at(attribute.value.span)
                    });
                    return None;
                }
            },
        };
        let mut contents = content.blocks.iter();
        let (Some(first), more) = (contents.next(), contents.next()) else {
            self.error(|| {
                Diagnostic::error(
                    "missing-dynamic-content",
                    "Missing dynamic content block",
                    "A dynamic block must have a nested block of type \"content\" to describe the body of each generated block.",
                )
                .at(block.body.missing_span)
            });
            return None;
        };
        if let Some(second) = more {
            self.error(|| {
                Diagnostic::error(
                    "extraneous-dynamic-content",
                    "Extraneous dynamic content block",
                    "Only one nested content block is allowed for each dynamic block.",
                )
                .at(second.header_span)
            });
        }
        let labels = content
            .attributes
            .get("labels")
            .map(|attribute| &attribute.value);
        Some(Dynamic {
            block,
            iterator,
            labels,
            content: first,
        })
    }

    fn dynamic_item(
        &mut self,
        dynamic: &Dynamic<'_>,
        nested: &NestedBlock,
        (key, value): (Value, Value),
        frame: Option<&Frame<'_>>,
    ) -> Option<(Option<Text>, Value)> {
        let iterator = Value::object([("key", key), ("value", value)]);
        let frame = Frame::pair(frame, None, (&dynamic.iterator, iterator));
        let label = match dynamic.labels {
            None => None,
            Some(labels) => Some(self.dynamic_label(labels, dynamic.block, &frame)?),
        };
        let value = self.body(&dynamic.content.body, &nested.block, Some(&frame));
        Some((label, value))
    }

    fn dynamic_label(&mut self, labels: &Expr, block: &Block, frame: &Frame<'_>) -> Option<Text> {
        let value = self.whole_in(labels, Some(frame));
        let first = value.as_sequence().and_then(<[Value]>::first)?;
        let label = convert(first, &Type::String).ok();
        if let Some(label) = label.as_ref().and_then(Value::as_str) {
            return Some(label.into());
        }
        self.error(|| {
            Diagnostic::error(
                "invalid-dynamic-label",
                "Invalid dynamic block label",
                "Labels of a dynamic block must be known texts that are not null.",
            )
            .at(labels.span)
            .within(block.header_span)
        });
        None
    }
}

fn is_plain_unknown(value: &Value) -> bool {
    matches!(value.kind(), Kind::Unknown(unknown) if unknown.0.is_primitive())
}

fn dynamic_schema() -> BodySchema {
    let attribute = |name: &str, required| AttributeSchema {
        name: name.into(),
        required,
    };
    BodySchema {
        attributes: vec![
            attribute("for_each", true),
            attribute("iterator", false),
            attribute("labels", false),
        ],
        blocks: vec![BlockSchema {
            type_name: "content".into(),
            labels: Vec::new(),
        }],
    }
}
