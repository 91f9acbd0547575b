//! The formatter: canonical spacing, indentation and alignment, token by token; comments and line ends stay.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use terrace_diag::{Diagnostics, SourceId, Span};
use unicode_segmentation::UnicodeSegmentation;

use crate::stack::with_stack;
use crate::token::{Token, TokenKind, tokenize};
use crate::{Attribute, Block, Body, BodyKind, Item, Quoted, parse};

/// Formats a file in native syntax, as `fmt` does.
///
/// Lines stay lines: only spacing within them changes, `=` and trailing comments of neighbouring lines are aligned,
/// labels are quoted, a template that only wraps an expression gives way to it, and old forms of type constraints are
/// made current. A text with syntax errors, which [`parse`] reports, is returned as it is.
pub fn format(text: &str) -> String {
    let (body, diagnostics) = parse(SourceId(0), text.as_bytes());
    if diagnostics.has_errors() {
        return text.to_owned();
    }
    formatted(text, &body)
}

/// Formats a file's bytes like [`format()`]; of a text with syntax errors it gives these, in the source 0. Bytes that are
/// not UTF-8, which only comments may hold, stay as they are.
pub fn format_bytes(bytes: &[u8]) -> Result<Vec<u8>, Diagnostics> {
    let (body, diagnostics) = parse(SourceId(0), bytes);
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(formatted(text, &body).into_bytes());
    }
    let Some(text) = with_stand_ins(bytes) else {
        return Ok(bytes.to_vec());
    };
    let (body, _) = parse(SourceId(0), text.as_bytes());
    Ok(without_stand_ins(&formatted(&text, &body)))
}

/// Letters of no meaning that stand for bytes while these are no text.
const STAND_INS: RangeInclusive<char> = '\u{10FE00}'..='\u{10FEFF}';

/// The bytes as a text, in which letters stand for what is not UTF-8; `None` where the text has such letters itself.
fn with_stand_ins(bytes: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(bytes.len() * 2);
    for chunk in bytes.utf8_chunks() {
        if chunk.valid().contains(|letter| STAND_INS.contains(&letter)) {
            return None;
        }
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push(char::from_u32(
                u32::from(*STAND_INS.start()) + u32::from(*byte),
            )?);
        }
    }
    Some(text)
}

fn without_stand_ins(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for letter in text.chars() {
        let byte = u32::from(letter).wrapping_sub(u32::from(*STAND_INS.start()));
        match u8::try_from(byte) {
            Ok(byte) => bytes.push(byte),
            Err(_) => bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

fn formatted(text: &str, body: &Body) -> String {
    let tokens = tokenize(text.as_bytes());
    let mut rewriting = Rewriting {
        text,
        tokens: &tokens,
        replacements: Vec::new(),
    };
    rewriting.body(body, &mut Vec::new());
    let mut pieces = rewriting.pieces();
    layout(&mut pieces);
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for piece in &pieces {
        out.extend(std::iter::repeat_n(' ', piece.spaces));
        out.push_str(&piece.text);
    }
    out.extend(std::iter::repeat_n(' ', trailing_spaces(&tokens)));
    out
}

/// How many spaces and tabs stand behind the last line end; the reference leaves as many spaces there.
fn trailing_spaces(tokens: &[Token]) -> usize {
    match tokens {
        [
            ..,
            Token {
                kind: TokenKind::Whitespace,
                start,
                end,
            },
            _,
        ] => (end - start) as usize,
        _ => 0,
    }
}

/// A token on its way to the formatted text.
#[derive(Clone, Debug)]
struct Piece<'a> {
    kind: TokenKind,
    text: Cow<'a, str>,
    /// Spaces before it.
    spaces: usize,
}

impl<'a> Piece<'a> {
    fn new(kind: TokenKind, text: impl Into<Cow<'a, str>>) -> Self {
        Self {
            kind,
            text: text.into(),
            spaces: 0,
        }
    }

    fn ends_line(&self) -> bool {
        match self.kind {
            TokenKind::Newline => true,
            TokenKind::Comment => self.text.ends_with('\n'),
            _ => false,
        }
    }

    fn width(&self) -> usize {
        let letters = if self.text.is_ascii() && !self.text.contains('\r') {
            self.text.len()
        } else {
            self.text.graphemes(true).count()
        };
        self.spaces + letters
    }

    /// How it changes the depth of brackets; quotes do not count.
    const fn brackets(&self) -> isize {
        match self.kind {
            TokenKind::OpenBrace
            | TokenKind::OpenBracket
            | TokenKind::OpenParen
            | TokenKind::Interpolation
            | TokenKind::Directive => 1,
            TokenKind::CloseBrace
            | TokenKind::CloseBracket
            | TokenKind::CloseParen
            | TokenKind::SequenceClose => -1,
            _ => 0,
        }
    }
}

/// Tokens `start..end` of a file that give way to others.
struct Replacement<'a> {
    start: usize,
    end: usize,
    by: Vec<Piece<'a>>,
}

/// What changes of a file besides its spacing.
struct Rewriting<'a> {
    text: &'a str,
    tokens: &'a [Token],
    replacements: Vec<Replacement<'a>>,
}

impl<'a> Rewriting<'a> {
    /// Collects what changes in a body that stands in blocks of these types.
    fn body(&mut self, body: &Body, around: &mut Vec<String>) {
        let BodyKind::Native(items) = &body.kind else {
            return;
        };
        for item in items.iter() {
            match item {
                Item::Attribute(attribute) => self.attribute(attribute, around),
                Item::Block(block) => {
                    self.labels(block);
                    around.push(block.type_name.name.to_string());
                    with_stack(|| self.body(&block.body, around));
                    around.pop();
                }
            }
        }
    }

    /// The first token that begins at or after `byte`.
    fn index(&self, byte: u32) -> usize {
        self.tokens.partition_point(|token| token.start < byte)
    }

    fn range(&self, span: Span) -> (usize, usize) {
        (self.index(span.start), self.index(span.end))
    }

    /// The tokens that count among `start..end`.
    fn pieces_of(&self, start: usize, end: usize) -> Vec<Piece<'a>> {
        let counts = |token: &&Token| {
            !matches!(
                token.kind,
                TokenKind::Whitespace | TokenKind::ByteOrderMark | TokenKind::End
            )
        };
        let piece = |token: &Token| {
            Piece::new(
                token.kind,
                &self.text[token.start as usize..token.end as usize],
            )
        };
        self.tokens[start..end]
            .iter()
            .filter(counts)
            .map(piece)
            .collect()
    }

    /// Labels are quoted, one space apart.
    fn labels(&mut self, block: &Block) {
        let Some(last) = block.labels.last() else {
            return;
        };
        let start = self.index(block.type_name.span.end);
        let end = self.index(last.span.end);
        let commented = self.tokens[start..end]
            .iter()
            .any(|token| token.kind == TokenKind::Comment);
        if !commented {
            let by = block.labels.iter().flat_map(quoted_label).collect();
            self.replacements.push(Replacement { start, end, by });
            return;
        }
        for label in &block.labels {
            let (start, end) = self.range(label.span);
            let by = quoted_label(label).collect();
            self.replacements.push(Replacement { start, end, by });
        }
    }

    fn attribute(&mut self, attribute: &Attribute, around: &[String]) {
        let (start, end) = self.range(attribute.value.span);
        let is_type =
            *attribute.name.name == *"type" && matches!(around, [block] if block == "variable");
        // Most values are neither: look at their ends before at their whole.
        if !is_type
            && !matches!(
                self.tokens.get(start).map(|token| token.kind),
                Some(TokenKind::QuoteOpen)
            )
        {
            return;
        }
        let pieces = self.pieces_of(start, end);
        let by = if is_type {
            current_type(&pieces)
        } else {
            unwrapped(&pieces)
        };
        if let Some(by) = by {
            self.replacements.push(Replacement { start, end, by });
        }
    }

    fn pieces(mut self) -> Vec<Piece<'a>> {
        let mut pieces = Vec::with_capacity(self.tokens.len());
        let mut at = 0;
        for replacement in std::mem::take(&mut self.replacements) {
            pieces.append(&mut self.pieces_of(at, replacement.start));
            pieces.extend(replacement.by);
            at = replacement.end;
        }
        pieces.append(&mut self.pieces_of(at, self.tokens.len()));
        pieces
    }
}

fn quoted_label<'a>(label: &crate::Label) -> impl Iterator<Item = Piece<'a>> + use<'a> {
    let quoted = Quoted(&label.text).to_string();
    let inner = quoted[1..quoted.len() - 1].to_owned();
    let text = (!inner.is_empty()).then(|| Piece::new(TokenKind::QuoteText, inner));
    let open = Piece::new(TokenKind::QuoteOpen, "\"");
    let close = Piece::new(TokenKind::QuoteClose, "\"");
    [Some(open), text, Some(close)].into_iter().flatten()
}

/// The current form of a type constraint that is in an old one.
fn current_type<'a>(pieces: &[Piece<'a>]) -> Option<Vec<Piece<'a>>> {
    let of = |collection: &'static str, element: &'static str| {
        Some(vec![
            Piece::new(TokenKind::Ident, collection),
            Piece::new(TokenKind::OpenParen, "("),
            Piece::new(TokenKind::Ident, element),
            Piece::new(TokenKind::CloseParen, ")"),
        ])
    };
    match pieces {
        [
            Piece {
                kind: TokenKind::Ident,
                text,
                ..
            },
        ] => match &**text {
            "list" => of("list", "any"),
            "map" => of("map", "any"),
            "set" => of("set", "any"),
            _ => None,
        },
        [
            Piece {
                kind: TokenKind::QuoteOpen,
                ..
            },
            Piece {
                kind: TokenKind::QuoteText,
                text,
                ..
            },
            Piece {
                kind: TokenKind::QuoteClose,
                ..
            },
        ] => match &**text {
            "string" => Some(vec![Piece::new(TokenKind::Ident, "string")]),
            "list" => of("list", "string"),
            "map" => of("map", "string"),
            _ => None,
        },
        _ => None,
    }
}

/// The expression in a quoted template that holds nothing else.
fn unwrapped<'a>(pieces: &[Piece<'a>]) -> Option<Vec<Piece<'a>>> {
    let [
        Piece {
            kind: TokenKind::QuoteOpen,
            ..
        },
        Piece {
            kind: TokenKind::Interpolation,
            ..
        },
        inside @ ..,
        Piece {
            kind: TokenKind::SequenceClose,
            ..
        },
        Piece {
            kind: TokenKind::QuoteClose,
            ..
        },
    ] = pieces
    else {
        return None;
    };
    let mut quotes = 0_usize;
    for piece in inside {
        match piece.kind {
            TokenKind::QuoteOpen => quotes += 1,
            TokenKind::QuoteClose => quotes = quotes.saturating_sub(1),
            TokenKind::Interpolation | TokenKind::SequenceClose | TokenKind::QuoteText
                if quotes == 0 =>
            {
                return None;
            }
            _ => {}
        }
    }
    let is_newline = |piece: &Piece<'_>| piece.kind == TokenKind::Newline;
    let start = inside.iter().position(|piece| !is_newline(piece))?;
    let end = inside.iter().rposition(|piece| !is_newline(piece))? + 1;
    let inside = &inside[start..end];
    let mut out = inside.to_vec();
    // What goes on in another line needs brackets; a comment may be what ends the line.
    let goes_on = inside[..inside.len() - 1].iter().any(Piece::ends_line);
    if goes_on && !is_parenthesized(inside) {
        out.insert(0, Piece::new(TokenKind::OpenParen, "("));
        out.push(Piece::new(TokenKind::CloseParen, ")"));
    }
    Some(out)
}

/// Whether one pair of parentheses is around it all.
fn is_parenthesized(pieces: &[Piece<'_>]) -> bool {
    let [
        Piece {
            kind: TokenKind::OpenParen,
            ..
        },
        inner @ ..,
        Piece {
            kind: TokenKind::CloseParen,
            ..
        },
    ] = pieces
    else {
        return false;
    };
    let mut depth = 0;
    inner.iter().all(|piece| {
        depth += piece.brackets();
        depth >= 0
    })
}

/// A line, cut into cells that are aligned with those of neighbouring lines: `start..assign` leads, `assign..comment`
/// begins with `=`, `comment..end` is a trailing comment. The last two may be empty.
struct Line {
    start: usize,
    assign: usize,
    comment: usize,
    end: usize,
}

/// Sets the spaces before each piece.
fn layout(pieces: &mut [Piece<'_>]) {
    let lines = lines(pieces);
    indent(pieces, &lines);
    for line in &lines {
        space(&mut pieces[line.start..line.assign]);
        space(&mut pieces[line.assign..line.comment]);
    }
    align(pieces, &lines, |line| {
        (line.assign, line.assign < line.comment)
    });
    align(pieces, &lines, |line| {
        (line.comment, line.comment < line.end)
    });
}

fn lines(pieces: &[Piece<'_>]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut start = 0;
    for end in (1..=pieces.len()).filter(|end| *end == pieces.len() || pieces[end - 1].ends_line())
    {
        lines.push(line(pieces, start, end));
        start = end;
    }
    lines
}

fn line(pieces: &[Piece<'_>], start: usize, end: usize) -> Line {
    let trailing_comment = end - start > 1 && pieces[end - 1].kind == TokenKind::Comment;
    let comment = if trailing_comment { end - 1 } else { end };
    // What opens brackets that it does not close is not aligned with its neighbours.
    let assign = (start + 1..comment)
        .find(|index| pieces[*index].kind == TokenKind::Equal)
        .filter(|index| {
            pieces[*index..comment]
                .iter()
                .map(Piece::brackets)
                .sum::<isize>()
                == 0
        })
        .unwrap_or(comment);
    Line {
        start,
        assign,
        comment,
        end,
    }
}

/// Indents each line by two spaces for each line before it that opened brackets which are still open.
fn indent(pieces: &mut [Piece<'_>], lines: &[Line]) {
    // How many brackets each level of indentation stands for.
    let mut levels: Vec<isize> = Vec::new();
    for line in lines {
        if pieces[line.start].kind == TokenKind::Newline {
            continue;
        }
        let lead = &pieces[line.start..line.assign];
        let heredoc = lead
            .iter()
            .position(|piece| piece.kind == TokenKind::HeredocOpen)
            .unwrap_or(lead.len());
        let mut brackets: isize = lead[..heredoc].iter().map(Piece::brackets).sum();
        brackets += pieces[line.assign..line.comment]
            .iter()
            .map(Piece::brackets)
            .sum::<isize>();
        while brackets < 0
            && let Some(level) = levels.last_mut()
        {
            if *level > -brackets {
                *level += brackets;
                break;
            }
            brackets += *level;
            levels.pop();
        }
        pieces[line.start].spaces = 2 * levels.len();
        if brackets > 0 {
            levels.push(brackets);
        }
    }
}

/// Spaces within a cell, one or none between any two pieces.
fn space(cell: &mut [Piece<'_>]) {
    for index in 1..cell.len() {
        let before = index.checked_sub(2).map(|before| cell[before].kind);
        let spaced = is_spaced(before, &cell[index - 1], &cell[index]);
        cell[index].spaces = usize::from(spaced);
    }
}

/// Aligns the cells of neighbouring lines that `cell` finds: it gives where the cell begins and whether there is one.
fn align(pieces: &mut [Piece<'_>], lines: &[Line], cell: impl Fn(&Line) -> (usize, bool)) {
    let neighbours = lines
        .chunk_by(|one, other| cell(one).1 && cell(other).1)
        .filter(|lines| cell(&lines[0]).1);
    for lines in neighbours {
        let width = |line: &Line| {
            pieces[line.start..cell(line).0]
                .iter()
                .map(Piece::width)
                .sum::<usize>()
        };
        let widths: Vec<usize> = lines.iter().map(width).collect();
        let widest = widths.iter().max().copied().unwrap_or(0);
        for (line, width) in lines.iter().zip(widths) {
            pieces[cell(line).0].spaces = widest - width + 1;
        }
    }
}

/// Whether a space stands between `left` and `right`; `before` is what stands before `left` in the same cell.
fn is_spaced(before: Option<TokenKind>, left: &Piece<'_>, right: &Piece<'_>) -> bool {
    use TokenKind::{
        Bang, CloseBrace, Comma, Directive, Dot, DoubleColon, Ellipsis, HeredocClose, HeredocOpen,
        Ident, Interpolation, Minus, Newline, Number, OpenBrace, OpenBracket, OpenParen,
        QuoteClose, QuoteOpen, QuoteText, SequenceClose, Text,
    };
    match (left.kind, right.kind) {
        (_, Newline | Dot | Comma | Ellipsis)
        | (Ident, OpenParen | DoubleColon)
        | (DoubleColon, Ident)
        | (Dot, _) => false,
        (Comma, _) => true,
        (QuoteText | Text | QuoteOpen | HeredocOpen, _)
        | (_, QuoteText | Text | QuoteClose | HeredocClose) => false,
        // In `for x in [y]`, `in` is not indexed.
        (Ident, _) if left.text == "in" && before == Some(Ident) => true,
        (Ident | Number, OpenBracket) => false,
        (_, OpenBracket) if left.brackets() < 0 => false,
        (Bang, _) => false,
        (Minus, _) => before.is_some_and(ends_operand),
        (OpenBrace, CloseBrace) => false,
        (OpenBrace, _) | (_, CloseBrace) => true,
        (Interpolation | Directive, OpenBrace) | (CloseBrace, SequenceClose) => true,
        (SequenceClose, Interpolation | Directive) => false,
        _ => left.brackets() <= 0 && right.brackets() >= 0,
    }
}

/// Whether a minus after it subtracts; else it negates.
const fn ends_operand(kind: TokenKind) -> bool {
    !matches!(
        kind,
        TokenKind::OpenParen
            | TokenKind::OpenBrace
            | TokenKind::OpenBracket
            | TokenKind::Equal
            | TokenKind::Colon
            | TokenKind::Comma
            | TokenKind::Question
            | TokenKind::Plus
            | TokenKind::Star
            | TokenKind::Slash
            | TokenKind::Percent
            | TokenKind::Minus
            | TokenKind::EqualEqual
            | TokenKind::BangEqual
            | TokenKind::Greater
            | TokenKind::GreaterEqual
            | TokenKind::Less
            | TokenKind::LessEqual
            | TokenKind::AndAnd
            | TokenKind::OrOr
            | TokenKind::Bang
    )
}
