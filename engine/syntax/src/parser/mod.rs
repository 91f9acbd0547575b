//! Recursive descent over the tokens. Errors are collected on the way; where the parser cannot know what was meant
//! it gives up the argument or block at hand ([`Lost`]) and goes on with the next.

mod body;
mod expression;
mod literal;
mod places;
mod problems;
mod template;

pub(crate) use template::string;

use terrace_diag::{Diagnostic, Diagnostics, SourceId, Span};
use terrace_value::Text;

use self::places::Places;
use crate::stack::with_stack;
use crate::token::{Token, TokenKind, tokenize, tokenize_template};
use crate::{Body, Expr, ExprKind, Ident};

/// How deep brackets, conditionals, template sequences and blocks may nest in each other.
pub(crate) const MAX_NESTING: u32 = 2_000;
/// How many operators one chain such as `a + b + …` may have.
pub(crate) const MAX_CHAIN: usize = 10_000;

/// How many errors are reported of one text.
const MAX_ERRORS: usize = 500;

/// An error has been reported, and where the parser stands in the text means nothing.
#[derive(Debug)]
pub(crate) struct Lost;

/// What parsing a part gives.
pub(crate) type Parsed<T> = Result<T, Lost>;

/// Where the parsed text stands in its source.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// It begins at this byte.
    At(u32),
    /// It is not there as such (a string with escapes); everything is said to be here.
    Within(Span),
}

/// The parser of one text.
pub(crate) struct Parser<'a> {
    source: SourceId,
    place: Place,
    text: &'a [u8],
    /// Without whitespace and comments; a comment that ends its line is a line end.
    tokens: Vec<Token>,
    position: usize,
    /// Whether line ends count at the current place.
    newlines: bool,
    nesting: u32,
    /// In how many items it got lost.
    lost: u32,
    names: Vec<Option<Text>>,
    /// `None` until someone asks.
    places: Option<Places>,
    diagnostics: Diagnostics,
}

const NAME_SLOTS: usize = 256;

impl<'a> Parser<'a> {
    /// A parser for a file's text, or one expression.
    pub(crate) fn new(source: SourceId, place: Place, text: &'a [u8]) -> Self {
        Self::with_tokens(source, place, text, tokenize(text))
    }

    /// A parser for a bare template.
    pub(crate) fn for_template(source: SourceId, place: Place, text: &'a [u8]) -> Self {
        Self::with_tokens(source, place, text, tokenize_template(text))
    }

    fn with_tokens(source: SourceId, place: Place, text: &'a [u8], mut tokens: Vec<Token>) -> Self {
        let mut parser = Self {
            source,
            place,
            text,
            tokens: Vec::new(),
            position: 0,
            newlines: true,
            nesting: 0,
            lost: 0,
            names: vec![None; NAME_SLOTS],
            places: None,
            diagnostics: Diagnostics::new(),
        };
        parser.report_problems(&tokens);
        for token in &mut tokens {
            if token.kind == TokenKind::Comment && token.bytes(text).ends_with(b"\n") {
                token.kind = TokenKind::Newline;
            }
        }
        tokens.retain(|token| {
            !matches!(
                token.kind,
                TokenKind::Whitespace | TokenKind::Comment | TokenKind::ByteOrderMark
            )
        });
        parser.tokens = tokens;
        parser
    }

    /// The whole text as a body.
    pub(crate) fn file(mut self) -> (Body, Diagnostics) {
        if self.text.len() >= u32::MAX as usize {
            self.tell(
                Diagnostic::error(
                    "file-too-large",
                    "File too large",
                    "A configuration file must be smaller than 4 GiB.",
                )
                .at(self.span(0, 0)),
            );
        }
        let body = self.root_body();
        (body, self.diagnostics)
    }

    /// The whole text as one expression. Line ends do not count in it, as if it stood in parentheses.
    pub(crate) fn only_expression(mut self) -> (Expr, Diagnostics) {
        self.newlines = false;
        let parsed = self.expression();
        let expr = match parsed {
            Ok(expr) => {
                let next = self.peek();
                if next.kind != TokenKind::End {
                    self.report(
                        "extra-characters",
                        "Extra characters after expression",
                        "An expression was successfully parsed, but extra characters were found after it.",
                        next,
                    );
                }
                expr
            }
            Err(Lost) => self.invalid(self.span(0, self.end_of_text())),
        };
        (expr, self.diagnostics)
    }

    /// The whole text as a bare template.
    pub(crate) fn only_template(mut self) -> (Expr, Diagnostics) {
        self.newlines = false;
        let expr = match self.template(TokenKind::End, false, self.span(0, 0)) {
            Ok(expr) => expr,
            Err(Lost) => self.invalid(self.span(0, self.end_of_text())),
        };
        (expr, self.diagnostics)
    }

    fn end_of_text(&self) -> u32 {
        u32::try_from(self.text.len()).unwrap_or(u32::MAX)
    }

    #[expect(
        clippy::unused_self,
        reason = "reads as the parser's own product beside its other constructors"
    )]
    fn invalid(&self, span: Span) -> Expr {
        Expr {
            kind: ExprKind::Invalid,
            span,
        }
    }

    fn span(&self, start: u32, end: u32) -> Span {
        match self.place {
            Place::At(base) => Span::new(
                self.source,
                base.saturating_add(start),
                base.saturating_add(end),
            ),
            Place::Within(span) => span,
        }
    }

    fn span_of(&self, token: Token) -> Span {
        self.span(token.start, token.end)
    }

    fn text_of(&self, token: Token) -> &'a str {
        token.text(self.text)
    }

    /// The next token that counts here.
    fn peek(&self) -> Token {
        self.tokens[self.significant()]
    }

    fn significant(&self) -> usize {
        let mut index = self.position;
        while !self.newlines && self.tokens[index].kind == TokenKind::Newline {
            index += 1;
        }
        index
    }

    fn next(&mut self) -> Token {
        let index = self.significant();
        let token = self.tokens[index];
        self.position = index + usize::from(token.kind != TokenKind::End);
        token
    }

    /// Takes the next token if it is of `kind`.
    fn eat(&mut self, kind: TokenKind) -> Option<Token> {
        (self.peek().kind == kind).then(|| self.next())
    }

    /// Whether the next token is the name `keyword`.
    fn at_keyword(&self, keyword: &str) -> bool {
        let token = self.peek();
        token.kind == TokenKind::Ident && token.bytes(self.text) == keyword.as_bytes()
    }

    /// Where the last token that was taken stands.
    fn previous_span(&self) -> Span {
        self.span_of(self.tokens[self.position.saturating_sub(1)])
    }

    /// Parses with line ends counting or not.
    fn with_newlines<T>(&mut self, newlines: bool, parse: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.newlines, newlines);
        let parsed = parse(self);
        self.newlines = before;
        parsed
    }

    /// Parses one level deeper, with enough stack, or reports that it is too deep.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.nesting >= MAX_NESTING {
            let token = self.peek();
            self.report(
                "nested-too-deep",
                "Nested too deeply",
                format!("Blocks and expressions can nest in each other to {MAX_NESTING} levels, which this exceeds. Move an inner part into a local value."),
                token,
            );
            return Err(Lost);
        }
        self.nesting += 1;
        let parsed = with_stack(|| parse(self));
        self.nesting -= 1;
        parsed
    }

    /// Adds a diagnostic, unless there are more than anyone will read.
    fn tell(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < MAX_ERRORS {
            self.diagnostics.push(diagnostic);
        }
    }

    fn report(&mut self, id: &'static str, summary: &str, detail: impl Into<String>, at: Token) {
        let span = self.span_of(at);
        self.tell(Diagnostic::error(id, summary, detail).at(span));
    }

    fn report_within(
        &mut self,
        id: &'static str,
        summary: &str,
        detail: impl Into<String>,
        at: Token,
        context: Span,
    ) {
        let span = self.span_of(at);
        self.tell(
            Diagnostic::error(id, summary, detail)
                .at(span)
                .within(context.to(span)),
        );
    }

    /// Line and column of a place, in words.
    fn place_in_words(&mut self, span: Span) -> String {
        let Place::At(base) = self.place else {
            return "the start of this string".to_owned();
        };
        let places = self.places.get_or_insert_with(|| Places::new(self.text));
        let at = span.start.saturating_sub(base) as usize;
        let (line, column) = places.line_and_column(self.text, at);
        format!("line {line}, column {column}")
    }

    /// A name's text, shared with equal names met lately.
    fn name(&mut self, text: &str) -> Text {
        let hash = text.bytes().fold(0x811C_9DC5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        let slot = &mut self.names[(hash ^ (hash >> 16)) as usize % NAME_SLOTS];
        match slot {
            Some(known) if **known == *text => known.clone(),
            _ => slot.insert(text.into()).clone(),
        }
    }

    fn ident(&mut self, token: Token) -> Ident {
        Ident {
            name: self.name(self.text_of(token)),
            span: self.span_of(token),
        }
    }
}
