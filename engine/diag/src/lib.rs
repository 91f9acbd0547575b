//! Diagnostics: source spans, the source map and the messages that every phase returns beside its value.
//!
//! This crate depends on no other crate of the workspace. A phase never stops at the first problem: it
//! appends to [`Diagnostics`] and continues where it can.

mod diagnostic;
mod source;
mod suggest;

pub use diagnostic::{Diagnostic, Diagnostics, Severity, ValueNote};
pub use source::{Position, SourceFile, SourceId, SourceMap, Span};
pub use suggest::{edit_distance, nearest};
