//! Trees as S-expressions, in the form in which the corpus has them.

use terrace_syntax::{
    BinaryOp, Body, BodyKind, Expr, ExprKind, ForExpr, Item, ObjectKey, Step, UnaryOp, with_stack,
};
use terrace_value::Value;

/// A body, one line for each argument and each side of a block; arguments come first.
pub(crate) fn body(body: &Body, indent: &str, lines: &mut Vec<String>) {
    let BodyKind::Native(items) = &body.kind else {
        panic!("only native syntax is dumped");
    };
    for item in items.iter() {
        if let Item::Attribute(attribute) = item {
            lines.push(format!(
                "{indent}{} = {}",
                attribute.name.name,
                expr(&attribute.value)
            ));
        }
    }
    for item in items.iter() {
        if let Item::Block(block) = item {
            let mut header = format!("{indent}{}", block.type_name.name);
            for label in &block.labels {
                header = header + " " + &quoted(&label.text);
            }
            lines.push(header + " {");
            self::body(&block.body, &format!("{indent} "), lines);
            lines.push(format!("{indent}}}"));
        }
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') || !(' '..='~').contains(&letter) {
            out = out + "\\u{" + &format!("{:x}", u32::from(letter)) + "}";
        } else {
            out.push(letter);
        }
    }
    out.push('"');
    out
}

fn literal(value: &Value) -> String {
    match (value.as_str(), value.as_bool()) {
        (Some(text), _) => quoted(text),
        (_, Some(value)) => value.to_string(),
        _ if value.as_number().is_some() => "#".to_owned(),
        _ if value.is_null() => "null".to_owned(),
        _ => "?".to_owned(),
    }
}

fn steps(steps: &[Step]) -> String {
    let step = |step: &Step| match step {
        Step::Attribute(name) => format!(".{}", name.name),
        Step::Index { key, .. } => match key.as_str() {
            Some("") => "[(t)]".to_owned(),
            Some(_) => format!("[(t {})]", literal(key)),
            None => format!("[{}]", literal(key)),
        },
        Step::Splat { .. } => "[SPLAT]".to_owned(),
    };
    steps.iter().map(step).collect()
}

fn template(parts: &[Expr]) -> String {
    let mut out = String::new();
    for part in parts {
        match &part.kind {
            ExprKind::Literal(value) if value.as_str() == Some("") => {}
            _ => out = out + " " + &expr(part),
        }
    }
    format!("(t{out})")
}

fn for_expr(each: &ForExpr) -> String {
    let mut out = format!(
        "(for {},{} {}",
        each.key_name.as_ref().map_or("", |name| &*name.name),
        each.value_name.name,
        expr(&each.collection)
    );
    if let Some(key) = &each.key {
        out = out + " key " + &expr(key);
    }
    out = out + " " + &expr(&each.value);
    if each.group {
        out.push_str(" group");
    }
    if let Some(condition) = &each.condition {
        out = out + " cond " + &expr(condition);
    }
    out + ")"
}

fn binary(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Or => "||",
        BinaryOp::And => "&&",
        BinaryOp::Equal => "==",
        BinaryOp::NotEqual => "!=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterOrEqual => ">=",
        BinaryOp::Less => "<",
        BinaryOp::LessOrEqual => "<=",
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
        BinaryOp::Modulo => "%",
    }
}

fn expr(expr: &Expr) -> String {
    with_stack(|| kind(&expr.kind))
}

fn kind(kind: &ExprKind) -> String {
    let list = |items: &[Expr]| {
        items
            .iter()
            .fold(String::new(), |out, item| out + " " + &expr(item))
    };
    match kind {
        ExprKind::Literal(value) => literal(value),
        ExprKind::Template(parts) => template(parts),
        ExprKind::TemplateWrap(inner) => format!("(t {})", expr(inner)),
        ExprKind::TemplateJoin(inner) => format!("(join {})", expr(inner)),
        ExprKind::Traversal(traversal) => {
            format!("{}{}", traversal.root.name, steps(&traversal.steps))
        }
        ExprKind::RelativeTraversal {
            source,
            steps: after,
        } => format!("{}{}", expr(source), steps(after)),
        ExprKind::Index {
            collection, key, ..
        } => format!("{}[{}]", expr(collection), expr(key)),
        ExprKind::Splat { source, each, .. } => format!("{}<*{}>", expr(source), expr(each)),
        ExprKind::SplatItem => String::new(),
        ExprKind::Call(call) => {
            let expand = if call.expand_final { "..." } else { "" };
            format!("(call {}{}{expand})", call.name, list(&call.args))
        }
        ExprKind::Conditional {
            condition,
            if_true,
            if_false,
        } => {
            format!(
                "(if {} {} {})",
                expr(condition),
                expr(if_true),
                expr(if_false)
            )
        }
        ExprKind::Unary {
            op: UnaryOp::Not,
            operand,
        } => format!("(! {})", expr(operand)),
        ExprKind::Unary {
            op: UnaryOp::Negate,
            operand,
        } => format!("(neg {})", expr(operand)),
        ExprKind::Binary { op, left, right } => {
            format!("({} {} {})", binary(*op), expr(left), expr(right))
        }
        ExprKind::Tuple(items) => format!("(list{})", list(items)),
        ExprKind::Object(items) => {
            let item = |item: &terrace_syntax::ObjectItem| {
                let key = match &item.key {
                    ObjectKey::Name(name) => name.name.to_string(),
                    ObjectKey::Expr(key) => expr(key),
                };
                format!(" {{{key} {}}}", expr(&item.value))
            };
            format!(
                "(obj{})",
                items
                    .iter()
                    .fold(String::new(), |out, each| out + &item(each))
            )
        }
        ExprKind::For(each) => for_expr(each),
        ExprKind::Parens(inner) => format!("(p {})", expr(inner)),
        ExprKind::Invalid => "?".to_owned(),
    }
}
