//! The references in expressions and bodies, found without evaluating.

use terrace_syntax::{Expr, ExprKind, ForExpr, ObjectKey, Traversal};

const RED_ZONE: usize = 64 * 1024;
const STACK_STEP: usize = 1024 * 1024;

/// Names that a `for` around an expression binds.
#[derive(Clone, Copy)]
struct Bound<'b> {
    names: [Option<&'b str>; 2],
    parent: Option<&'b Self>,
}

impl Bound<'_> {
    fn contains(&self, name: &str) -> bool {
        let mut bound = Some(self);
        while let Some(Bound { names, parent }) = bound {
            if names.contains(&Some(name)) {
                return true;
            }
            bound = *parent;
        }
        false
    }
}

/// Calls `visit` for every reference in source order, but for those to names that the expression binds itself.
pub(crate) fn traversals<'e>(expression: &'e Expr, visit: &mut dyn FnMut(&'e Traversal)) {
    walk(expression, None, visit);
}

/// All references of an expression.
pub(crate) fn references(expression: &Expr) -> Vec<&Traversal> {
    let mut found = Vec::new();
    traversals(expression, &mut |traversal| found.push(traversal));
    found
}

fn walk<'e>(expression: &'e Expr, bound: Option<&Bound<'_>>, visit: &mut dyn FnMut(&'e Traversal)) {
    match &expression.kind {
        ExprKind::Literal(_) | ExprKind::SplatItem | ExprKind::Invalid => {}
        ExprKind::Traversal(traversal) => {
            if !bound.is_some_and(|bound| bound.contains(&traversal.root.name)) {
                visit(traversal);
            }
        }
        _ => stacker::maybe_grow(RED_ZONE, STACK_STEP, || {
            walk_nested(expression, bound, visit);
        }),
    }
}

fn walk_nested<'e>(
    expression: &'e Expr,
    bound: Option<&Bound<'_>>,
    visit: &mut dyn FnMut(&'e Traversal),
) {
    match &expression.kind {
        ExprKind::Literal(_) | ExprKind::SplatItem | ExprKind::Invalid | ExprKind::Traversal(_) => {
        }
        ExprKind::Template(items) | ExprKind::Tuple(items) => {
            for item in items {
                walk(item, bound, visit);
            }
        }
        ExprKind::TemplateWrap(inner) | ExprKind::TemplateJoin(inner) | ExprKind::Parens(inner) => {
            walk(inner, bound, visit);
        }
        ExprKind::RelativeTraversal { source, .. } => walk(source, bound, visit),
        ExprKind::Index {
            collection, key, ..
        } => {
            walk(collection, bound, visit);
            walk(key, bound, visit);
        }
        ExprKind::Splat { source, each, .. } => {
            walk(source, bound, visit);
            walk(each, bound, visit);
        }
        ExprKind::Call(call) => {
            for argument in call.value_args() {
                walk(argument, bound, visit);
            }
        }
        ExprKind::Conditional {
            condition,
            if_true,
            if_false,
        } => {
            walk(condition, bound, visit);
            walk(if_true, bound, visit);
            walk(if_false, bound, visit);
        }
        ExprKind::Unary { operand, .. } => walk(operand, bound, visit),
        ExprKind::Binary { left, right, .. } => {
            walk(left, bound, visit);
            walk(right, bound, visit);
        }
        ExprKind::Object(items) => {
            for item in items {
                if let ObjectKey::Expr(key) = &item.key {
                    walk(key, bound, visit);
                }
                walk(&item.value, bound, visit);
            }
        }
        ExprKind::For(expression) => walk_for(expression, bound, visit),
    }
}

fn walk_for<'e>(
    expression: &'e ForExpr,
    bound: Option<&Bound<'_>>,
    visit: &mut dyn FnMut(&'e Traversal),
) {
    walk(&expression.collection, bound, visit);
    let inner = Bound {
        names: [
            expression.key_name.as_ref().map(|ident| &*ident.name),
            Some(&*expression.value_name.name),
        ],
        parent: bound,
    };
    let parts = [
        expression.key.as_ref(),
        Some(&expression.value),
        expression.condition.as_ref(),
    ];
    for part in parts.into_iter().flatten() {
        walk(part, Some(&inner), visit);
    }
}
