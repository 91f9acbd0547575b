//! Where messages point.

use terrace_diag::Span;
use terrace_syntax::{Expr, ExprKind, Traversal};

/// Where a whole reference stands.
pub(crate) fn traversal_span(traversal: &Traversal, steps: usize) -> Span {
    let last = traversal
        .steps
        .get(..steps.min(traversal.steps.len()))
        .and_then(<[_]>::last);
    last.map_or(traversal.root.span, |step| {
        traversal.root.span.to(step.span())
    })
}

/// The first thing in an expression, which messages about an argument point at.
pub(crate) fn start_span(expression: &Expr) -> Span {
    let mut expression = expression;
    loop {
        expression = match &expression.kind {
            ExprKind::Template(parts) => match parts.first() {
                Some(part) => part,
                // The reference takes the next token after the empty text for its beginning.
                None => {
                    return Span {
                        start: expression.span.end,
                        end: expression.span.end + 1,
                        ..expression.span
                    };
                }
            },
            ExprKind::TemplateJoin(inner) => match &inner.kind {
                ExprKind::For(directive) => return directive.open_span,
                _ => inner,
            },
            ExprKind::Parens(inner) => inner,
            ExprKind::Binary { left: first, .. }
            | ExprKind::Conditional {
                condition: first, ..
            }
            | ExprKind::Index {
                collection: first, ..
            }
            | ExprKind::RelativeTraversal { source: first, .. } => first,
            ExprKind::Splat { marker_span, .. } => return *marker_span,
            ExprKind::Call(call) => return call.name_span.to(call.open_span),
            ExprKind::Tuple(_) | ExprKind::Object(_) | ExprKind::For(_) => {
                return first_bytes(expression.span, 1);
            }
            ExprKind::Unary { .. } => return first_bytes(expression.span, 1),
            _ => return expression.span,
        };
    }
}

fn first_bytes(span: Span, count: u32) -> Span {
    Span {
        end: (span.start + count).min(span.end),
        ..span
    }
}
