//! Bodies, arguments and blocks.

use std::collections::HashMap;

use terrace_diag::{Diagnostic, Span};
use terrace_value::Text;

use super::{Lost, Parsed, Parser};
use crate::token::{Token, TokenKind};
use crate::{Attribute, Block, Body, BodyKind, Item, Label};

/// After how many items in which the parser got lost the rest of a file is not looked at.
const MAX_LOST: u32 = 100;
const NEEDS_EQUALS: &str = "An argument or block definition is required here. To set an argument, use the equals sign \"=\" to introduce the argument value.";

impl Parser<'_> {
    /// The whole text as a body.
    pub(super) fn root_body(&mut self) -> Body {
        let items = self.items(None);
        let span = self.span(0, self.end_of_text());
        Body {
            kind: BodyKind::Native(items.into()),
            span,
            missing_span: span.at_start(),
        }
    }

    /// The items of a body up to its closing brace, which is taken, or the end of the text. `open` is the opening
    /// brace, if the body is a block's.
    fn items(&mut self, open: Option<Token>) -> Vec<Item> {
        let mut items = Vec::new();
        let mut seen = HashMap::new();
        let mut lost = false;
        loop {
            let token = self.peek();
            match token.kind {
                TokenKind::Newline => {
                    self.next();
                }
                TokenKind::CloseBrace if open.is_some() => {
                    self.next();
                    return items;
                }
                TokenKind::End => {
                    if let Some(open) = open
                        && !lost
                    {
                        self.report_unclosed_block(open);
                    }
                    return items;
                }
                _ => {
                    let start = self.position;
                    let (item, parsed) = self.item();
                    if parsed.is_err() {
                        lost = true;
                        self.skip_item(start);
                        self.lost += 1;
                        if self.lost >= MAX_LOST {
                            self.position = self.tokens.len() - 1;
                        }
                    }
                    if let Some(item) = item {
                        self.add_item(item, &mut items, &mut seen);
                    }
                }
            }
        }
    }

    /// Adds an item unless it is an argument that was already set.
    fn add_item(&mut self, item: Item, items: &mut Vec<Item>, seen: &mut HashMap<Text, Span>) {
        if let Item::Attribute(attribute) = &item {
            if let Some(first) = seen.get(&attribute.name.name) {
                let detail = format!(
                    "The argument \"{}\" was already set at {}. Each argument may be set only once.",
                    attribute.name.name,
                    self.place_in_words(*first)
                );
                self.tell(
                    Diagnostic::error("argument-redefined", "Attribute redefined", detail)
                        .at(attribute.name.span),
                );
                return;
            }
            seen.insert(attribute.name.name.clone(), attribute.name.span);
        }
        items.push(item);
    }

    fn report_unclosed_block(&mut self, open: Token) {
        self.report(
            "unclosed-block",
            "Unclosed configuration block",
            "There is no closing brace for this block before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file.",
            open,
        );
    }

    /// One argument or block, or what there is of it, with the line end after it.
    fn item(&mut self) -> (Option<Item>, Parsed<()>) {
        let name = self.next();
        if name.kind != TokenKind::Ident {
            if name.kind == TokenKind::QuoteOpen {
                self.report(
                    "quoted-argument-name",
                    "Invalid argument name",
                    "Argument names must not be quoted.",
                    name,
                );
            } else if !name.kind.is_problem() || name.kind == TokenKind::Invalid {
                self.report(
                    "item-required",
                    "Argument or block definition required",
                    "An argument or block definition is required here.",
                    name,
                );
            }
            return (None, Err(Lost));
        }
        match self.peek().kind {
            TokenKind::Equal => {
                let (attribute, parsed) = self.attribute(name);
                let parsed = parsed.and_then(|()| self.end_of_attribute(name));
                (Some(Item::Attribute(attribute)), parsed)
            }
            TokenKind::QuoteOpen | TokenKind::OpenBrace | TokenKind::Ident => self.block(name),
            _ => {
                self.report(
                    "item-required",
                    "Argument or block definition required",
                    NEEDS_EQUALS,
                    name,
                );
                (None, Err(Lost))
            }
        }
    }

    /// `= value` after an argument's name. Its value is invalid where the parser got lost.
    fn attribute(&mut self, name: Token) -> (Attribute, Parsed<()>) {
        let equals = self.next();
        let parsed = self.expression();
        let name_span = self.span_of(name);
        let (value, parsed) = match parsed {
            Ok(value) => (value, Ok(())),
            Err(Lost) => (self.invalid(self.span_of(equals).at_end()), Err(Lost)),
        };
        let span = name_span.to(value.span);
        (
            Attribute {
                name: self.ident(name),
                value,
                span,
            },
            parsed,
        )
    }

    fn end_of_attribute(&mut self, name: Token) -> Parsed<()> {
        let end = self.peek();
        if matches!(end.kind, TokenKind::Newline | TokenKind::End) {
            self.next();
            return Ok(());
        }
        let name = self.span_of(name);
        let required = "An argument definition must end with a newline.";
        if end.kind == TokenKind::Comma {
            let detail = format!(
                "Argument definitions must be separated by newlines, not commas. {required}"
            );
            self.report_within(
                "missing-newline",
                "Unexpected comma after argument",
                detail,
                end,
                name,
            );
        } else {
            self.report_within(
                "missing-newline",
                "Missing newline after argument",
                required,
                end,
                name,
            );
        }
        Err(Lost)
    }

    /// Labels and body of a block after its type.
    fn block(&mut self, type_name: Token) -> (Option<Item>, Parsed<()>) {
        let type_span = self.span_of(type_name);
        let Ok((labels, open)) = self.block_header(type_span) else {
            return (None, Err(Lost));
        };
        let header_span = labels
            .last()
            .map_or(type_span, |label| type_span.to(label.span));
        let (items, parsed) = self.block_body(open, type_span);
        let close_span = self.previous_span();
        let open_span = self.span_of(open);
        let body_span = Span {
            end: close_span.start.max(open_span.end),
            ..open_span.at_end()
        };
        let body = Body {
            kind: BodyKind::Native(items.into()),
            span: body_span,
            missing_span: open_span,
        };
        let span = type_span.to(close_span);
        let block = Block {
            type_name: self.ident(type_name),
            labels,
            body,
            header_span,
            span,
        };
        (
            Some(Item::Block(block)),
            parsed.and_then(|()| self.end_of_block(type_span)),
        )
    }

    /// Labels and the opening brace.
    fn block_header(&mut self, type_span: Span) -> Parsed<(Vec<Label>, Token)> {
        let mut labels = Vec::new();
        loop {
            let token = self.peek();
            match token.kind {
                TokenKind::OpenBrace => return Ok((labels, self.next())),
                TokenKind::Ident => {
                    let name = self.next();
                    labels.push(Label {
                        text: self.name(self.text_of(name)),
                        span: self.span_of(name),
                    });
                }
                TokenKind::QuoteOpen => labels.push(self.label()?),
                _ => {
                    self.report_bad_header(token, type_span);
                    return Err(Lost);
                }
            }
        }
    }

    fn report_bad_header(&mut self, token: Token, type_span: Span) {
        let detail = match token.kind {
            TokenKind::Equal => {
                "The equals sign \"=\" indicates an argument definition, and must not be used when defining a block."
            }
            TokenKind::Newline => {
                "A block definition must have block content delimited by \"{\" and \"}\", starting on the same line as the block header."
            }
            _ => "Either a quoted string block label or an opening brace (\"{\") is expected here.",
        };
        self.report_within(
            "invalid-block",
            "Invalid block definition",
            detail,
            token,
            type_span,
        );
    }

    fn end_of_block(&mut self, type_span: Span) -> Parsed<()> {
        let end = self.peek();
        if matches!(end.kind, TokenKind::Newline | TokenKind::End) {
            self.next();
            return Ok(());
        }
        let detail = "A block definition must end with a newline.";
        self.report_within(
            "missing-newline",
            "Missing newline after block definition",
            detail,
            end,
            type_span,
        );
        Err(Lost)
    }

    /// What stands between a block's braces; the closing one is taken.
    fn block_body(&mut self, open: Token, type_span: Span) -> (Vec<Item>, Parsed<()>) {
        match self.peek().kind {
            TokenKind::Newline | TokenKind::End | TokenKind::CloseBrace => {
                match self.nested(|parser| Ok(parser.items(Some(open)))) {
                    Ok(items) => (items, Ok(())),
                    Err(Lost) => (Vec::new(), Err(Lost)),
                }
            }
            _ => match self.single_argument() {
                Ok((attribute, parsed)) => {
                    let parsed = parsed.and_then(|()| self.end_of_single_line(open, type_span));
                    (vec![Item::Attribute(attribute)], parsed)
                }
                Err(Lost) => (Vec::new(), Err(Lost)),
            },
        }
    }

    /// The one argument of a block written on one line; its value is invalid where the parser got lost in it.
    fn single_argument(&mut self) -> Parsed<(Attribute, Parsed<()>)> {
        let name = self.next();
        if name.kind != TokenKind::Ident {
            self.report(
                "item-required",
                "Argument or block definition required",
                "An argument or block definition is required here.",
                name,
            );
            return Err(Lost);
        }
        let next = self.peek();
        match next.kind {
            TokenKind::Equal => Ok(self.attribute(name)),
            TokenKind::QuoteOpen | TokenKind::OpenBrace | TokenKind::Ident => {
                let detail = format!(
                    "A single-line block definition can contain only a single argument. If you meant to define argument \"{}\", use an equals sign to assign it a value. To define a nested block, place it on a line of its own within its parent block.",
                    self.text_of(name)
                );
                let both = Token {
                    end: next.end,
                    ..name
                };
                self.report(
                    "single-line-block",
                    "Argument definition required",
                    detail,
                    both,
                );
                Err(Lost)
            }
            _ => {
                self.report(
                    "item-required",
                    "Argument or block definition required",
                    NEEDS_EQUALS,
                    name,
                );
                Err(Lost)
            }
        }
    }

    fn end_of_single_line(&mut self, open: Token, type_span: Span) -> Parsed<()> {
        let close = self.peek();
        let detail = match close.kind {
            TokenKind::CloseBrace => {
                self.next();
                return Ok(());
            }
            TokenKind::End => {
                self.report_unclosed_block(open);
                return Err(Lost);
            }
            TokenKind::Comma => {
                "Single-line block syntax can include only one argument definition. To define multiple arguments, use the multi-line block syntax with one argument definition per line."
            }
            TokenKind::Newline => {
                "An argument definition on the same line as its containing block creates a single-line block definition, which must also be closed on the same line. Place the block's closing brace immediately after the argument definition."
            }
            _ => {
                "A single-line block definition must end with a closing brace immediately after its single argument definition."
            }
        };
        self.report_within(
            "single-line-block",
            "Invalid single-argument block definition",
            detail,
            close,
            type_span,
        );
        Err(Lost)
    }

    /// A quoted label: text without template sequences.
    fn label(&mut self) -> Parsed<Label> {
        let open = self.next();
        let mut text = String::new();
        loop {
            let token = self.next();
            match token.kind {
                TokenKind::QuoteClose => {
                    let span = self.span_of(open).to(self.span_of(token));
                    return Ok(Label {
                        text: self.name(&text),
                        span,
                    });
                }
                TokenKind::QuoteText => text.push_str(&self.quoted_text(token)),
                TokenKind::Interpolation | TokenKind::Directive => {
                    let sign = if token.kind == TokenKind::Interpolation {
                        '$'
                    } else {
                        '%'
                    };
                    let detail = format!(
                        "Template sequences are not allowed in this string. To include a literal \"{sign}\", double it (as \"{sign}{sign}\") to escape it."
                    );
                    let context = self.span_of(open);
                    self.report_within(
                        "invalid-label",
                        "Invalid string literal",
                        detail,
                        token,
                        context,
                    );
                    return Err(Lost);
                }
                TokenKind::End => {
                    let detail =
                        "Unable to find the closing quote mark before the end of the file.";
                    self.report(
                        "unterminated-string",
                        "Unterminated string literal",
                        detail,
                        token,
                    );
                    return Err(Lost);
                }
                // The lexer has reported what this is.
                _ => return Err(Lost),
            }
        }
    }

    /// Goes on after an item in which the parser got lost and which begins at token `start`: behind the next line end
    /// outside of the item's brackets, and not before what was already read. Where its brackets do not close, the
    /// item ends before the next line that begins like an item.
    fn skip_item(&mut self, start: usize) {
        let reached = self.position;
        self.newlines = true;
        let mut open = Open::default();
        for index in start..self.tokens.len() {
            let kind = self.tokens[index].kind;
            match kind {
                TokenKind::Newline if open.is_empty() && index >= reached.saturating_sub(1) => {
                    self.position = index + 1;
                    return;
                }
                TokenKind::End if open.is_empty() => {
                    self.position = index;
                    return;
                }
                TokenKind::CloseBrace
                    if open.is_empty() && index > start && index >= reached.saturating_sub(1) =>
                {
                    // It closes the block around the item, as far as one can tell.
                    self.position = index;
                    return;
                }
                _ if kind.nesting() > 0 => open.open(kind),
                _ => {
                    if let Some(opener) = kind.opener() {
                        open.close(opener);
                    }
                    if kind == TokenKind::QuoteNewline && open.is_empty() && index + 1 >= reached {
                        self.position = index + 1;
                        return;
                    }
                }
            }
        }
        self.position = self.next_item_line(reached.saturating_sub(1).max(start + 1));
    }

    /// The first token from `from` on that begins a line and looks like the start of an item, or the end.
    fn next_item_line(&self, from: usize) -> usize {
        let end = self.tokens.len() - 1;
        (from..end)
            .find(|index| {
                let kinds = [index - 1, *index, index + 1].map(|index| self.tokens[index].kind);
                matches!(kinds[0], TokenKind::Newline | TokenKind::QuoteNewline)
                    && kinds[1] == TokenKind::Ident
                    && matches!(
                        kinds[2],
                        TokenKind::Equal | TokenKind::OpenBrace | TokenKind::QuoteOpen
                    )
            })
            .unwrap_or(end)
    }
}

/// Brackets that are open at a place.
#[derive(Default)]
struct Open {
    stack: Vec<TokenKind>,
    /// How many of each kind are in the stack, so that what closes nothing is known without looking through it.
    counts: Vec<(TokenKind, usize)>,
}

impl Open {
    const fn is_empty(&self) -> bool {
        self.stack.is_empty()
    }

    fn count(&mut self, kind: TokenKind) -> &mut usize {
        let place = self.counts.iter().position(|(counted, _)| *counted == kind);
        let place = place.unwrap_or_else(|| {
            self.counts.push((kind, 0));
            self.counts.len() - 1
        });
        &mut self.counts[place].1
    }

    fn open(&mut self, kind: TokenKind) {
        *self.count(kind) += 1;
        self.stack.push(kind);
    }

    /// Closes the innermost bracket that `opener` began, and what is open within it.
    fn close(&mut self, opener: TokenKind) {
        let is_interpolation = opener == TokenKind::Interpolation;
        let same =
            |kind: TokenKind| kind == opener || (is_interpolation && kind == TokenKind::Directive);
        let directives = if is_interpolation {
            *self.count(TokenKind::Directive)
        } else {
            0
        };
        if *self.count(opener) + directives == 0 {
            return;
        }
        while let Some(kind) = self.stack.pop() {
            *self.count(kind) -= 1;
            if same(kind) {
                return;
            }
        }
    }
}
