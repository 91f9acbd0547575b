//! Expressions.

use terrace_diag::{Diagnostic, Span};
use terrace_value::{Number, Text, Value};

use super::{Lost, MAX_CHAIN, Parsed, Parser};
use crate::token::{Token, TokenKind};
use crate::{
    BinaryOp, Call, Expr, ExprKind, ForExpr, Ident, ObjectItem, ObjectKey, Step, Traversal, UnaryOp,
};

/// How tightly an operator binds, and which one it is.
const fn binary_operator(kind: TokenKind) -> Option<(u8, BinaryOp)> {
    Some(match kind {
        TokenKind::OrOr => (1, BinaryOp::Or),
        TokenKind::AndAnd => (2, BinaryOp::And),
        TokenKind::EqualEqual => (3, BinaryOp::Equal),
        TokenKind::BangEqual => (3, BinaryOp::NotEqual),
        TokenKind::Greater => (4, BinaryOp::Greater),
        TokenKind::GreaterEqual => (4, BinaryOp::GreaterOrEqual),
        TokenKind::Less => (4, BinaryOp::Less),
        TokenKind::LessEqual => (4, BinaryOp::LessOrEqual),
        TokenKind::Plus => (5, BinaryOp::Add),
        TokenKind::Minus => (5, BinaryOp::Subtract),
        TokenKind::Star => (6, BinaryOp::Multiply),
        TokenKind::Slash => (6, BinaryOp::Divide),
        TokenKind::Percent => (6, BinaryOp::Modulo),
        _ => return None,
    })
}

impl Parser<'_> {
    /// Any expression: conditionals bind loosest.
    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        self.nested(|parser| {
            let condition = parser.operation(0)?;
            if parser.eat(TokenKind::Question).is_none() {
                return Ok(condition);
            }
            let if_true = parser.expression()?;
            if parser.eat(TokenKind::Colon).is_none() {
                let found = parser.peek();
                let detail = "The conditional operator (...?...:...) requires a false expression, delimited by a colon.";
                let context = condition.span;
                parser.report_within(
                    "invalid-conditional",
                    "Missing false expression in conditional",
                    detail,
                    found,
                    context,
                );
                return Err(Lost);
            }
            let if_false = parser.expression()?;
            let span = condition.span.to(if_false.span);
            let kind = ExprKind::Conditional {
                condition: Box::new(condition),
                if_true: Box::new(if_true),
                if_false: Box::new(if_false),
            };
            Ok(Expr { kind, span })
        })
    }

    /// Operands and the operators between them that bind tighter than `level`.
    fn operation(&mut self, level: u8) -> Parsed<Expr> {
        let mut left = self.operand()?;
        let mut length = 0;
        while let Some((tightness, op)) =
            binary_operator(self.peek().kind).filter(|(tightness, _)| *tightness > level)
        {
            length += 1;
            self.check_chain(length)?;
            self.next();
            let right = self.operation(tightness)?;
            let span = left.span.to(right.span);
            left = Expr {
                kind: ExprKind::Binary {
                    op,
                    left: Box::new(left),
                    right: Box::new(right),
                },
                span,
            };
        }
        Ok(left)
    }

    fn check_chain(&mut self, length: usize) -> Parsed<()> {
        if length <= MAX_CHAIN {
            return Ok(());
        }
        let token = self.peek();
        self.report(
            "chain-too-long",
            "Too many operators",
            format!("One expression can chain {MAX_CHAIN} operators, which this exceeds. Move parts into local values, or use a function of a list such as sum, anytrue or join."),
            token,
        );
        Err(Lost)
    }

    /// A term with its signs and steps.
    fn operand(&mut self) -> Parsed<Expr> {
        let mut signs = Vec::new();
        loop {
            let token = self.peek();
            let op = match token.kind {
                TokenKind::Minus => UnaryOp::Negate,
                TokenKind::Bang => UnaryOp::Not,
                _ => break,
            };
            self.next();
            signs.push((op, self.span_of(token)));
            self.check_chain(signs.len())?;
        }
        let term = self.term()?;
        let mut operand = self.steps(term)?;
        while let Some((op, sign)) = signs.pop() {
            let span = sign.to(operand.span);
            operand = Expr {
                kind: ExprKind::Unary {
                    op,
                    operand: Box::new(operand),
                },
                span,
            };
        }
        Ok(operand)
    }

    fn term(&mut self) -> Parsed<Expr> {
        let start = self.peek();
        match start.kind {
            TokenKind::Ident => {
                self.next();
                self.after_name(start)
            }
            TokenKind::Number => {
                self.next();
                let value = self.number(start)?;
                Ok(Expr {
                    kind: ExprKind::Literal(value),
                    span: self.span_of(start),
                })
            }
            TokenKind::QuoteOpen => {
                self.next();
                self.template(TokenKind::QuoteClose, false, self.span_of(start))
            }
            TokenKind::HeredocOpen => {
                self.next();
                let flush = start.bytes(self.text).starts_with(b"<<-");
                self.template(TokenKind::HeredocClose, flush, self.span_of(start))
            }
            TokenKind::OpenParen => self.parentheses(),
            TokenKind::OpenBracket => self.tuple(),
            TokenKind::OpenBrace => self.object(),
            TokenKind::End => {
                let detail = "Expected the start of an expression, but found the end of the file.";
                self.report("missing-expression", "Missing expression", detail, start);
                Err(Lost)
            }
            _ => {
                let detail =
                    "Expected the start of an expression, but found an invalid expression token.";
                self.report("invalid-expression", "Invalid expression", detail, start);
                Err(Lost)
            }
        }
    }

    fn number(&mut self, token: Token) -> Parsed<Value> {
        if let Some(number) = Number::parse(self.text_of(token)) {
            return Ok(Value::number(number));
        }
        let detail = "Failed to recognize the value of this number literal.";
        self.report("invalid-number", "Invalid number literal", detail, token);
        Err(Lost)
    }

    /// A keyword, a call or a variable, by its first name.
    fn after_name(&mut self, name: Token) -> Parsed<Expr> {
        if matches!(
            self.peek().kind,
            TokenKind::OpenParen | TokenKind::DoubleColon
        ) {
            return self.call(name);
        }
        let span = self.span_of(name);
        let kind = match self.text_of(name) {
            "true" => ExprKind::Literal(Value::TRUE),
            "false" => ExprKind::Literal(Value::FALSE),
            "null" => ExprKind::Literal(Value::NULL),
            _ => ExprKind::Traversal(Traversal {
                root: self.ident(name),
                steps: Vec::new(),
            }),
        };
        Ok(Expr { kind, span })
    }

    fn parentheses(&mut self) -> Parsed<Expr> {
        let open = self.next();
        let (inner, close) = self.with_newlines(false, |parser| {
            let inner = parser.expression()?;
            let close = parser.peek();
            if close.kind != TokenKind::CloseParen {
                let detail = "Expected a closing parenthesis to terminate the expression.";
                let context = parser.span_of(open);
                parser.report_within(
                    "unbalanced-parentheses",
                    "Unbalanced parentheses",
                    detail,
                    close,
                    context,
                );
                return Err(Lost);
            }
            parser.next();
            Ok((inner, close))
        })?;
        let span = self.span_of(open).to(self.span_of(close));
        Ok(Expr {
            kind: ExprKind::Parens(Box::new(inner)),
            span,
        })
    }

    /// Attribute access, indexes and splats after a term.
    fn steps(&mut self, mut expr: Expr) -> Parsed<Expr> {
        let start = expr.span;
        loop {
            expr = match self.peek().kind {
                TokenKind::Dot => self.dot_step(expr, start)?,
                TokenKind::OpenBracket => self.bracket_step(expr, start)?,
                _ => return Ok(expr),
            };
        }
    }

    fn dot_step(&mut self, source: Expr, start: Span) -> Parsed<Expr> {
        let dot = self.next();
        let token = self.peek();
        match token.kind {
            TokenKind::Ident | TokenKind::Number => {
                self.next();
                let step = self.dotted(dot, token, false)?;
                Ok(with_step(source, step))
            }
            TokenKind::Star => {
                self.next();
                self.attribute_splat(
                    source,
                    start,
                    Token {
                        end: token.end,
                        ..dot
                    },
                )
            }
            _ => {
                self.report_missing_name(token);
                Err(Lost)
            }
        }
    }

    fn report_missing_name(&mut self, token: Token) {
        let detail = "An attribute name is required after a dot.";
        self.report(
            "missing-attribute-name",
            "Invalid attribute name",
            detail,
            token,
        );
    }

    /// The step of a dot and the name or number after it.
    fn dotted(&mut self, dot: Token, token: Token, in_splat: bool) -> Parsed<Step> {
        let span = self.span(dot.start, token.end);
        if token.kind == TokenKind::Ident {
            return Ok(Step::Attribute(Ident {
                name: self.name(self.text_of(token)),
                span,
            }));
        }
        if let Some((first, second)) = self.text_of(token).split_once('.') {
            let syntax = if in_splat {
                " with a full splat expression [*]"
            } else {
                ""
            };
            let detail = format!(
                "When using the legacy index syntax, chaining two indexes together is not permitted. Use the proper index syntax{syntax} instead, like [{first}][{second}]."
            );
            self.report("legacy-index", "Invalid legacy index syntax", detail, token);
            return Err(Lost);
        }
        let key = self.number(token)?;
        Ok(Step::Index { key, span })
    }

    /// `.*` and the names and numbers after it, which are done to each element. `marker` is the `.*`.
    fn attribute_splat(&mut self, source: Expr, start: Span, marker: Token) -> Parsed<Expr> {
        let marker_span = self.span_of(marker);
        let mut each = Expr {
            kind: ExprKind::SplatItem,
            span: marker_span,
        };
        while let Some(dot) = self.eat(TokenKind::Dot) {
            let token = self.peek();
            match token.kind {
                TokenKind::Ident | TokenKind::Number => {
                    self.next();
                    let step = self.dotted(dot, token, true)?;
                    each = with_step(each, step);
                }
                TokenKind::Star => {
                    let detail = "A splat expression (*) cannot be used inside another attribute-only splat expression.";
                    self.report(
                        "nested-splat",
                        "Nested splat expression not allowed",
                        detail,
                        token,
                    );
                    return Err(Lost);
                }
                _ => {
                    self.report_missing_name(token);
                    return Err(Lost);
                }
            }
        }
        if let ExprKind::RelativeTraversal { steps, .. } = &each.kind {
            each.span = steps
                .iter()
                .map(Step::span)
                .reduce(Span::to)
                .unwrap_or(each.span);
        }
        Ok(splat(source, each, marker_span, start))
    }

    fn bracket_step(&mut self, source: Expr, start: Span) -> Parsed<Expr> {
        let open = self.next();
        if self.peek().kind == TokenKind::Star {
            self.next();
            let close = self.next();
            if close.kind != TokenKind::CloseBracket {
                let detail = "The star for a full splat operator must be immediately followed by a closing bracket (\"]\").";
                self.report(
                    "unclosed-index",
                    "Missing close bracket on splat index",
                    detail,
                    close,
                );
                return Err(Lost);
            }
            let marker_span = self.span(open.start, close.end);
            let item = Expr {
                kind: ExprKind::SplatItem,
                span: marker_span,
            };
            let each = self.nested(|parser| parser.steps(item))?;
            return Ok(splat(source, each, marker_span, start));
        }
        let (key, close) = self.with_newlines(false, |parser| {
            let key = parser.expression()?;
            let close = parser.next();
            if close.kind != TokenKind::CloseBracket {
                let detail = "The index operator must end with a closing bracket (\"]\").";
                parser.report(
                    "unclosed-index",
                    "Missing close bracket on index",
                    detail,
                    close,
                );
                return Err(Lost);
            }
            Ok((key, close))
        })?;
        let bracket_span = self.span(open.start, close.end);
        if let Some(key) = constant_key(&key) {
            return Ok(with_step(
                source,
                Step::Index {
                    key,
                    span: bracket_span,
                },
            ));
        }
        let kind = ExprKind::Index {
            collection: Box::new(source),
            key: Box::new(key),
            bracket_span,
        };
        Ok(Expr {
            kind,
            span: start.to(bracket_span),
        })
    }

    /// A call, by the first name of its function.
    fn call(&mut self, first: Token) -> Parsed<Expr> {
        let first_span = self.span_of(first);
        // Namespaces are rare: most names are one part, which is shared.
        let mut parts = String::new();
        let mut name_span = first_span;
        let mut open = self.next();
        while open.kind == TokenKind::DoubleColon {
            let part = self.next();
            if part.kind != TokenKind::Ident {
                let detail = "Function scope resolution symbol :: must be followed by a function name in this scope.";
                self.report_within(
                    "missing-function-name",
                    "Missing function name",
                    detail,
                    part,
                    first_span,
                );
                return Err(Lost);
            }
            if parts.is_empty() {
                parts.push_str(self.text_of(first));
            }
            parts.push_str("::");
            parts.push_str(self.text_of(part));
            name_span = first_span.to(self.span_of(part));
            open = self.next();
        }
        let name: Text = if parts.is_empty() {
            self.name(self.text_of(first))
        } else {
            parts.into()
        };
        if open.kind != TokenKind::OpenParen {
            let detail = "Function selector must be followed by an open parenthesis to begin the function call.";
            self.report_within(
                "missing-parenthesis",
                "Missing open parenthesis",
                detail,
                open,
                first_span,
            );
            return Err(Lost);
        }
        let open_span = self.span_of(open);
        let (args, expand_final, close_span) = self.with_newlines(false, |parser| {
            parser.arguments(Token {
                end: open.end,
                ..first
            })
        })?;
        let span = name_span.to(close_span);
        let call = Call {
            name,
            name_span,
            args,
            expand_final,
            open_span,
            close_span,
        };
        Ok(Expr {
            kind: ExprKind::Call(Box::new(call)),
            span,
        })
    }

    /// Arguments to the closing parenthesis; whether the last is expanded; and where that parenthesis stands.
    /// `head` is the function's name with the opening parenthesis.
    fn arguments(&mut self, head: Token) -> Parsed<(Vec<Expr>, bool, Span)> {
        let mut args = Vec::new();
        loop {
            if let Some(close) = self.eat(TokenKind::CloseParen) {
                return Ok((args, false, self.span_of(close)));
            }
            args.push(self.expression()?);
            let separator = self.next();
            match separator.kind {
                TokenKind::Comma => {}
                TokenKind::CloseParen => return Ok((args, false, self.span_of(separator))),
                TokenKind::Ellipsis => {
                    if let Some(close) = self.eat(TokenKind::CloseParen) {
                        return Ok((args, true, self.span_of(close)));
                    }
                    let detail = "An expanded function argument (with ...) must be immediately followed by closing parentheses.";
                    let context = self.span_of(head);
                    self.report_within(
                        "unclosed-call",
                        "Missing closing parenthesis",
                        detail,
                        separator,
                        context,
                    );
                    return Err(Lost);
                }
                TokenKind::End => {
                    let detail = "There is no closing parenthesis for this function call before the end of the file. This may be caused by incorrect parenthesis nesting elsewhere in this file.";
                    self.report("unclosed-call", "Unterminated function call", detail, head);
                    return Err(Lost);
                }
                _ => {
                    let detail =
                        "A comma is required to separate each function argument from the next.";
                    let context = self.span_of(head);
                    self.report_within(
                        "missing-separator",
                        "Missing argument separator",
                        detail,
                        separator,
                        context,
                    );
                    return Err(Lost);
                }
            }
        }
    }

    fn tuple(&mut self) -> Parsed<Expr> {
        let open = self.next();
        self.with_newlines(false, |parser| {
            if parser.at_keyword("for") {
                return parser.for_expression(open);
            }
            let mut items = Vec::new();
            loop {
                if let Some(close) = parser.eat(TokenKind::CloseBracket) {
                    let span = parser.span(open.start, close.end);
                    return Ok(Expr { kind: ExprKind::Tuple(items), span });
                }
                items.push(parser.expression()?);
                let next = parser.peek();
                match next.kind {
                    TokenKind::CloseBracket => {}
                    TokenKind::Comma => {
                        parser.next();
                    }
                    TokenKind::End => {
                        let detail = "There is no corresponding closing bracket before the end of the file. This may be caused by incorrect bracket nesting elsewhere in this file.";
                        parser.report("unclosed-tuple", "Unterminated tuple constructor expression", detail, open);
                        return Err(Lost);
                    }
                    _ => {
                        let detail = "Expected a comma to mark the beginning of the next item.";
                        let context = parser.span_of(open);
                        parser.report_within("missing-separator", "Missing item separator", detail, next, context);
                        return Err(Lost);
                    }
                }
            }
        })
    }

    fn object(&mut self) -> Parsed<Expr> {
        let open = self.next();
        // Line ends count between the items of an object, but not in a `for` expression.
        if self.with_newlines(false, |parser| parser.at_keyword("for")) {
            return self.with_newlines(false, |parser| parser.for_expression(open));
        }
        self.with_newlines(true, |parser| {
            let mut items = Vec::new();
            loop {
                let next = parser.peek();
                match next.kind {
                    TokenKind::Newline => {
                        parser.next();
                    }
                    TokenKind::CloseBrace => {
                        parser.next();
                        let span = parser.span(open.start, next.end);
                        return Ok(Expr {
                            kind: ExprKind::Object(items),
                            span,
                        });
                    }
                    _ => {
                        items.push(parser.object_item(open)?);
                        parser.end_of_object_item(open)?;
                    }
                }
            }
        })
    }

    fn object_item(&mut self, open: Token) -> Parsed<ObjectItem> {
        let key = self.expression()?;
        let separator = self.peek();
        if !matches!(separator.kind, TokenKind::Equal | TokenKind::Colon) {
            self.report_missing_value(separator, open);
            return Err(Lost);
        }
        self.next();
        let value = self.expression()?;
        Ok(ObjectItem {
            key: self.object_key(key),
            value,
        })
    }

    /// A bare name stands for itself as a key, also where it would be a keyword elsewhere.
    fn object_key(&mut self, key: Expr) -> ObjectKey {
        let name = match &key.kind {
            ExprKind::Traversal(traversal) if traversal.steps.is_empty() => {
                Some(traversal.root.name.clone())
            }
            ExprKind::Literal(value) if value.is_null() => Some(self.name("null")),
            ExprKind::Literal(value) => value
                .as_bool()
                .map(|value| self.name(if value { "true" } else { "false" })),
            _ => None,
        };
        match name {
            Some(name) => ObjectKey::Name(Ident {
                name,
                span: key.span,
            }),
            None => ObjectKey::Expr(key),
        }
    }

    fn report_missing_value(&mut self, found: Token, open: Token) {
        let (summary, detail) = match found.kind {
            TokenKind::Newline | TokenKind::Comma => (
                "Missing attribute value",
                "Expected an attribute value, introduced by an equals sign (\"=\").",
            ),
            TokenKind::Ident => (
                "Missing key/value separator",
                "Expected an equals sign (\"=\") to mark the beginning of the attribute value. If you intended to given an attribute name containing periods or spaces, write the name in quotes to create a string literal.",
            ),
            TokenKind::End => return self.report_unclosed_object(open),
            _ => (
                "Missing key/value separator",
                "Expected an equals sign (\"=\") to mark the beginning of the attribute value.",
            ),
        };
        let context = self.span_of(open);
        self.report_within("missing-value", summary, detail, found, context);
    }

    fn report_unclosed_object(&mut self, open: Token) {
        let detail = "There is no corresponding closing brace before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file.";
        self.report(
            "unclosed-object",
            "Unterminated object constructor expression",
            detail,
            open,
        );
    }

    fn end_of_object_item(&mut self, open: Token) -> Parsed<()> {
        let next = self.peek();
        match next.kind {
            TokenKind::CloseBrace => Ok(()),
            TokenKind::Comma | TokenKind::Newline => {
                self.next();
                Ok(())
            }
            TokenKind::End => {
                self.report_unclosed_object(open);
                Err(Lost)
            }
            _ => {
                let detail =
                    "Expected a newline or comma to mark the beginning of the next attribute.";
                let context = self.span_of(open);
                self.report_within(
                    "missing-separator",
                    "Missing attribute separator",
                    detail,
                    next,
                    context,
                );
                Err(Lost)
            }
        }
    }

    fn report_bad_for(&mut self, open: Token, detail: &str) -> Lost {
        let found = self.peek();
        let context = self.span_of(open);
        self.report_within(
            "invalid-for",
            "Invalid 'for' expression",
            detail,
            found,
            context,
        );
        Lost
    }

    /// `for …` and the closing bracket after it.
    fn for_expression(&mut self, open: Token) -> Parsed<Expr> {
        let keyword = self.next();
        let open_span = self.span(open.start, keyword.end);
        let (close_kind, makes_object) = match open.kind {
            TokenKind::OpenBrace => (TokenKind::CloseBrace, true),
            _ => (TokenKind::CloseBracket, false),
        };
        let Some(first) = self.eat(TokenKind::Ident) else {
            return Err(
                self.report_bad_for(open, "For expression requires variable name after 'for'.")
            );
        };
        let (key_name, value_name) = if self.eat(TokenKind::Comma).is_some() {
            let Some(second) = self.eat(TokenKind::Ident) else {
                return Err(self.report_bad_for(
                    open,
                    "For expression requires value variable name after comma.",
                ));
            };
            (Some(self.ident(first)), self.ident(second))
        } else {
            (None, self.ident(first))
        };
        if !self.at_keyword("in") {
            let detail = "For expression requires the 'in' keyword after its name declarations.";
            return Err(self.report_bad_for(open, detail));
        }
        self.next();
        let collection = self.expression()?;
        if self.eat(TokenKind::Colon).is_none() {
            return Err(self.report_bad_for(
                open,
                "For expression requires a colon after the collection expression.",
            ));
        }
        let mut value = self.expression()?;
        let mut key = None;
        if self.eat(TokenKind::FatArrow).is_some() {
            key = Some(std::mem::replace(&mut value, self.expression()?));
        }
        let ellipsis = self.eat(TokenKind::Ellipsis);
        let condition = if self.at_keyword("if") {
            self.next();
            Some(self.expression()?)
        } else {
            None
        };
        let Some(close) = self.eat(close_kind) else {
            return Err(self.report_bad_for(
                open,
                "Extra characters after the end of the 'for' expression.",
            ));
        };
        let span = self.span(open.start, close.end);
        let parsed = ForExpr {
            key_name,
            value_name,
            collection,
            key,
            value,
            condition,
            group: ellipsis.is_some(),
            open_span,
        };
        self.check_for(&parsed, ellipsis, makes_object, span);
        Ok(Expr {
            kind: ExprKind::For(Box::new(parsed)),
            span,
        })
    }

    /// Reports what does not fit the kind of brackets around a `for` expression.
    fn check_for(
        &mut self,
        parsed: &ForExpr,
        ellipsis: Option<Token>,
        makes_object: bool,
        context: Span,
    ) {
        let misplaced_key = match (&parsed.key, makes_object) {
            (Some(key), false) => Some((
                "Key expression is not valid when building a tuple.",
                key.span,
            )),
            (None, true) => Some((
                "Key expression is required when building an object.",
                parsed.value.span,
            )),
            _ => None,
        };
        let misplaced_ellipsis = ellipsis.filter(|_| !makes_object).map(|token| {
            (
                "Grouping ellipsis (...) cannot be used when building a tuple.",
                self.span_of(token),
            )
        });
        for (detail, span) in [misplaced_key, misplaced_ellipsis].into_iter().flatten() {
            let diagnostic = Diagnostic::error("invalid-for", "Invalid 'for' expression", detail);
            self.tell(diagnostic.at(span).within(context));
        }
    }
}

/// `source` with one more constant step.
fn with_step(mut source: Expr, step: Step) -> Expr {
    let span = source.span.to(step.span());
    match &mut source.kind {
        ExprKind::Traversal(Traversal { steps, .. })
        | ExprKind::RelativeTraversal { steps, .. } => {
            steps.push(step);
            source.span = span;
            source
        }
        _ => Expr {
            kind: ExprKind::RelativeTraversal {
                source: Box::new(source),
                steps: vec![step],
            },
            span,
        },
    }
}

fn splat(source: Expr, each: Expr, marker_span: Span, start: Span) -> Expr {
    let span = start.to(marker_span).to(each.span);
    Expr {
        kind: ExprKind::Splat {
            source: Box::new(source),
            each: Box::new(each),
            marker_span,
        },
        span,
    }
}

/// The key of a constant index: a number, or a string without template sequences.
fn constant_key(key: &Expr) -> Option<Value> {
    match &key.kind {
        ExprKind::Literal(value) if value.as_number().is_some() => Some(value.clone()),
        ExprKind::Template(parts) => match parts.as_slice() {
            [] => Some(Value::string("")),
            [
                Expr {
                    kind: ExprKind::Literal(value),
                    ..
                },
            ] => Some(value.clone()),
            _ => None,
        },
        _ => None,
    }
}
