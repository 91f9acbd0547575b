//! Places in files, independent of the source map that a configuration was read with.

use std::fmt;

use terrace_diag::{SourceMap, Span};

/// Where something is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as the configuration names it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// The span in the source map of the configuration that it was read from.
    pub span: Span,
}

impl Place {
    /// The place of `span`, which is of `sources`.
    pub fn of(sources: &SourceMap, span: Span) -> Self {
        let (file, position) = sources.get(span.source).map_or_else(
            || (String::new(), None),
            |file| (file.name().to_owned(), Some(file.position(span.start))),
        );
        Self {
            file,
            line: position.map_or(0, |position| position.line),
            column: position.map_or(0, |position| position.column),
            span,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
