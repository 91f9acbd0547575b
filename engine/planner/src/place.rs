//! Places in source files and lists of things, as texts name them.

use terrace_diag::{SourceMap, Span};

/// `main.tf:3,5`: file, line and column where `span` begins.
pub(crate) fn place(sources: &SourceMap, span: Span) -> String {
    sources.get(span.source).map_or_else(String::new, |file| {
        let position = file.position(span.start);
        format!("{}:{},{}", file.name(), position.line, position.column)
    })
}

/// `main.tf:3`: file and line where `span` begins.
pub(crate) fn line(sources: &SourceMap, span: Span) -> String {
    sources.get(span.source).map_or_else(String::new, |file| {
        format!("{}:{}", file.name(), file.position(span.start).line)
    })
}

/// Each of `items` on a line of its own, after `bullet`.
pub(crate) fn listed<T: std::fmt::Display>(
    items: impl IntoIterator<Item = T>,
    bullet: &str,
) -> String {
    let mut list = String::new();
    for item in items {
        list.push('\n');
        list.push_str(bullet);
        list.push_str(&item.to_string());
    }
    list
}
