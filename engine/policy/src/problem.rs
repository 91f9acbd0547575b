//! What regorus says of a mistake, as a diagnostic with its place.

use std::fmt::Display;
use std::sync::Arc;

use terrace_diag::{Diagnostic, SourceFile, SourceId, Span};

/// One message of regorus, taken apart.
struct Message<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    text: &'a str,
}

/// Reads `--> FILE:LINE:COLUMN`, the quoted line, and `error: TEXT` behind it.
fn take_apart(message: &str) -> Option<Message<'_>> {
    let (_, behind) = message.split_once("--> ")?;
    let (place, behind) = behind.split_once('\n')?;
    let mut parts = place.trim().rsplitn(3, ':');
    let column = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    let file = parts.next()?;
    let (_, text) = behind.split_once("error: ")?;
    Some(Message {
        file,
        line,
        column,
        text,
    })
}

/// The place of a line and a column, from one, in a file: from there to the end of the word.
fn span_at(id: SourceId, file: &SourceFile, line: u32, column: u32) -> Span {
    let text = file.text();
    let mut start = 0;
    for _ in 1..line {
        match text[start..].find('\n') {
            Some(end) => start += end + 1,
            None => break,
        }
    }
    let rest = &text[start..];
    let rest = &rest[..rest.find('\n').unwrap_or(rest.len())];
    let skipped = column.saturating_sub(1) as usize;
    let offset = rest
        .char_indices()
        .nth(skipped)
        .map_or(rest.len(), |(offset, _)| offset);
    let length = rest[offset..]
        .find(|character: char| !character.is_alphanumeric() && character != '_')
        .unwrap_or(rest.len() - offset)
        .max(usize::from(offset < rest.len()));
    let byte = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
    Span::new(id, byte(start + offset), byte(start + offset + length))
}

/// What regorus says, pointed at where it says it; `files` are the policies in the order of their ids from `first`.
pub(crate) fn diagnostic(
    id: &'static str,
    summary: &str,
    error: &impl Display,
    files: &[(SourceId, Arc<SourceFile>)],
) -> Diagnostic {
    let message = error.to_string();
    let Some(parts) = take_apart(&message) else {
        return Diagnostic::error(id, summary, sentence(message.trim()));
    };
    let found = files.iter().find(|(_, file)| file.name() == parts.file);
    let place = found.map(|(source, file)| span_at(*source, file, parts.line, parts.column));
    Diagnostic::error(id, summary, sentence(parts.text.trim())).at_opt(place)
}

/// With a capital at its beginning and a full stop at its end.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let Some(first) = characters.next() else {
        return String::new();
    };
    let mut sentence: String = first.to_uppercase().chain(characters).collect();
    if !sentence.ends_with(['.', '!', '?', '`', '"']) {
        sentence.push('.');
    }
    sentence
}
