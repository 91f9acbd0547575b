//! Expressions as texts that are equal where the expressions mean the same, however they are laid out.

use std::fmt::Write as _;

use terrace_syntax::{Expr, ExprKind, ForExpr, ObjectKey, Step, Traversal, with_stack};
use terrace_value::{Kind, Value};

/// A text of `expression` without layout, comments and needless parentheses. It is for comparison, not for reading.
pub(crate) fn canonical(expression: &Expr) -> String {
    let mut text = String::new();
    expr(expression, &mut text);
    text
}

/// Writing to a string cannot fail.
macro_rules! put {
    ($text:expr, $($rest:tt)*) => {
        write!($text, $($rest)*).expect("strings take all")
    };
}

fn expr(expression: &Expr, text: &mut String) {
    with_stack(|| expr_here(expression, text));
}

fn expr_here(expression: &Expr, text: &mut String) {
    match &expression.kind {
        ExprKind::Literal(value) => literal(value, text),
        ExprKind::Template(parts) => template(parts, text),
        ExprKind::TemplateWrap(inner) | ExprKind::Parens(inner) => expr(inner, text),
        ExprKind::TemplateJoin(inner) => list("join(", std::slice::from_ref(&**inner), ")", text),
        ExprKind::Traversal(found) => traversal(found, text),
        ExprKind::RelativeTraversal {
            source,
            steps: path,
        } => {
            expr(source, text);
            steps(path, text);
        }
        ExprKind::Index {
            collection, key, ..
        } => {
            expr(collection, text);
            list("[", std::slice::from_ref(&**key), "]", text);
        }
        ExprKind::Splat { source, each, .. } => {
            expr(source, text);
            list("[*](", std::slice::from_ref(&**each), ")", text);
        }
        ExprKind::SplatItem => text.push('@'),
        ExprKind::Call(call) => {
            let name = call.name.strip_prefix("core::").unwrap_or(&call.name);
            let close = if call.expand_final { "...)" } else { ")" };
            list(&format!("{name}("), &call.args, close, text);
        }
        ExprKind::Conditional {
            condition,
            if_true,
            if_false,
        } => {
            text.push('(');
            expr(condition, text);
            text.push('?');
            expr(if_true, text);
            text.push(':');
            expr(if_false, text);
            text.push(')');
        }
        ExprKind::Unary { op, operand } => {
            put!(text, "({op:?} ");
            expr(operand, text);
            text.push(')');
        }
        ExprKind::Binary { op, left, right } => {
            text.push('(');
            expr(left, text);
            put!(text, " {op:?} ");
            expr(right, text);
            text.push(')');
        }
        ExprKind::Tuple(items) => list("[", items, "]", text),
        ExprKind::Object(items) => {
            text.push('{');
            for item in items {
                match &item.key {
                    ObjectKey::Name(name) => put!(text, "{:?}", &*name.name),
                    ObjectKey::Expr(key) => expr(key, text),
                }
                text.push('=');
                expr(&item.value, text);
                text.push(',');
            }
            text.push('}');
        }
        ExprKind::For(each) => for_expr(each, text),
        ExprKind::Invalid => text.push('!'),
    }
}

fn list(open: &str, items: &[Expr], close: &str, text: &mut String) {
    text.push_str(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        expr(item, text);
    }
    text.push_str(close);
}

/// A template of literal parts alone is the string that it makes.
fn template(parts: &[Expr], text: &mut String) {
    if let Some(constant) = constant_text(parts) {
        put!(text, "{constant:?}");
    } else {
        list("template(", parts, ")", text);
    }
}

/// The text of a template without sequences.
pub(crate) fn constant_text(parts: &[Expr]) -> Option<String> {
    let literal = |part: &Expr| match &part.kind {
        ExprKind::Literal(value) => value.as_str().map(str::to_owned),
        _ => None,
    };
    parts.iter().map(literal).collect()
}

fn literal(value: &Value, text: &mut String) {
    match value.kind() {
        Kind::String(content) => put!(text, "{:?}", &**content),
        _ => text.push_str(&terrace_value::literal::shown(value, 0)),
    }
}

fn traversal(found: &Traversal, text: &mut String) {
    text.push_str(&found.root.name);
    steps(&found.steps, text);
}

fn steps(path: &[Step], text: &mut String) {
    for step in path {
        match step {
            Step::Attribute(name) => put!(text, ".{}", name.name),
            Step::Index { key, .. } => {
                text.push('[');
                literal(key, text);
                text.push(']');
            }
            Step::Splat { .. } => text.push_str("[*]"),
        }
    }
}

fn for_expr(each: &ForExpr, text: &mut String) {
    text.push_str("for(");
    if let Some(key) = &each.key_name {
        put!(text, "{},", key.name);
    }
    put!(text, "{} in ", each.value_name.name);
    expr(&each.collection, text);
    text.push(':');
    if let Some(key) = &each.key {
        expr(key, text);
        text.push_str("=>");
    }
    expr(&each.value, text);
    if each.group {
        text.push_str("...");
    }
    if let Some(condition) = &each.condition {
        text.push_str(" if ");
        expr(condition, text);
    }
    text.push(')');
}

/// The value of an expression that is a literal, or a list or an object of such.
pub(crate) fn constant(expression: &Expr) -> Option<Value> {
    let refers = !expression.traversals().is_empty() || !expression.calls().is_empty();
    if refers {
        return None;
    }
    let mut problems = terrace_diag::Diagnostics::new();
    let value = terrace_config::evaluate_constant(expression, &mut problems);
    (!problems.has_errors() && value.is_wholly_known()).then_some(value)
}
