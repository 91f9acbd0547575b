//! Errors in single tokens: what no valid file holds.

use terrace_diag::Diagnostic;

use super::Parser;
use crate::token::{Token, TokenKind};

/// How often each kind of problem has been told.
#[derive(Default)]
struct Told {
    bitwise: u32,
    backtick: u32,
    apostrophe: u32,
    semicolon: u32,
    encoding: u32,
}

impl Parser<'_> {
    /// Reports each token that has no meaning in the language; some only once a file.
    pub(super) fn report_problems(&mut self, tokens: &[Token]) {
        let mut told = Told::default();
        for token in tokens.iter().filter(|token| token.kind.is_problem()) {
            if let Some((id, summary, detail)) = problem(*token, self.text, &mut told) {
                let span = self.span_of(*token);
                self.tell(Diagnostic::error(id, summary, detail).at(span));
            }
        }
    }
}

fn problem(
    token: Token,
    text: &[u8],
    told: &mut Told,
) -> Option<(&'static str, &'static str, String)> {
    /// Counts up to `limit` and says whether this is among the first ones.
    fn first(count: &mut u32, limit: u32) -> bool {
        *count += 1;
        *count <= limit
    }
    /// Says whether this opens a pair: only one of two quotes is worth a message.
    fn opens_pair(count: &mut u32) -> bool {
        *count += 1;
        *count % 2 == 1
    }
    let character =
        |detail: &str| Some(("invalid-character", "Invalid character", detail.to_owned()));
    let bitwise = |count: &mut u32, suggestion: &str| {
        first(count, 4).then(|| {
            let detail = format!("Bitwise operators are not supported.{suggestion}");
            ("unsupported-operator", "Unsupported operator", detail)
        })
    };
    match token.kind {
        TokenKind::Ampersand => bitwise(&mut told.bitwise, " Did you mean boolean AND (\"&&\")?"),
        TokenKind::Pipe => bitwise(&mut told.bitwise, " Did you mean boolean OR (\"||\")?"),
        TokenKind::Tilde => bitwise(&mut told.bitwise, " Did you mean boolean NOT (\"!\")?"),
        TokenKind::Caret => bitwise(&mut told.bitwise, ""),
        TokenKind::Backtick if opens_pair(&mut told.backtick) => character(
            "The \"`\" character is not valid. To create a multi-line string, use the \"heredoc\" syntax, like \"<<EOT\".",
        ),
        TokenKind::Apostrophe if opens_pair(&mut told.apostrophe) => {
            character("Single quotes are not valid. Use double quotes (\") to enclose strings.")
        }
        TokenKind::Semicolon if first(&mut told.semicolon, 1) => character(
            "The \";\" character is not valid. Use newlines to separate arguments and blocks, and commas to separate items in collection values.",
        ),
        TokenKind::InvalidUtf8 if first(&mut told.encoding, 1) => Some((
            "invalid-encoding",
            "Invalid character encoding",
            "All input files must be UTF-8 encoded. Ensure that UTF-8 encoding is selected in your editor.".to_owned(),
        )),
        TokenKind::QuoteNewline => Some((
            "multi-line-string",
            "Invalid multi-line string",
            "Quoted strings may not be split over multiple lines. To produce a multi-line string, either use the \\n escape to represent a newline character or use the \"heredoc\" multi-line template syntax.".to_owned(),
        )),
        TokenKind::Invalid if matches!(token.text(text), "\u{201C}" | "\u{201D}") => character(
            "\"Curly quotes\" are not valid here. These can sometimes be inadvertently introduced when sharing code via documents or discussion forums. It might help to replace the character with a \"straight quote\".",
        ),
        TokenKind::Invalid => character("This character is not used within the language."),
        _ => None,
    }
}
