//! Templates: quoted strings, heredocs, and texts that are templates as a whole.

use std::borrow::Cow;

use terrace_diag::{Diagnostic, Span};
use terrace_value::{Kind, Value};

use super::{Lost, MAX_NESTING, Parsed, Parser};
use crate::suggest::suggestion;
use crate::token::{Token, TokenKind};
use crate::{Expr, ExprKind, ForExpr, Ident};

/// A piece of a template, before directives are matched.
enum Part<'a> {
    Literal {
        text: Cow<'a, str>,
        span: Span,
    },
    Interpolation(Expr),
    If {
        condition: Expr,
        span: Span,
    },
    For {
        key_name: Option<Ident>,
        value_name: Ident,
        collection: Expr,
        span: Span,
    },
    /// `else`, `endif` or `endfor`.
    End {
        keyword: &'static str,
        span: Span,
    },
}

/// A directive whose end has not been met.
enum Open {
    If {
        condition: Expr,
        span: Span,
        if_true: Option<(Vec<Expr>, Span)>,
    },
    For {
        key_name: Option<Ident>,
        value_name: Ident,
        collection: Expr,
        span: Span,
    },
}

impl<'a> Parser<'a> {
    /// The template up to `end`, which is taken. `open` is what began it.
    pub(super) fn template(&mut self, end: TokenKind, flush: bool, open: Span) -> Parsed<Expr> {
        let (mut parts, end_span) = self.template_parts(end, open)?;
        if flush {
            flush_left(&mut parts);
        }
        let span = open.to(end_span);
        if let [Part::Interpolation(_)] = parts.as_slice()
            && let Some(Part::Interpolation(inner)) = parts.pop()
        {
            return Ok(Expr {
                kind: ExprKind::TemplateWrap(Box::new(inner)),
                span,
            });
        }
        let parts = self.match_directives(parts, end_span);
        Ok(Expr {
            kind: ExprKind::Template(parts),
            span,
        })
    }

    fn template_parts(&mut self, end: TokenKind, open: Span) -> Parsed<(Vec<Part<'a>>, Span)> {
        let mut parts: Vec<Part<'a>> = Vec::new();
        let mut trim_next = false;
        loop {
            let token = self.tokens[self.position];
            if token.kind == end {
                self.next_in_template();
                return Ok((parts, self.span_of(token)));
            }
            self.next_in_template();
            match token.kind {
                TokenKind::QuoteText | TokenKind::Text => {
                    let mut text = if token.kind == TokenKind::QuoteText {
                        self.quoted_text(token)
                    } else {
                        self.plain_text(token)
                    };
                    if std::mem::take(&mut trim_next) {
                        trim_start(&mut text);
                    }
                    parts.push(Part::Literal {
                        text,
                        span: self.span_of(token),
                    });
                }
                TokenKind::Interpolation | TokenKind::Directive => {
                    if token.bytes(self.text).ends_with(b"~")
                        && let Some(Part::Literal { text, .. }) = parts.last_mut()
                    {
                        trim_end(text);
                    }
                    let (part, trims) =
                        self.with_newlines(false, |parser| parser.sequence(token, open, end))?;
                    trim_next = trims;
                    parts.push(part);
                }
                kind if kind.is_problem() && kind != TokenKind::QuoteNewline => return Err(Lost),
                _ => {
                    let detail = "No closing marker was found for the string.";
                    self.report_within(
                        "unterminated-template",
                        "Unterminated template string",
                        detail,
                        token,
                        open,
                    );
                    return Err(Lost);
                }
            }
        }
    }

    /// Takes the token at the very place; within a template, no line end may be passed over.
    fn next_in_template(&mut self) {
        if self.tokens[self.position].kind != TokenKind::End {
            self.position += 1;
        }
    }

    /// An interpolation or directive after its opening token, and whether its end trims the text after it.
    fn sequence(&mut self, start: Token, open: Span, end: TokenKind) -> Parsed<(Part<'a>, bool)> {
        if start.kind == TokenKind::Interpolation {
            let expr = self.expression()?;
            let close = self.peek();
            if close.kind != TokenKind::SequenceClose {
                self.report_unclosed_interpolation(close, open, end);
                return Err(Lost);
            }
            let trims = self.next().len() == 2;
            return Ok((Part::Interpolation(expr), trims));
        }
        let keyword = self.peek();
        let part = self.directive(start)?;
        let close = self.peek();
        if close.kind != TokenKind::SequenceClose {
            let summary = format!("Extra characters in {} marker", self.text_of(keyword));
            let detail =
                "Expected a closing brace to end the sequence, but found extra characters.";
            self.report_within("unclosed-directive", &summary, detail, close, open);
            return Err(Lost);
        }
        let trims = self.next().len() == 2;
        Ok((part, trims))
    }

    fn report_unclosed_interpolation(&mut self, close: Token, open: Span, end: TokenKind) {
        let unclosed = "Unclosed template interpolation sequence";
        let extra = "Extra characters after interpolation expression";
        let id = "unclosed-interpolation";
        match close.kind {
            TokenKind::End => self.tell(Diagnostic::error(id, unclosed, "There is no closing brace for this interpolation sequence before the end of the file. This might be caused by incorrect nesting inside the given expression.").at(open)),
            TokenKind::QuoteOpen | TokenKind::QuoteClose if end == TokenKind::QuoteClose => self.tell(Diagnostic::error(id, unclosed, "There is no closing brace for this interpolation sequence before the end of the quoted template. This might be caused by incorrect nesting inside the given expression.").at(open)),
            TokenKind::Colon => self.report_within(id, extra, "Template interpolation doesn't expect a colon at this location. Did you intend this to be a literal sequence to be processed as part of another language? If so, you can escape it by starting with \"$${\" instead of just \"${\".", close, open),
            _ => self.report_within(id, extra, "Expected a closing brace to end the interpolation expression, but found extra characters.\n\nThis can happen when you include interpolation syntax for another language, such as shell scripting, but forget to escape the interpolation start token. If this is an embedded sequence for another language, escape it by starting with \"$${\" instead of just \"${\".", close, open),
        }
    }

    /// What stands in a directive, up to its closing brace.
    fn directive(&mut self, start: Token) -> Parsed<Part<'a>> {
        let Some(keyword) = self.eat(TokenKind::Ident) else {
            let found = self.peek();
            let detail = "A template directive keyword (\"if\", \"for\", etc) is expected at the beginning of a %{ sequence.";
            let context = self.span_of(start);
            self.report_within(
                "invalid-directive",
                "Invalid template directive",
                detail,
                found,
                context,
            );
            return Err(Lost);
        };
        let end = |parser: &Self, keyword| {
            let span = parser.span(start.start, parser.peek().end);
            Ok(Part::End { keyword, span })
        };
        match self.text_of(keyword) {
            "if" => {
                let condition = self.expression()?;
                let span = self.span(start.start, self.peek().end);
                Ok(Part::If { condition, span })
            }
            "for" => self.for_directive(start),
            "else" => end(self, "else"),
            "endif" => end(self, "endif"),
            "endfor" => end(self, "endfor"),
            given => {
                let did_you_mean = suggestion(given, ["if", "for", "else", "endif", "endfor"])
                    .map_or_else(String::new, |name| format!(" Did you mean \"{name}\"?"));
                let detail =
                    format!("\"{given}\" is not a valid template control keyword.{did_you_mean}");
                let context = self.span_of(start);
                self.report_within(
                    "invalid-directive",
                    "Invalid template control keyword",
                    detail,
                    keyword,
                    context,
                );
                Err(Lost)
            }
        }
    }

    fn for_directive(&mut self, start: Token) -> Parsed<Part<'a>> {
        let bad = |parser: &mut Self, detail: &str| {
            let found = parser.peek();
            let context = parser.span_of(start);
            parser.report_within(
                "invalid-directive",
                "Invalid 'for' directive",
                detail,
                found,
                context,
            );
            Lost
        };
        let Some(first) = self.eat(TokenKind::Ident) else {
            return Err(bad(
                self,
                "For directive requires variable name after 'for'.",
            ));
        };
        let (key_name, value_name) = if self.eat(TokenKind::Comma).is_some() {
            let Some(second) = self.eat(TokenKind::Ident) else {
                return Err(bad(
                    self,
                    "For directive requires value variable name after comma.",
                ));
            };
            (Some(self.ident(first)), self.ident(second))
        } else {
            (None, self.ident(first))
        };
        if !self.at_keyword("in") {
            return Err(bad(
                self,
                "For directive requires 'in' keyword after names.",
            ));
        }
        self.next();
        let collection = self.expression()?;
        let span = self.span(start.start, self.peek().end);
        Ok(Part::For {
            key_name,
            value_name,
            collection,
            span,
        })
    }

    /// Puts what stands between directives into them, and joins neighbouring literals.
    fn match_directives(&mut self, parts: Vec<Part<'a>>, end_span: Span) -> Vec<Expr> {
        let mut outer: Vec<(Open, Vec<Expr>)> = Vec::new();
        let mut content: Vec<Expr> = Vec::new();
        let mut literal = Literal::default();
        for part in parts {
            let part = match part {
                Part::Literal { text, span } => {
                    literal.push(text, span);
                    continue;
                }
                part => part,
            };
            literal.finish(&mut content);
            match part {
                Part::Literal { .. } => {}
                Part::Interpolation(expr) => content.push(expr),
                Part::If { condition, span } => {
                    let open = Open::If {
                        condition,
                        span,
                        if_true: None,
                    };
                    outer.push((open, std::mem::take(&mut content)));
                }
                Part::For {
                    key_name,
                    value_name,
                    collection,
                    span,
                } => {
                    let open = Open::For {
                        key_name,
                        value_name,
                        collection,
                        span,
                    };
                    outer.push((open, std::mem::take(&mut content)));
                }
                Part::End { keyword, span } => {
                    self.end_directive(keyword, span, &mut outer, &mut content);
                }
            }
            if outer.len() > MAX_NESTING as usize {
                self.report_deep_template(end_span);
                return Vec::new();
            }
        }
        literal.finish(&mut content);
        // Only the innermost is told: what is missing for the others may well follow from it.
        if let Some((open, _)) = outer.last() {
            let (keyword, end, span) = match open {
                Open::If { span, .. } => ("if", "endif", *span),
                Open::For { span, .. } => ("for", "endfor", *span),
            };
            let place = self.place_in_words(span);
            let detail = format!(
                "The {keyword} directive at {place} is missing its corresponding {end} directive."
            );
            let diagnostic =
                Diagnostic::error("unclosed-directive", "Unexpected end of template", detail);
            self.tell(diagnostic.at(end_span).within(span.to(end_span)));
        }
        content
    }

    fn report_deep_template(&mut self, span: Span) {
        let detail = format!(
            "Template directives can nest in each other to {MAX_NESTING} levels, which this exceeds."
        );
        self.tell(Diagnostic::error("nested-too-deep", "Nested too deeply", detail).at(span));
    }

    /// Ends the innermost open directive by `keyword`, or reports that it does not fit.
    fn end_directive(
        &mut self,
        keyword: &'static str,
        span: Span,
        outer: &mut Vec<(Open, Vec<Expr>)>,
        content: &mut Vec<Expr>,
    ) {
        let detail = match (outer.last_mut().map(|(open, _)| open), keyword) {
            (
                Some(Open::If {
                    if_true: if_true @ None,
                    ..
                }),
                "else",
            ) => {
                *if_true = Some((std::mem::take(content), span));
                return;
            }
            (Some(Open::If { span: start, .. }), "else") => {
                let start = *start;
                format!(
                    "Already in the else clause for the if started at {}.",
                    self.place_in_words(start)
                )
            }
            (Some(Open::If { .. }), "endif") | (Some(Open::For { .. }), "endfor") => {
                if let Some((open, around)) = outer.pop() {
                    let inner = std::mem::replace(content, around);
                    content.push(closed(open, inner, span));
                }
                return;
            }
            (Some(Open::For { .. }), "else") => {
                "An else clause is not expected for a for directive.".to_owned()
            }
            (Some(Open::If { span: start, .. }), _) => {
                let start = *start;
                format!(
                    "Expecting an endif directive for the if started at {}.",
                    self.place_in_words(start)
                )
            }
            (Some(Open::For { span: start, .. }), _) => {
                let start = *start;
                let place = self.place_in_words(start);
                format!(
                    "Expecting an endfor directive corresponding to the for directive at {place}."
                )
            }
            (None, _) => "The control directives within this template are unbalanced.".to_owned(),
        };
        let summary = format!("Unexpected {keyword} directive");
        self.tell(Diagnostic::error("unbalanced-directive", summary, detail).at(span));
        // Whatever it was meant to end, its own kind of directive has ended.
        if let Some((open, around)) = outer.pop() {
            let inner = std::mem::replace(content, around);
            content.push(closed(open, inner, span));
        }
    }
}

/// The expression of a directive that ends at `end`.
fn closed(open: Open, content: Vec<Expr>, end: Span) -> Expr {
    let template = |parts: Vec<Expr>, empty: Span| {
        let span = match (parts.first(), parts.last()) {
            (Some(first), Some(last)) => first.span.to(last.span),
            _ => empty,
        };
        Expr {
            kind: ExprKind::Template(parts),
            span,
        }
    };
    match open {
        Open::If {
            condition,
            span,
            if_true,
        } => {
            let (if_true, if_false) = match if_true {
                Some((if_true, _)) => (if_true, content),
                None => (content, Vec::new()),
            };
            let kind = ExprKind::Conditional {
                condition: Box::new(condition),
                if_true: Box::new(template(if_true, span.at_end())),
                if_false: Box::new(template(if_false, end.at_start())),
            };
            Expr {
                kind,
                span: span.to(end),
            }
        }
        Open::For {
            key_name,
            value_name,
            collection,
            span,
        } => {
            let value = template(content, span.at_end());
            let each = ForExpr {
                key_name,
                value_name,
                collection,
                key: None,
                value,
                condition: None,
                group: false,
                open_span: span,
            };
            let whole = span.to(end);
            let each = Expr {
                kind: ExprKind::For(Box::new(each)),
                span: whole,
            };
            Expr {
                kind: ExprKind::TemplateJoin(Box::new(each)),
                span: whole,
            }
        }
    }
}

/// Neighbouring literal parts on their way to become one.
#[derive(Default)]
struct Literal<'a> {
    text: Cow<'a, str>,
    span: Option<Span>,
}

impl<'a> Literal<'a> {
    fn push(&mut self, text: Cow<'a, str>, span: Span) {
        match self.span {
            None => {
                self.text = text;
                self.span = Some(span);
            }
            Some(before) => {
                self.text.to_mut().push_str(&text);
                self.span = Some(before.to(span));
            }
        }
    }

    fn finish(&mut self, content: &mut Vec<Expr>) {
        if let Some(span) = self.span.take() {
            let value = string(&std::mem::take(&mut self.text));
            content.push(Expr {
                kind: ExprKind::Literal(value),
                span,
            });
        }
    }
}

/// A string value; plain ASCII needs no normal form.
pub(crate) fn string(text: &str) -> Value {
    if text.is_ascii() {
        Value::from_kind(Kind::String(text.into()))
    } else {
        Value::string(text)
    }
}

fn trim_start(text: &mut Cow<'_, str>) {
    match text {
        Cow::Borrowed(text) => *text = text.trim_start(),
        Cow::Owned(text) => *text = text.trim_start().to_owned(),
    }
}

fn trim_end(text: &mut Cow<'_, str>) {
    match text {
        Cow::Borrowed(text) => *text = text.trim_end(),
        Cow::Owned(text) => text.truncate(text.trim_end().len()),
    }
}

/// Takes from each line as much indentation as the least indented one has, as `<<-` asks. Blank lines neither count
/// nor change; a line that begins with a sequence has no indentation.
fn flush_left(parts: &mut [Part<'_>]) {
    let indentation = |text: &str| {
        let trimmed = text.trim_start();
        let blank = trimmed.is_empty() && text.ends_with('\n');
        (!blank).then(|| text[..text.len() - trimmed.len()].chars().count())
    };
    let mut least: Option<usize> = None;
    let mut leading = Vec::new();
    let mut line_start = true;
    for (index, part) in parts.iter().enumerate() {
        let literal = match part {
            Part::Literal { text, .. } => Some(text),
            _ => None,
        };
        if line_start {
            let spaces = literal.map_or(Some(0), |text| indentation(text));
            if let Some(spaces) = spaces {
                least = Some(least.map_or(spaces, |least| least.min(spaces)));
                leading.push(index);
            }
        }
        line_start = literal.is_some_and(|text| text.ends_with('\n'));
    }
    let Some(least) = least.filter(|least| *least > 0) else {
        return;
    };
    for index in leading {
        if let Part::Literal { text, span } = &mut parts[index] {
            let cut = text
                .char_indices()
                .nth(least)
                .map_or(text.len(), |(cut, _)| cut);
            span.start += u32::try_from(cut).unwrap_or(0).min(span.len());
            match text {
                Cow::Borrowed(text) => *text = &text[cut..],
                Cow::Owned(text) => {
                    text.drain(..cut);
                }
            }
        }
    }
}
