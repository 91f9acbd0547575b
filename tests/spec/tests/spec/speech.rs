//! Diagnostics as the pages tell them.

use terrace_diag::{Diagnostic, Diagnostics, SourceMap};

const WIDTH: usize = 96;

/// All of them; `None` is said where there is none.
pub(crate) fn all(diagnostics: Diagnostics, sources: &SourceMap) -> String {
    let told: Vec<String> = diagnostics
        .sorted()
        .iter()
        .map(|diagnostic| one(diagnostic, Some(sources)))
        .collect();
    if told.is_empty() {
        return "Valid.\n".to_owned();
    }
    told.join("\n")
}

/// One, with its place where `sources` are given.
pub(crate) fn one(diagnostic: &Diagnostic, sources: Option<&SourceMap>) -> String {
    let severity = if diagnostic.is_error() {
        "Error"
    } else {
        "Warning"
    };
    let mut lines = vec![format!(
        "{severity}: {} [{}]",
        diagnostic.summary, diagnostic.id
    )];
    if let Some(sources) = sources {
        if let Some((span, file)) = diagnostic
            .subject
            .and_then(|span| Some((span, sources.get(span.source)?)))
        {
            let place = file.position(span.start);
            let text = sources.text(span).lines().next().unwrap_or_default();
            lines.push(format!(
                "  at {}:{}:{}: {}",
                file.name(),
                place.line,
                place.column,
                text.trim()
            ));
        }
        if let Some(address) = &diagnostic.address {
            lines.push(format!("  with {address}"));
        }
    }
    for line in diagnostic.detail.lines() {
        lines.extend(wrap(line));
    }
    for note in &diagnostic.values {
        let lead = if note.expression.starts_with("while ") {
            ""
        } else {
            "where "
        };
        lines.push(
            format!("  {lead}{} {}", note.expression, note.statement)
                .trim_end()
                .to_owned(),
        );
    }
    if let Some(hint) = &diagnostic.hint {
        lines.extend(wrap(&format!("hint: {hint}")));
    }
    lines.join("\n") + "\n"
}

fn wrap(paragraph: &str) -> Vec<String> {
    if paragraph.starts_with([' ', '-']) || paragraph.is_empty() {
        return vec![format!("  {paragraph}").trim_end().to_owned()];
    }
    let mut lines = Vec::new();
    let mut line = String::from(" ");
    for word in paragraph.split(' ') {
        if line.chars().count() + word.chars().count() >= WIDTH && line.len() > 1 {
            lines.push(std::mem::replace(&mut line, String::from(" ")));
        }
        line.push(' ');
        line.push_str(word);
    }
    lines.push(line);
    lines
}
