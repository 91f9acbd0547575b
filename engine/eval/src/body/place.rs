//! Where in a body a part of its value stands.

use terrace_diag::Span;
use terrace_schema::{Block, BlockNesting};
use terrace_syntax::{Body, Expr, ExprKind, ObjectKey};
use terrace_value::{Number, Path, PathStep};

use super::read::Read;
use crate::Evaluator;

impl Evaluator {
    /// Where in a body the part of its value stands that `path` leads to, or the nearest thing around it: the argument,
    /// the block's header, or where missing things are reported.
    pub fn span_of(&self, body: &Body, schema: &Block, path: &Path) -> Span {
        in_body(body, schema, &path.0)
    }
}

fn in_body(body: &Body, schema: &Block, steps: &[PathStep]) -> Span {
    let Some((PathStep::Attribute(name), rest)) = steps.split_first() else {
        return body.missing_span;
    };
    let read = Read::of(body, schema);
    if let Some(attribute) = read.attribute(name) {
        return in_expression(&attribute.value, rest);
    }
    let Some(nested) = schema.blocks.get(name) else {
        return body.missing_span;
    };
    let (index, rest) = match (nested.nesting, rest.split_first()) {
        (BlockNesting::Single | BlockNesting::Group, _) => (Some(0), rest),
        (BlockNesting::List, Some((PathStep::Index(key), rest))) => {
            (key.as_number().and_then(Number::to_usize), rest)
        }
        (BlockNesting::Map, Some((PathStep::Index(key), rest))) => {
            let place = read
                .blocks_of(name)
                .position(|block| block.labels.first().map(|label| &*label.text) == key.as_str());
            (place, rest)
        }
        // Elements of a set have no place of their own.
        (_, Some((_, rest))) => (Some(0), rest),
        (_, None) => (Some(0), rest),
    };
    for (place, block) in read.blocks_of(name).enumerate() {
        let is_dynamic = &*block.type_name.name == "dynamic";
        if is_dynamic || rest.is_empty() && Some(place) == index {
            return block.header_span;
        }
        if Some(place) == index {
            return in_body(&block.body, &nested.block, rest);
        }
    }
    body.missing_span
}

/// Follows a path into an expression that is written out.
fn in_expression(expression: &Expr, steps: &[PathStep]) -> Span {
    let Some((step, rest)) = steps.split_first() else {
        return expression.span;
    };
    match (&expression.kind, step) {
        (ExprKind::Parens(inner), _) => in_expression(inner, steps),
        (ExprKind::Tuple(items), PathStep::Index(key)) => {
            let item = key
                .as_number()
                .and_then(Number::to_usize)
                .and_then(|index| items.get(index));
            item.map_or(expression.span, |item| in_expression(item, rest))
        }
        (ExprKind::Object(items), step) => {
            let wanted = match step {
                PathStep::Attribute(name) => Some(&**name),
                PathStep::Index(key) => key.as_str(),
            };
            let item = items
                .iter()
                .rev()
                .find(|item| key_text(&item.key).is_some() && key_text(&item.key) == wanted);
            item.map_or(expression.span, |item| in_expression(&item.value, rest))
        }
        _ => expression.span,
    }
}

fn key_text(key: &ObjectKey) -> Option<&str> {
    let expression = match key {
        ObjectKey::Name(ident) => return Some(&ident.name),
        ObjectKey::Expr(expression) => expression,
    };
    match &expression.kind {
        ExprKind::Literal(value) => value.as_str(),
        ExprKind::Template(parts) => match parts.as_slice() {
            [part] => match &part.kind {
                ExprKind::Literal(value) => value.as_str(),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}
