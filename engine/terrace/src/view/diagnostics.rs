//! Diagnostics at a terminal: miette draws the snippet.

use std::fmt;
use std::fmt::Write as _;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents,
};
use terrace_diag::{Diagnostic, Severity, SourceFile, SourceMap};

use super::View;
use super::style::{Role, Style};

/// A diagnostic as text.
pub(crate) fn render(diagnostic: &Diagnostic, sources: &SourceMap, view: &View) -> String {
    let (label, role) = match diagnostic.severity {
        Severity::Error => ("Error:", Role::Remove),
        Severity::Warning => ("Warning:", Role::Change),
    };
    let style = view.style;
    let mut text = String::from("\n");
    let heading = format!(
        "{} {}",
        style.paint(role, label),
        style.paint(Role::Strong, &diagnostic.summary)
    );
    writeln!(text, "{heading}").expect("writing to a string does not fail");
    if diagnostic.severity == Severity::Warning && view.compact_warnings {
        return text;
    }
    if let Some(address) = &diagnostic.address {
        writeln!(text, "  with {address}").expect("writing to a string does not fail");
    }
    text.push_str(&snippet(diagnostic, sources, view).unwrap_or_default());
    for note in &diagnostic.values {
        writeln!(
            text,
            "    {} {}",
            style.paint(Role::Strong, &note.expression),
            note.statement
        )
        .expect("writing to a string does not fail");
    }
    if !diagnostic.detail.is_empty() {
        if diagnostic.subject.is_some()
            || !diagnostic.values.is_empty()
            || diagnostic.address.is_some()
        {
            text.push('\n');
        }
        for line in wrap(diagnostic.detail.trim_end(), view.width) {
            writeln!(text, "{line}").expect("writing to a string does not fail");
        }
    }
    if let Some(hint) = &diagnostic.hint {
        for (index, line) in wrap(hint, view.width - 6).iter().enumerate() {
            let lead = if index == 0 {
                style.paint(Role::Read, "hint:")
            } else {
                "     ".to_owned()
            };
            writeln!(text, "{lead} {line}").expect("writing to a string does not fail");
        }
    }
    text
}

/// Breaks paragraphs at words; lines that begin with a space are left as they are.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        if paragraph.starts_with([' ', '\t', '-']) {
            lines.push(paragraph.to_owned());
            continue;
        }
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

/// The lines of the source that the diagnostic is about.
fn snippet(diagnostic: &Diagnostic, sources: &SourceMap, view: &View) -> Option<String> {
    let subject = diagnostic.subject?;
    let file = sources.get(subject.source)?;
    let length = file.text().len();
    let start = (subject.start as usize).min(length);
    let end = (subject.end as usize).clamp(start, length);
    // A subject of many lines is shown by its first.
    let first_line_end = file.text()[start..]
        .find('\n')
        .map_or(length, |offset| start + offset);
    let labelled = LabeledSpan::underline((
        start,
        end.min(first_line_end.max(start + 1)).saturating_sub(start),
    ));
    let report = Snippet {
        source: Source { file },
        labels: vec![labelled],
    };
    let theme = match view.style {
        Style::Plain => GraphicalTheme::unicode_nocolor(),
        Style::Ansi => GraphicalTheme::unicode(),
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(view.width)
        .with_context_lines(0)
        .without_cause_chain();
    let mut drawn = String::new();
    handler.render_report(&mut drawn, &report).ok()?;
    // miette's own heading is not ours: the drawing begins at its first corner.
    let lines: Vec<&str> = drawn.lines().collect();
    let begin = lines.iter().position(|line| line.contains('╭'))?;
    let lead = lines[begin].split('╭').next().unwrap_or_default();
    let position = file.position(subject.start);
    let place = format!("{}:{}:{}", file.name(), position.line, position.column);
    let mut text = format!("{lead}╭─[{}]\n", view.style.paint(Role::Read, place));
    for line in &lines[begin + 1..] {
        writeln!(text, "{}", line.trim_end()).expect("writing to a string does not fail");
    }
    Some(text)
}

#[derive(Debug)]
struct Snippet<'a> {
    source: Source<'a>,
    labels: Vec<LabeledSpan>,
}

#[derive(Debug)]
struct Source<'a> {
    file: &'a SourceFile,
}

impl fmt::Display for Snippet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("-")
    }
}

impl std::error::Error for Snippet<'_> {}

impl miette::Diagnostic for Snippet<'_> {
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.clone().into_iter()))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }
}

impl SourceCode for Source<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, miette::MietteError> {
        let text: &str = self.file.text();
        // Whole lines, of which miette underlines the part.
        let start = text[..span.offset()].rfind('\n').map_or(0, |end| end + 1);
        let end = span.offset() + span.len();
        let end = text[end..]
            .find('\n')
            .map_or(text.len(), |offset| end + offset);
        let found = text.read_span(&(start, end - start).into(), before, after)?;
        Ok(Box::new(MietteSpanContents::new(
            found.data(),
            *found.span(),
            found.line(),
            found.column(),
            found.line_count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use terrace_diag::Span;

    use super::*;

    #[test]
    fn a_diagnostic_shows_its_line() {
        let mut sources = SourceMap::new();
        let id = sources.add(SourceFile::new(
            "main.tf",
            "output \"a\" {\n  value = var.nope\n}\n",
        ));
        let diagnostic = Diagnostic::error(
            "undeclared-variable",
            "Reference to undeclared input variable",
            "It is not there.",
        )
        .at(Span::new(id, 23, 31))
        .hint("declare it");
        insta::assert_snapshot!(render(&diagnostic, &sources, &View::plain()), @r##"
        Error: Reference to undeclared input variable
           ╭─[main.tf:2:11]
         2 │   value = var.nope
           ·           ────────
           ╰────

        It is not there.
        hint: declare it
        "##);
    }
}
