//! What several tests need.

use terrace_diag::{Diagnostics, SourceFile, SourceId, Span};
use terrace_syntax::{Body, Expr, parse, parse_expression};

/// Each error as `line: summary; detail`.
pub(crate) fn errors(text: &str, diagnostics: &Diagnostics) -> Vec<String> {
    let file = SourceFile::new("main.tf", text);
    let line = |span: Option<Span>| span.map_or(0, |span| file.position(span.start).line);
    let told = |one: &terrace_diag::Diagnostic| {
        format!("{}: {}; {}", line(one.subject), one.summary, one.detail)
    };
    diagnostics.iter().map(told).collect()
}

/// The body of a text without errors.
#[allow(
    dead_code,
    reason = "each test file includes this module and uses a part of it"
)]
pub(crate) fn body(text: &str) -> Body {
    let (body, diagnostics) = parse(SourceId(0), text.as_bytes());
    assert!(diagnostics.is_empty(), "{:?}", errors(text, &diagnostics));
    body
}

/// The expression of a text without errors.
#[allow(
    dead_code,
    reason = "each test file includes this module and uses a part of it"
)]
pub(crate) fn expr(text: &str) -> Expr {
    let (expr, diagnostics) = parse_expression(SourceId(0), text);
    assert!(diagnostics.is_empty(), "{:?}", errors(text, &diagnostics));
    expr
}

/// The text that a span covers.
#[allow(
    dead_code,
    reason = "each test file includes this module and uses a part of it"
)]
pub(crate) fn at(text: &str, span: Span) -> &str {
    &text[span.start as usize..span.end as usize]
}
