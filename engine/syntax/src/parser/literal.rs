//! Literal text: escapes between quotes, and the doubled signs that stand for template sequences.

use std::borrow::Cow;

use terrace_diag::Diagnostic;

use super::Parser;
use crate::token::Token;

impl<'a> Parser<'a> {
    /// The text that a token between quotes stands for; bad escapes are reported.
    pub(super) fn quoted_text(&mut self, token: Token) -> Cow<'a, str> {
        let raw = self.text_of(token);
        if !raw.bytes().any(|byte| matches!(byte, b'\\' | b'$' | b'%')) {
            return Cow::Borrowed(raw);
        }
        let mut text = String::with_capacity(raw.len());
        let mut rest = raw;
        while let Some(index) = rest.find(['\\', '$', '%']) {
            text.push_str(&rest[..index]);
            rest = &rest[index..];
            let length = if rest.starts_with('\\') {
                let offset = u32::try_from(raw.len() - rest.len()).unwrap_or(u32::MAX);
                self.escape(rest, token.start + offset, &mut text)
            } else {
                doubled_sign(rest, &mut text)
            };
            rest = &rest[length..];
        }
        text.push_str(rest);
        Cow::Owned(text)
    }

    /// The text that a token of a heredoc or a bare template stands for.
    pub(super) fn plain_text(&self, token: Token) -> Cow<'a, str> {
        let raw = self.text_of(token);
        if !raw.contains("$${") && !raw.contains("%%{") {
            return Cow::Borrowed(raw);
        }
        let mut text = String::with_capacity(raw.len());
        let mut rest = raw;
        while let Some(index) = rest.find(['$', '%']) {
            text.push_str(&rest[..index]);
            rest = &rest[index..];
            let length = doubled_sign(rest, &mut text);
            rest = &rest[length..];
        }
        text.push_str(rest);
        Cow::Owned(text)
    }

    /// Decodes the escape at the start of `rest`, which stands at byte `start`; returns its length.
    fn escape(&mut self, rest: &str, start: u32, text: &mut String) -> usize {
        let Some(selector) = rest[1..].chars().next() else {
            text.push('\\');
            return 1;
        };
        let plain = match selector {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '"' => '"',
            '\\' => '\\',
            'u' => return self.code_point(rest, 4, start, text),
            'U' => return self.code_point(rest, 8, start, text),
            other => {
                let detail = format!(
                    "The symbol \"{}\" is not a valid escape sequence selector.",
                    shown(other)
                );
                self.report_escape(start, 1 + other.len_utf8(), detail);
                other
            }
        };
        text.push(plain);
        1 + selector.len_utf8()
    }

    /// Decodes `\u` or `\U` and its `digits` hexadecimal digits.
    fn code_point(&mut self, rest: &str, digits: usize, start: u32, text: &mut String) -> usize {
        let found = rest[2..]
            .bytes()
            .take(digits)
            .take_while(u8::is_ascii_hexdigit)
            .count();
        let length = 2 + found;
        if found < digits {
            let detail = if digits == 4 {
                "The \\u escape sequence must be followed by four hexadecimal digits."
            } else {
                "The \\U escape sequence must be followed by eight hexadecimal digits."
            };
            self.report_escape(start, length, detail.to_owned());
        } else {
            let number = u32::from_str_radix(&rest[2..length], 16).unwrap_or(u32::MAX);
            match char::from_u32(number) {
                Some(character) => {
                    text.push(character);
                    return length;
                }
                None => self.report_escape(
                    start,
                    length,
                    format!("Cannot encode character U+{number:04x} in UTF-8."),
                ),
            }
        }
        text.push_str(&rest[..length]);
        length
    }

    fn report_escape(&mut self, start: u32, length: usize, detail: String) {
        let end = start.saturating_add(u32::try_from(length).unwrap_or(u32::MAX));
        let span = self.span(start, end);
        self.tell(Diagnostic::error("invalid-escape", "Invalid escape sequence", detail).at(span));
    }
}

/// A letter as it can stand between quotes in a message.
fn shown(letter: char) -> String {
    match letter {
        '\'' => letter.to_string(),
        letter if letter.is_ascii() => letter.escape_debug().to_string(),
        letter if letter.is_control() || letter.is_whitespace() || letter == '\u{FEFF}' => {
            format!("\\u{:04x}", u32::from(letter))
        }
        letter => letter.to_string(),
    }
}

/// Takes the `$` or `%` at the start of `rest`, with what follows where it is doubled before a brace; returns the
/// length of what was taken.
fn doubled_sign(rest: &str, text: &mut String) -> usize {
    if rest.starts_with("$${") || rest.starts_with("%%{") {
        text.push_str(&rest[1..3]);
        return 3;
    }
    text.push_str(&rest[..1]);
    1
}
