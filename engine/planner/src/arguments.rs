//! What a body says, whatever its syntax and however many files it comes from.

use std::borrow::Cow;

use terrace_diag::Span;
use terrace_syntax::{Block, Body, BodyKind, Expr, Item};
use terrace_value::Text;

/// An argument of a body, or one of its blocks.
pub(crate) struct Argument<'a> {
    /// Its name; of a block its type.
    pub(crate) name: Cow<'a, Text>,
    /// The argument's value, or the block's header.
    pub(crate) span: Span,
    /// Its value, or all values in the block.
    pub(crate) expressions: Vec<Cow<'a, Expr>>,
}

/// The arguments and blocks of a body, in the order of the source.
pub(crate) fn of(body: &Body) -> Vec<Argument<'_>> {
    let mut found = Vec::new();
    collect(body, &mut found);
    found
}

fn collect<'a>(body: &'a Body, found: &mut Vec<Argument<'a>>) {
    match &body.kind {
        BodyKind::Native(items) => found.extend(items.iter().map(native)),
        BodyKind::Json(_) => {
            let arguments = body.just_attributes().0.into_iter();
            found.extend(arguments.map(|(name, attribute)| Argument {
                name: Cow::Owned(name),
                span: attribute.value.span,
                expressions: vec![Cow::Owned(attribute.value)],
            }));
        }
        BodyKind::Merged(parts) => parts.iter().for_each(|part| collect(part, found)),
    }
}

fn native(item: &Item) -> Argument<'_> {
    match item {
        Item::Attribute(attribute) => Argument {
            name: Cow::Borrowed(&attribute.name.name),
            span: attribute.value.span,
            expressions: vec![Cow::Borrowed(&attribute.value)],
        },
        Item::Block(block) => {
            let inner = of(&block.body).into_iter();
            Argument {
                name: Cow::Borrowed(type_name(block)),
                span: block.header_span,
                expressions: inner.flat_map(|argument| argument.expressions).collect(),
            }
        }
    }
}

/// The type of a block; of a `dynamic` one that of the blocks that it makes.
fn type_name(block: &Block) -> &Text {
    match block.labels.first() {
        Some(label) if &*block.type_name.name == "dynamic" => &label.text,
        _ => &block.type_name.name,
    }
}
