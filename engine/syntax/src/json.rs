//! JSON syntax.

use terrace_diag::Span;

/// An object of a JSON file, with spans.
#[derive(Clone, Debug)]
pub struct JsonObject {
    /// The object with its braces.
    pub span: Span,
}
