//! Looking at expressions without evaluating them.

use std::fmt;

use terrace_value::Text;

use crate::parser::{Parser, Place};
use crate::stack::with_stack;
use crate::{Call, Expr, ExprKind, ForExpr, Ident, ObjectItem, ObjectKey, Step, Traversal};

impl Clone for Expr {
    fn clone(&self) -> Self {
        let kind = if self.kind.has_children() {
            with_stack(|| self.kind.clone())
        } else {
            self.kind.clone()
        };
        Self {
            kind,
            span: self.span,
        }
    }
}

impl Drop for Expr {
    fn drop(&mut self) {
        if self.kind.has_children() {
            let kind = std::mem::replace(&mut self.kind, ExprKind::Invalid);
            with_stack(move || drop(kind));
        }
    }
}

impl ExprKind {
    const fn has_children(&self) -> bool {
        !matches!(
            self,
            Self::Literal(_) | Self::Traversal(_) | Self::SplatItem | Self::Invalid
        )
    }
}

impl Expr {
    /// What it is, taken out of it.
    pub fn into_kind(mut self) -> ExprKind {
        std::mem::replace(&mut self.kind, ExprKind::Invalid)
    }

    /// The text of a string without template sequences that stands in JSON, where it may mean an expression. (Between
    /// quotes in native syntax it is a [`ExprKind::Template`].)
    fn json_text(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Literal(value) => value.as_str(),
            _ => None,
        }
    }

    /// The expression that a JSON string holds in native syntax.
    fn in_json_string(&self) -> Option<Self> {
        let parser = Parser::new(
            self.span.source,
            Place::Within(self.span),
            self.json_text()?.as_bytes(),
        );
        let (expr, diagnostics) = parser.only_expression();
        (!diagnostics.has_errors()).then_some(expr)
    }

    /// The reference that it is, if it is nothing but a name and constant steps; in JSON, a string that holds one.
    pub fn as_traversal(&self) -> Option<Traversal> {
        match &self.kind {
            ExprKind::Traversal(traversal) => Some(traversal.clone()),
            ExprKind::Literal(value) if value.as_str().is_some() => {
                match &self.in_json_string()?.kind {
                    ExprKind::Traversal(traversal) => Some(traversal.clone()),
                    _ => None,
                }
            }
            ExprKind::Literal(value) => {
                let name = match value.as_bool() {
                    Some(true) => "true",
                    Some(false) => "false",
                    None if value.is_null() => "null",
                    None => return None,
                };
                Some(Traversal {
                    root: Ident {
                        name: name.into(),
                        span: self.span,
                    },
                    steps: Vec::new(),
                })
            }
            _ => None,
        }
    }

    /// The name that it is, if it is a single bare name (or a JSON string that holds one).
    pub fn as_keyword(&self) -> Option<Text> {
        self.as_traversal()
            .filter(|traversal| traversal.steps.is_empty())
            .map(|traversal| traversal.root.name)
    }

    /// The function call that it is (or a JSON string that holds one), for constructs that look like calls but are
    /// not, such as type constraints.
    pub fn as_static_call(&self) -> Option<Call> {
        match &self.kind {
            ExprKind::Call(call) => Some((**call).clone()),
            _ => match &self.in_json_string()?.kind {
                ExprKind::Call(call) => Some((**call).clone()),
                _ => None,
            },
        }
    }

    /// The items, if it is a list written out.
    pub fn as_list(&self) -> Option<&[Self]> {
        match &self.kind {
            ExprKind::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The items, if it is an object written out.
    pub fn as_map(&self) -> Option<&[ObjectItem]> {
        match &self.kind {
            ExprKind::Object(items) => Some(items),
            _ => None,
        }
    }

    /// All references in it, in source order. Names that `for` binds are not references where they are bound.
    pub fn traversals(&self) -> Vec<&Traversal> {
        let mut walk = Walk {
            bound: Vec::new(),
            found: Vec::new(),
        };
        walk.expr(self);
        walk.found
    }

    /// Calls `visit` with each expression directly in it, in source order.
    pub fn for_each_child<'a>(&'a self, mut visit: impl FnMut(&'a Self)) {
        match &self.kind {
            ExprKind::Literal(_)
            | ExprKind::Traversal(_)
            | ExprKind::SplatItem
            | ExprKind::Invalid => {}
            ExprKind::Template(items) | ExprKind::Tuple(items) => items.iter().for_each(visit),
            ExprKind::TemplateWrap(inner)
            | ExprKind::TemplateJoin(inner)
            | ExprKind::Parens(inner)
            | ExprKind::Unary { operand: inner, .. }
            | ExprKind::RelativeTraversal { source: inner, .. } => visit(inner),
            ExprKind::Index {
                collection: first,
                key: second,
                ..
            }
            | ExprKind::Splat {
                source: first,
                each: second,
                ..
            }
            | ExprKind::Binary {
                left: first,
                right: second,
                ..
            } => {
                visit(first);
                visit(second);
            }
            ExprKind::Call(call) => call.args.iter().for_each(visit),
            ExprKind::Conditional {
                condition,
                if_true,
                if_false,
            } => {
                visit(condition);
                visit(if_true);
                visit(if_false);
            }
            ExprKind::Object(items) => {
                for item in items {
                    if let ObjectKey::Expr(key) = &item.key {
                        visit(key);
                    }
                    visit(&item.value);
                }
            }
            ExprKind::For(each) => {
                visit(&each.collection);
                each.key.iter().for_each(&mut visit);
                visit(&each.value);
                each.condition.iter().for_each(visit);
            }
        }
    }

    /// All function calls in it, in source order.
    pub fn calls(&self) -> Vec<&Call> {
        fn collect<'a>(expr: &'a Expr, found: &mut Vec<&'a Call>) {
            if let ExprKind::Call(call) = &expr.kind {
                found.push(call);
            }
            expr.for_each_child(|child| with_stack(|| collect(child, found)));
        }
        let mut found = Vec::new();
        collect(self, &mut found);
        found
    }
}

/// A search for references.
struct Walk<'a> {
    bound: Vec<&'a str>,
    found: Vec<&'a Traversal>,
}

impl<'a> Walk<'a> {
    fn expr(&mut self, expr: &'a Expr) {
        match &expr.kind {
            ExprKind::Traversal(traversal) if !self.bound.contains(&&*traversal.root.name) => {
                self.found.push(traversal);
            }
            ExprKind::For(each) => self.for_expr(each),
            kind if kind.has_children() => {
                expr.for_each_child(|child| with_stack(|| self.expr(child)));
            }
            _ => {}
        }
    }

    fn for_expr(&mut self, each: &'a ForExpr) {
        with_stack(|| self.expr(&each.collection));
        let depth = self.bound.len();
        self.bound
            .extend(each.key_name.iter().map(|name| &*name.name));
        self.bound.push(&each.value_name.name);
        for part in each.key.iter().chain([&each.value]).chain(&each.condition) {
            with_stack(|| self.expr(part));
        }
        self.bound.truncate(depth);
    }
}

impl Traversal {
    /// From the name to the last step.
    pub fn span(&self) -> terrace_diag::Span {
        self.steps
            .last()
            .map_or(self.root.span, |step| self.root.span.to(step.span()))
    }
}

impl fmt::Display for Traversal {
    /// As source text: `aws_vpc.main["a"].id`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.root.name)?;
        self.steps.iter().try_for_each(|step| step.fmt(f))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(name) => write!(f, ".{}", name.name),
            Self::Splat { .. } => f.write_str("[*]"),
            Self::Index { key, .. } => match (key.as_str(), key.as_number()) {
                (Some(text), _) => write!(f, "[{}]", Quoted(text)),
                (None, Some(number)) => write!(f, "[{number}]"),
                (None, None) => f.write_str("[...]"),
            },
        }
    }
}

/// A text as a quoted string of the language.
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        let mut rest = self.0;
        while let Some(letter) = rest.chars().next() {
            match letter {
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '$' if rest.starts_with("${") => f.write_str("$$")?,
                '%' if rest.starts_with("%{") => f.write_str("%%")?,
                letter if letter.is_control() => write!(f, "\\u{:04x}", u32::from(letter))?,
                letter => write!(f, "{letter}")?,
            }
            rest = &rest[letter.len_utf8()..];
        }
        f.write_str("\"")
    }
}
