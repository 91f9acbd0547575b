//! Expressions read as what they are written as, not evaluated: references, keywords, lists, calls.

use terrace_diag::{Diagnostic, Diagnostics, SourceId, Span};
use terrace_syntax::{Expr, ExprKind, ObjectItem, ObjectKey, Step, Traversal};
use terrace_value::Text;

/// The one literal text that `expression` is, if it is a quoted text without interpolation.
pub(crate) fn literal_text(expression: &Expr) -> Option<Text> {
    match &expression.kind {
        ExprKind::Literal(value) => value.as_str().map(Text::from),
        ExprKind::Template(parts) => match parts.as_slice() {
            [] => Some(Text::from("")),
            [part] => match &part.kind {
                ExprKind::Literal(value) => value.as_str().map(Text::from),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// The reference that `expression` is: a name and constant steps.
pub(crate) fn traversal(expression: &Expr) -> Result<Traversal, Diagnostic> {
    find_traversal(expression).ok_or_else(|| {
        Diagnostic::error(
            "static-reference-required",
            "Invalid expression",
            "A single static variable reference is required: only attribute access and indexing with constant keys. No calculations, function calls, template expressions, etc are allowed here.",
        )
        .at(expression.span)
    })
}

/// A reference whose root may be named as a literal is: `null.west`.
fn find_traversal(expression: &Expr) -> Option<Traversal> {
    match &expression.kind {
        ExprKind::RelativeTraversal { source, steps } => {
            let mut found = find_traversal(source)?;
            found.steps.extend(steps.iter().cloned());
            Some(found)
        }
        _ => expression.as_traversal(),
    }
}

/// The reference that `expression` is, or that stands in it between quotes, as old configurations have it: with a
/// warning.
pub(crate) fn traversal_or_quoted(
    expression: &Expr,
    diagnostics: &mut Diagnostics,
) -> Option<Traversal> {
    let quoted = match &expression.kind {
        ExprKind::Template(_) => literal_text(expression),
        _ => None,
    };
    let found = match quoted {
        Some(text) => {
            let (code, mut problems) = terrace_syntax::parse_expression(SourceId(u32::MAX), &text);
            problems
                .iter_mut()
                .for_each(|problem| problem.subject = Some(expression.span));
            let failed = problems.has_errors();
            diagnostics.append(problems);
            diagnostics.push(quoted_deprecated(expression.span, "reference"));
            if failed {
                return None;
            }
            traversal(&code).map(|found| placed(found, expression.span))
        }
        None => traversal(expression),
    };
    found
        .map_err(|problem| diagnostics.push(problem.at(expression.span)))
        .ok()
}

/// The same reference, all of it at `span`.
fn placed(mut traversal: Traversal, span: Span) -> Traversal {
    traversal.root.span = span;
    for step in &mut traversal.steps {
        match step {
            Step::Attribute(ident) => ident.span = span,
            Step::Index { span: place, .. } | Step::Splat { span: place } => *place = span,
        }
    }
    traversal
}

/// The warning about quotes around a reference or a keyword.
pub(crate) fn quoted_deprecated(span: Span, what: &str) -> Diagnostic {
    Diagnostic::warning(
        "quoted-reference",
        format!("Quoted {what}s are deprecated"),
        format!(
            "In this context, {what}s are expected literally rather than in quotes. Terraform 0.11 and earlier required quotes, but quoted {what}s are now deprecated and will be removed in a future version of Terrace. Remove the quotes surrounding this {what} to silence this warning."
        ),
    )
    .at(span)
}

/// The elements of a list that is written out.
pub(crate) fn list(expression: &Expr) -> Result<&[Expr], Diagnostic> {
    match &expression.kind {
        ExprKind::Tuple(items) => Ok(items),
        _ => Err(Diagnostic::error(
            "static-list-required",
            "Invalid expression",
            "A static list expression is required.",
        )
        .at(start_span(expression))),
    }
}

/// The items of a map that is written out.
pub(crate) fn map(expression: &Expr) -> Result<&[ObjectItem], Diagnostic> {
    match &expression.kind {
        ExprKind::Object(items) => Ok(items),
        _ => Err(Diagnostic::error(
            "static-map-required",
            "Invalid expression",
            "A static map expression is required.",
        )
        .at(start_span(expression))),
    }
}

/// The text of a key that is a name or a text.
pub(crate) fn key_text(key: &ObjectKey) -> Option<Text> {
    match key {
        ObjectKey::Name(ident) => Some(ident.name.clone()),
        ObjectKey::Expr(expression) => literal_text(expression).or_else(|| expression.as_keyword()),
    }
}

/// Where a key stands.
pub(crate) const fn key_span(key: &ObjectKey) -> Span {
    match key {
        ObjectKey::Name(ident) => ident.span,
        ObjectKey::Expr(expression) => expression.span,
    }
}

/// Where a whole reference stands.
pub(crate) fn traversal_span(traversal: &Traversal) -> Span {
    traversal.steps.last().map_or(traversal.root.span, |step| {
        traversal.root.span.to(step.span())
    })
}

/// The first thing in an expression, which messages about its whole point at.
pub(crate) fn start_span(expression: &Expr) -> Span {
    match &expression.kind {
        ExprKind::Template(parts) => parts.first().map_or(expression.span, start_span),
        ExprKind::TemplateWrap(inner) | ExprKind::TemplateJoin(inner) => start_span(inner),
        ExprKind::Call(call) => call.name_span,
        ExprKind::Binary { left: first, .. }
        | ExprKind::Conditional {
            condition: first, ..
        }
        | ExprKind::Index {
            collection: first, ..
        }
        | ExprKind::RelativeTraversal { source: first, .. }
        | ExprKind::Splat { source: first, .. } => start_span(first),
        ExprKind::Tuple(_) | ExprKind::Object(_) => {
            let span = expression.span;
            Span::new(span.source, span.start, (span.start + 1).min(span.end))
        }
        _ => expression.span,
    }
}
