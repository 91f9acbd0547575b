//! Finds the verbs of a template.

use crate::go_text::quoted_character;

/// A part of a template.
#[derive(Debug)]
pub(super) enum Piece<'t> {
    /// To be copied.
    Literal(&'t str),
    /// To be replaced.
    Verb(Verb<'t>),
}

/// Where a value goes, and how.
#[derive(Debug, Default)]
pub(super) struct Verb<'t> {
    /// As it is written.
    pub(super) raw: &'t str,
    /// Where it begins.
    pub(super) offset: usize,
    /// Which argument, from 1, if it says so.
    pub(super) position: Option<usize>,
    /// Its letter.
    pub(super) mode: char,
    pub(super) zero: bool,
    pub(super) sharp: bool,
    pub(super) plus: bool,
    pub(super) minus: bool,
    pub(super) space: bool,
    pub(super) precision: Option<usize>,
    pub(super) width: Option<usize>,
}

/// Goes through a template.
pub(super) struct Scanner<'t> {
    template: &'t str,
    position: usize,
}

/// Widths and precisions are bounded, so that no template asks for gigabytes.
const WIDEST: usize = 1 << 20;

impl<'t> Scanner<'t> {
    pub(super) const fn new(template: &'t str) -> Self {
        Self {
            template,
            position: 0,
        }
    }

    /// The next part, or what is wrong.
    pub(super) fn next_piece(&mut self) -> Result<Option<Piece<'t>>, String> {
        let rest = &self.template[self.position..];
        if rest.is_empty() {
            return Ok(None);
        }
        if rest.starts_with("%%") {
            self.position += 2;
            return Ok(Some(Piece::Literal("%")));
        }
        if !rest.starts_with('%') {
            let end = rest.find('%').unwrap_or(rest.len());
            self.position += end;
            return Ok(Some(Piece::Literal(&rest[..end])));
        }
        self.verb().map(|verb| Some(Piece::Verb(verb)))
    }

    fn peek(&self) -> Option<u8> {
        self.template.as_bytes().get(self.position).copied()
    }

    fn unexpected(&self) -> String {
        match self.template[self.position..].chars().next() {
            Some(character) => {
                format!(
                    "unrecognized format character {} at offset {}",
                    quoted_character(character),
                    self.position
                )
            }
            None => format!("invalid format string starting at offset {}", self.position),
        }
    }

    fn verb(&mut self) -> Result<Verb<'t>, String> {
        let mut verb = Verb {
            offset: self.position,
            ..Verb::default()
        };
        self.position += 1;
        while let Some(flag) = self.peek() {
            match flag {
                b'0' => verb.zero = true,
                b'#' => verb.sharp = true,
                b'+' => verb.plus = true,
                b'-' => verb.minus = true,
                b' ' => verb.space = true,
                _ => break,
            }
            self.position += 1;
        }
        if matches!(self.peek(), Some(b'1'..=b'9')) {
            verb.width = Some(self.digits()?);
        }
        if self.peek() == Some(b'.') {
            self.position += 1;
            verb.precision = Some(self.digits()?);
        }
        if self.peek() == Some(b'[') {
            self.position += 1;
            if !matches!(self.peek(), Some(b'1'..=b'9')) {
                return Err(self.unexpected());
            }
            verb.position = Some(self.digits()?);
            if self.peek() != Some(b']') {
                return Err(self.unexpected());
            }
            self.position += 1;
        }
        match self.peek() {
            Some(letter) if letter.is_ascii_alphabetic() => verb.mode = char::from(letter),
            _ => return Err(self.unexpected()),
        }
        self.position += 1;
        verb.raw = &self.template[verb.offset..self.position];
        Ok(verb)
    }

    fn digits(&mut self) -> Result<usize, String> {
        let start = self.position;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.position += 1;
        }
        let digits = &self.template[start..self.position];
        if digits.is_empty() {
            return Ok(0);
        }
        digits
            .parse()
            .ok()
            .filter(|number| *number <= WIDEST)
            .ok_or_else(|| format!("number {digits} at offset {start} is greater than {WIDEST}"))
    }
}
