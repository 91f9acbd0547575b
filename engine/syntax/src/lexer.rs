//! The lexer: one pass over the bytes, with a stack of modes for templates and heredocs.

use crate::token::{Token, TokenKind};

/// What kind of text stands at the current place.
enum Mode {
    /// Outside of literal text. `braces` counts those that are open since the mode began.
    Code { braces: u32 },
    /// Between quotes.
    Quote,
    /// In a heredoc that a line holding only `marker` (a range of bytes) ends.
    Heredoc {
        marker: (usize, usize),
        line_start: bool,
    },
    /// In a template that is a text of its own.
    Bare,
}

/// Cuts bytes into tokens.
pub(crate) struct Lexer<'a> {
    text: &'a [u8],
    /// The current place.
    at: usize,
    /// Up to here the text is known to be UTF-8; what follows there is not, unless it is the end.
    valid_to: usize,
    /// Where a search for `*/` has failed, so that it is not repeated.
    no_comment_end_after: usize,
    modes: Vec<Mode>,
    tokens: Vec<Token>,
}

impl<'a> Lexer<'a> {
    /// A lexer for `text`.
    pub(crate) fn new(text: &'a [u8]) -> Self {
        let text = &text[..text.len().min(u32::MAX as usize - 1)];
        let mut lexer = Self {
            text,
            at: 0,
            valid_to: 0,
            no_comment_end_after: usize::MAX,
            modes: Vec::new(),
            tokens: Vec::with_capacity(text.len() / 4 + 4),
        };
        lexer.validate();
        lexer
    }

    /// The tokens of a file.
    pub(crate) fn file(mut self) -> Vec<Token> {
        if self.text.starts_with(b"\xEF\xBB\xBF") {
            self.emit(TokenKind::ByteOrderMark, 3);
        }
        self.run(Mode::Code { braces: 0 })
    }

    /// The tokens of a bare template.
    pub(crate) fn template(self) -> Vec<Token> {
        self.run(Mode::Bare)
    }

    fn run(mut self, mode: Mode) -> Vec<Token> {
        self.modes.push(mode);
        while self.at < self.text.len() {
            if self.at > self.valid_to {
                self.validate();
            }
            match self.modes.last() {
                Some(Mode::Code { .. }) | None => self.code(),
                Some(Mode::Quote) => self.quote(),
                Some(Mode::Heredoc { .. } | Mode::Bare) => self.lines(),
            }
        }
        self.emit(TokenKind::End, 0);
        self.tokens
    }

    /// Finds how far the text is UTF-8 from the current place on.
    fn validate(&mut self) {
        self.valid_to = match std::str::from_utf8(&self.text[self.at..]) {
            Ok(_) => self.text.len(),
            Err(error) => self.at + error.valid_up_to(),
        };
    }

    /// The token of bytes that are not UTF-8 at the current place, if that is what stands there.
    fn invalid_utf8(&mut self) -> bool {
        if self.at != self.valid_to {
            return false;
        }
        let length = match std::str::from_utf8(&self.text[self.at..]) {
            Ok(_) => return false,
            Err(error) => error.error_len().unwrap_or(self.text.len() - self.at),
        };
        self.emit(TokenKind::InvalidUtf8, length);
        self.validate();
        true
    }

    fn emit(&mut self, kind: TokenKind, length: usize) {
        let start = u32::try_from(self.at).unwrap_or(u32::MAX);
        self.at += length;
        let end = u32::try_from(self.at).unwrap_or(u32::MAX);
        self.tokens.push(Token { kind, start, end });
    }

    fn byte(&self, offset: usize) -> u8 {
        self.text.get(self.at + offset).copied().unwrap_or(0)
    }

    fn has(&self, prefix: &[u8]) -> bool {
        self.text[self.at..].starts_with(prefix)
    }

    /// The character at the current place, which is known to be UTF-8.
    fn character(&self) -> Option<char> {
        self.valid_text(self.at).chars().next()
    }

    /// The text from `from` to where it stops being UTF-8.
    fn valid_text(&self, from: usize) -> &'a str {
        let end = (from + 4).min(self.valid_to);
        match std::str::from_utf8(&self.text[from..end]) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&self.text[from..from + error.valid_up_to()])
                .unwrap_or_default(),
        }
    }

    fn code(&mut self) {
        let byte = self.byte(0);
        match byte {
            b' ' | b'\t' => {
                let length = self.run_length(|byte| matches!(byte, b' ' | b'\t'));
                self.emit(TokenKind::Whitespace, length);
            }
            b'\n' => self.emit(TokenKind::Newline, 1),
            b'\r' if self.byte(1) == b'\n' => self.emit(TokenKind::Newline, 2),
            b'#' => self.line_comment(),
            b'/' if self.byte(1) == b'/' => self.line_comment(),
            b'/' if self.byte(1) == b'*' => self.block_comment(),
            b'0'..=b'9' => {
                let length = self.number_length();
                self.emit(TokenKind::Number, length);
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.ident(1),
            b'"' => {
                self.emit(TokenKind::QuoteOpen, 1);
                self.modes.push(Mode::Quote);
            }
            b'{' => {
                if let Some(Mode::Code { braces }) = self.modes.last_mut() {
                    *braces += 1;
                }
                self.emit(TokenKind::OpenBrace, 1);
            }
            b'}' => self.close_brace(),
            b'<' if self.byte(1) == b'<' && self.heredoc_open() => {}
            b'~' if self.byte(1) == b'}' => self.close_sequence(),
            0x80.. => self.other_character(),
            _ => self.symbol(byte),
        }
    }

    fn run_length(&self, accept: impl Fn(u8) -> bool) -> usize {
        let rest = &self.text[self.at..];
        rest.iter()
            .position(|byte| !accept(*byte))
            .unwrap_or(rest.len())
    }

    fn line_comment(&mut self) {
        let rest = &self.text[self.at..];
        let length = find(rest, b'\n').map_or(rest.len(), |index| index + 1);
        self.emit(TokenKind::Comment, length);
    }

    /// A comment that has an end; without one, `/` is just a slash.
    fn block_comment(&mut self) {
        if self.at >= self.no_comment_end_after {
            return self.emit(TokenKind::Slash, 1);
        }
        let body = &self.text[self.at + 2..];
        match body.windows(2).position(|pair| pair == b"*/") {
            Some(index) => self.emit(TokenKind::Comment, index + 4),
            None => {
                self.no_comment_end_after = self.at;
                self.emit(TokenKind::Slash, 1);
            }
        }
    }

    /// Digits with dots and exponents among them, ending with a digit. What this takes in too much, such as
    /// `1.2.3`, is refused as a number later.
    fn number_length(&self) -> usize {
        let rest = &self.text[self.at..];
        let digit = |index: usize| rest.get(index).is_some_and(u8::is_ascii_digit);
        let (mut index, mut end) = (1, 1);
        loop {
            match rest.get(index) {
                Some(b'0'..=b'9') => {
                    index += 1;
                    end = index;
                }
                Some(b'.') => index += 1,
                Some(b'e' | b'E') if digit(index + 1) => {
                    index += 2;
                    end = index;
                }
                Some(b'e' | b'E')
                    if matches!(rest.get(index + 1), Some(b'+' | b'-')) && digit(index + 2) =>
                {
                    index += 3;
                    end = index;
                }
                _ => return end,
            }
        }
    }

    /// A name whose first character, `first` bytes long, has been looked at.
    fn ident(&mut self, first: usize) {
        let length = ident_tail(&self.text[self.at..self.valid_to], first);
        self.emit(TokenKind::Ident, length);
    }

    fn other_character(&mut self) {
        if self.invalid_utf8() {
            return;
        }
        match self.character() {
            Some(character) if is_ident_start(character) => self.ident(character.len_utf8()),
            Some(character) => self.emit(TokenKind::Invalid, character.len_utf8()),
            None => self.emit(TokenKind::Invalid, 1),
        }
    }

    fn close_brace(&mut self) {
        let nested = self.modes.len() > 1;
        match self.modes.last_mut() {
            Some(Mode::Code { braces: 0 }) if nested => {
                self.modes.pop();
                self.emit(TokenKind::SequenceClose, 1);
            }
            Some(Mode::Code { braces }) => {
                *braces = braces.saturating_sub(1);
                self.emit(TokenKind::CloseBrace, 1);
            }
            _ => self.emit(TokenKind::CloseBrace, 1),
        }
    }

    /// `~}`, which ends a sequence, or where none is to be ended is an error for the parser to find.
    fn close_sequence(&mut self) {
        let nested = self.modes.len() > 1;
        match self.modes.last_mut() {
            Some(Mode::Code { braces: 0 }) if nested => {
                self.modes.pop();
            }
            Some(Mode::Code { braces }) => *braces = braces.saturating_sub(1),
            _ => {}
        }
        self.emit(TokenKind::SequenceClose, 2);
    }

    /// `<<NAME` and its line end, if that is what stands here.
    fn heredoc_open(&mut self) -> bool {
        let name = self.at + if self.byte(2) == b'-' { 3 } else { 2 };
        if name >= self.valid_to {
            return false;
        }
        let Some(first) = self
            .valid_text(name)
            .chars()
            .next()
            .filter(|first| is_ident_start(*first))
        else {
            return false;
        };
        let name_end = name + ident_tail(&self.text[name..self.valid_to], first.len_utf8());
        let line_end = match &self.text[name_end..] {
            [b'\n', ..] => name_end + 1,
            [b'\r', b'\n', ..] => name_end + 2,
            _ => return false,
        };
        self.emit(TokenKind::HeredocOpen, line_end - self.at);
        self.modes.push(Mode::Heredoc {
            marker: (name, name_end),
            line_start: true,
        });
        true
    }

    fn symbol(&mut self, byte: u8) {
        let second = self.byte(1);
        let (kind, length) = match (byte, second) {
            (b'=', b'=') => (TokenKind::EqualEqual, 2),
            (b'=', b'>') => (TokenKind::FatArrow, 2),
            (b'!', b'=') => (TokenKind::BangEqual, 2),
            (b'>', b'=') => (TokenKind::GreaterEqual, 2),
            (b'<', b'=') => (TokenKind::LessEqual, 2),
            (b'&', b'&') => (TokenKind::AndAnd, 2),
            (b'|', b'|') => (TokenKind::OrOr, 2),
            (b':', b':') => (TokenKind::DoubleColon, 2),
            (b'.', b'.') if self.byte(2) == b'.' => (TokenKind::Ellipsis, 3),
            (b'[', _) => (TokenKind::OpenBracket, 1),
            (b']', _) => (TokenKind::CloseBracket, 1),
            (b'(', _) => (TokenKind::OpenParen, 1),
            (b')', _) => (TokenKind::CloseParen, 1),
            (b'.', _) => (TokenKind::Dot, 1),
            (b',', _) => (TokenKind::Comma, 1),
            (b'*', _) => (TokenKind::Star, 1),
            (b'/', _) => (TokenKind::Slash, 1),
            (b'%', _) => (TokenKind::Percent, 1),
            (b'+', _) => (TokenKind::Plus, 1),
            (b'-', _) => (TokenKind::Minus, 1),
            (b'=', _) => (TokenKind::Equal, 1),
            (b'<', _) => (TokenKind::Less, 1),
            (b'>', _) => (TokenKind::Greater, 1),
            (b'!', _) => (TokenKind::Bang, 1),
            (b'?', _) => (TokenKind::Question, 1),
            (b':', _) => (TokenKind::Colon, 1),
            (b'&', _) => (TokenKind::Ampersand, 1),
            (b'|', _) => (TokenKind::Pipe, 1),
            (b'~', _) => (TokenKind::Tilde, 1),
            (b'^', _) => (TokenKind::Caret, 1),
            (b';', _) => (TokenKind::Semicolon, 1),
            (b'`', _) => (TokenKind::Backtick, 1),
            (b'\'', _) => (TokenKind::Apostrophe, 1),
            _ => (TokenKind::Invalid, 1),
        };
        self.emit(kind, length);
    }

    /// The start of a template sequence at the current place, if there is one.
    fn sequence_open(&mut self) -> bool {
        let kind = match (self.byte(0), self.byte(1)) {
            (b'$', b'{') => TokenKind::Interpolation,
            (b'%', b'{') => TokenKind::Directive,
            _ => return false,
        };
        let length = if self.byte(2) == b'~' { 3 } else { 2 };
        if let Some(Mode::Heredoc { line_start, .. }) = self.modes.last_mut() {
            *line_start = false;
        }
        self.emit(kind, length);
        self.modes.push(Mode::Code { braces: 0 });
        true
    }

    fn quote(&mut self) {
        if self.sequence_open() || self.invalid_utf8() {
            return;
        }
        match self.byte(0) {
            b'"' => {
                self.emit(TokenKind::QuoteClose, 1);
                self.modes.pop();
            }
            b'\n' | b'\r' => {
                let length = if self.has(b"\r\n") { 2 } else { 1 };
                self.emit(TokenKind::QuoteNewline, length);
                self.modes.pop();
            }
            _ => self.quote_text(),
        }
    }

    fn quote_text(&mut self) {
        let text = &self.text[self.at..self.valid_to];
        let mut index = 0;
        while let Some(byte) = text.get(index) {
            match byte {
                b'"' | b'\n' | b'\r' => break,
                b'\\' => match text.get(index + 1) {
                    None | Some(b'\n' | b'\r') => break,
                    Some(_) => index += 2,
                },
                b'$' | b'%' => match literal_sign(text, index) {
                    Some(length) => index += length,
                    None => break,
                },
                _ => index += 1,
            }
        }
        // A backslash may have been followed by a character of several bytes.
        while index < text.len() && text[index] & 0xC0 == 0x80 {
            index += 1;
        }
        match index {
            0 => self.emit(TokenKind::Invalid, 1),
            _ => self.emit(TokenKind::QuoteText, index),
        }
    }

    /// Text of a heredoc or a bare template, to the end of the line or to where a sequence begins.
    fn lines(&mut self) {
        if self.sequence_open() || self.invalid_utf8() {
            return;
        }
        let text = &self.text[self.at..self.valid_to];
        let bare = matches!(self.modes.last(), Some(Mode::Bare));
        let mut index = 0;
        let mut ended = false;
        while let Some(byte) = text.get(index) {
            match byte {
                b'\n' => {
                    index += 1;
                    ended = true;
                    break;
                }
                // Alone, it is part of a template, but not of a heredoc.
                b'\r' if !bare && text.get(index + 1) != Some(&b'\n') => break,
                b'$' | b'%' => match literal_sign(text, index) {
                    Some(length) => index += length,
                    None if index + 1 == text.len() && bare => index += 1,
                    None => break,
                },
                _ => index += 1,
            }
        }
        if index == 0 {
            return self.emit(TokenKind::Invalid, 1);
        }
        if ended && self.heredoc_close(index) {
            return;
        }
        if let Some(Mode::Heredoc { line_start, .. }) = self.modes.last_mut() {
            *line_start = ended;
        }
        self.emit(TokenKind::Text, index);
    }

    /// Ends the heredoc if the line of `length` bytes at the current place holds its marker only.
    fn heredoc_close(&mut self, length: usize) -> bool {
        let Some(Mode::Heredoc {
            marker,
            line_start: true,
        }) = self.modes.last()
        else {
            return false;
        };
        let line = &self.text[self.at..self.at + length];
        let marker = &self.text[marker.0..marker.1];
        if std::str::from_utf8(line)
            .map(str::trim)
            .ok()
            .map(str::as_bytes)
            != Some(marker)
        {
            return false;
        }
        let line_end = if line.ends_with(b"\r\n") { 2 } else { 1 };
        self.modes.pop();
        self.emit(TokenKind::HeredocClose, length - line_end);
        self.emit(TokenKind::Newline, line_end);
        true
    }
}

fn find(text: &[u8], wanted: u8) -> Option<usize> {
    text.iter().position(|byte| *byte == wanted)
}

/// How long the literal text is that the `$` or `%` at `index` makes: `$${` stands for `${`, and a sign that no
/// brace follows for itself. `None` where it begins a sequence, or is the last byte.
fn literal_sign(text: &[u8], index: usize) -> Option<usize> {
    let sign = text[index];
    match (text.get(index + 1), text.get(index + 2)) {
        (Some(b'{') | None, _) => None,
        (Some(second), Some(b'{')) if *second == sign => Some(3),
        _ => Some(1),
    }
}

/// The length of the name at the start of `text`, whose first character is `first` bytes long.
fn ident_tail(text: &[u8], first: usize) -> usize {
    let mut index = first;
    loop {
        match text.get(index) {
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-') => index += 1,
            Some(0x80..) => {
                let window = &text[index..text.len().min(index + 4)];
                let valid = match std::str::from_utf8(window) {
                    Ok(valid) => valid,
                    Err(error) => {
                        std::str::from_utf8(&window[..error.valid_up_to()]).unwrap_or_default()
                    }
                };
                match valid.chars().next() {
                    Some(character) if is_ident_continue(character) => {
                        index += character.len_utf8();
                    }
                    _ => return index,
                }
            }
            _ => return index,
        }
    }
}

/// Whether a name may begin with it: Unicode's `ID_Start`, of which `XID_Start` lacks a few.
fn is_ident_start(character: char) -> bool {
    character == '_'
        || unicode_ident::is_xid_start(character)
        || matches!(
            character,
            '\u{37A}' | '\u{E33}' | '\u{EB3}' | '\u{309B}' | '\u{309C}' | '\u{FC5E}'
                ..='\u{FC63}'
                    | '\u{FDFA}'
                    | '\u{FDFB}'
                    | '\u{FE70}'
                    | '\u{FE72}'
                    | '\u{FE74}'
                    | '\u{FE76}'
                    | '\u{FE78}'
                    | '\u{FE7A}'
                    | '\u{FE7C}'
                    | '\u{FE7E}'
                    | '\u{FF9E}'
                    | '\u{FF9F}'
        )
}

/// Whether a name may go on with it: Unicode's `ID_Continue` and the dash.
fn is_ident_continue(character: char) -> bool {
    character == '-' || unicode_ident::is_xid_continue(character) || is_ident_start(character)
}
