//! What an expression refers to.

use terrace_syntax::{Expr, ExprKind, ObjectKey, Traversal, with_stack};

/// The references in `expression`, in order. Names that `for` binds are no references.
pub fn references(expression: &Expr) -> Vec<&Traversal> {
    let mut found = Vec::new();
    collect(expression, &mut Vec::new(), &mut found);
    found
}

fn collect<'a>(expression: &'a Expr, bound: &mut Vec<&'a str>, found: &mut Vec<&'a Traversal>) {
    with_stack(|| collect_here(expression, bound, found));
}

fn collect_here<'a>(
    expression: &'a Expr,
    bound: &mut Vec<&'a str>,
    found: &mut Vec<&'a Traversal>,
) {
    match &expression.kind {
        ExprKind::Literal(_) | ExprKind::SplatItem | ExprKind::Invalid => {}
        ExprKind::Template(items) | ExprKind::Tuple(items) => {
            for item in items {
                collect(item, bound, found);
            }
        }
        ExprKind::TemplateWrap(inner) | ExprKind::TemplateJoin(inner) | ExprKind::Parens(inner) => {
            collect(inner, bound, found);
        }
        ExprKind::Traversal(traversal) => {
            if !bound.contains(&&*traversal.root.name) {
                found.push(traversal);
            }
        }
        ExprKind::RelativeTraversal { source, .. } => collect(source, bound, found),
        ExprKind::Index {
            collection, key, ..
        } => {
            collect(collection, bound, found);
            collect(key, bound, found);
        }
        ExprKind::Splat { source, each, .. } => {
            collect(source, bound, found);
            collect(each, bound, found);
        }
        ExprKind::Call(call) => call
            .value_args()
            .iter()
            .for_each(|argument| collect(argument, bound, found)),
        ExprKind::Conditional {
            condition,
            if_true,
            if_false,
        } => {
            collect(condition, bound, found);
            collect(if_true, bound, found);
            collect(if_false, bound, found);
        }
        ExprKind::Unary { operand, .. } => collect(operand, bound, found),
        ExprKind::Binary { left, right, .. } => {
            collect(left, bound, found);
            collect(right, bound, found);
        }
        ExprKind::Object(items) => {
            for item in items {
                if let ObjectKey::Expr(key) = &item.key {
                    collect(key, bound, found);
                }
                collect(&item.value, bound, found);
            }
        }
        ExprKind::For(loop_) => {
            collect(&loop_.collection, bound, found);
            let depth = bound.len();
            bound.extend(loop_.key_name.as_ref().map(|name| &*name.name));
            bound.push(&loop_.value_name.name);
            let parts = [
                loop_.key.as_ref(),
                Some(&loop_.value),
                loop_.condition.as_ref(),
            ];
            parts
                .into_iter()
                .flatten()
                .for_each(|part| collect(part, bound, found));
            bound.truncate(depth);
        }
    }
}
