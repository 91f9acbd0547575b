//! Configuration text to typed trees: native syntax and JSON, with spans, comments and recovery; the formatter.
//!
//! A parse never stops at the first problem and never fails: it returns what it understood and its diagnostics.

mod ast;
mod content;
mod expr;
mod format;
mod json;
mod lexer;
mod parser;
mod stack;
mod suggest;
pub mod token;

pub use ast::{
    Attribute, BinaryOp, Block, Body, BodyKind, Call, Expr, ExprKind, ForExpr, Ident, Item, Label,
    ObjectItem, ObjectKey, Step, Traversal, UnaryOp,
};
pub use content::{AttributeSchema, BlockSchema, BodySchema, Content};
pub use expr::Quoted;
pub use format::{format, format_bytes};
pub use json::JsonObject;
pub use stack::with_stack;

use parser::{Parser, Place};
use terrace_diag::{Diagnostics, SourceId};

/// Parses a file in native syntax (`.tf`, `.tfvars`, `.hcl`). `text` is the file's bytes: invalid UTF-8 is reported,
/// except in comments.
///
/// Brackets, conditionals, template sequences and blocks may nest to 2,000 levels, and one expression may chain 10,000
/// operators; more is an error. Of one file at most 500 errors are reported.
pub fn parse(source: SourceId, text: &[u8]) -> (Body, Diagnostics) {
    Parser::new(source, Place::At(0), text).file()
}

/// Parses a file in JSON syntax (`.tf.json`, `.tfvars.json`).
pub fn parse_json(source: SourceId, text: &[u8]) -> (Body, Diagnostics) {
    json::file(source, text)
}

/// Parses a text that is one expression (a `-var` value, a console line).
pub fn parse_expression(source: SourceId, text: &str) -> (Expr, Diagnostics) {
    Parser::new(source, Place::At(0), text.as_bytes()).only_expression()
}

/// Parses a text as a template (`templatefile`, strings in JSON syntax).
pub fn parse_template(source: SourceId, text: &str) -> (Expr, Diagnostics) {
    Parser::for_template(source, Place::At(0), text.as_bytes()).only_template()
}
