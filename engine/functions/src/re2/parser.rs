//! Reads a pattern and writes it out in the syntax of the `regex` crate.

use super::{PatternError, class, escape};

const MOST_REPETITIONS: u32 = 1000;
const DEEPEST_NESTING: usize = 1000;

/// A part of a sequence.
struct Item {
    text: String,
    /// Whether it can be repeated; what sets flags cannot.
    is_argument: bool,
    /// How often its most repeated part is written out when repetitions are.
    weight: u32,
}

/// What stands between parentheses or in the whole pattern, so far.
#[derive(Default)]
struct Group {
    /// How the group begins in the translation, and where in the pattern.
    opening: String,
    finished: String,
    items: Vec<Item>,
    weight: u32,
}

impl Group {
    fn opened(opening: impl Into<String>) -> Self {
        Self {
            opening: opening.into(),
            ..Self::default()
        }
    }

    fn push(&mut self, text: impl Into<String>) {
        self.items.push(Item {
            text: text.into(),
            is_argument: true,
            weight: 1,
        });
    }

    fn end_branch(&mut self) {
        for item in self.items.drain(..) {
            self.finished.push_str(&item.text);
            self.weight = self.weight.max(item.weight);
        }
    }

    fn close(mut self, closing: &str) -> Item {
        self.end_branch();
        let text = format!("{}{}{closing}", self.opening, self.finished);
        Item {
            text,
            is_argument: true,
            weight: self.weight.max(1),
        }
    }
}

struct Parser<'p> {
    pattern: &'p str,
    rest: &'p str,
    groups: Vec<Group>,
    current: Group,
    names: Vec<Option<String>>,
    /// Where the repetition operator began that was just read.
    last_repetition: Option<usize>,
}

/// The pattern in the syntax of the `regex` crate, all groups unnamed, and the names of its groups.
pub(super) fn translate(pattern: &str) -> Result<(String, Vec<Option<String>>), PatternError> {
    let mut parser = Parser {
        pattern,
        rest: pattern,
        groups: Vec::new(),
        current: Group::default(),
        names: Vec::new(),
        last_repetition: None,
    };
    while let Some(first) = parser.rest.chars().next() {
        parser.item(first)?;
    }
    if !parser.groups.is_empty() {
        return Err(PatternError::new("missing closing )", pattern));
    }
    Ok((parser.current.close("").text, parser.names))
}

impl<'p> Parser<'p> {
    fn item(&mut self, first: char) -> Result<(), PatternError> {
        let start = self.offset();
        let previous = self.last_repetition.take();
        match first {
            '(' => self.open()?,
            ')' => self.close()?,
            '|' => {
                self.current.end_branch();
                self.current.finished.push('|');
                self.advance(1);
            }
            '^' | '$' | '.' => {
                self.current.push(first);
                self.advance(1);
            }
            '[' => {
                let (class, rest) = class::bracketed(self.rest)?;
                self.current.push(class);
                self.rest = rest;
            }
            '*' | '+' | '?' => {
                self.advance(1);
                self.repeat(&first.to_string(), None, start, previous)?;
            }
            '{' => match counted(self.rest) {
                Some((low, high, rest)) => {
                    let operator = self.rest[..self.rest.len() - rest.len()].to_owned();
                    self.rest = rest;
                    if low > MOST_REPETITIONS
                        || high.is_some_and(|high| high > MOST_REPETITIONS || low > high)
                    {
                        return Err(PatternError::new("invalid repeat count", operator));
                    }
                    self.repeat(&operator, Some(high.unwrap_or(low)), start, previous)?;
                }
                None => self.literal('{', 1),
            },
            '\\' => self.escaped()?,
            _ => self.literal(first, first.len_utf8()),
        }
        Ok(())
    }

    fn offset(&self) -> usize {
        self.pattern.len() - self.rest.len()
    }

    fn advance(&mut self, n_bytes: usize) {
        self.rest = &self.rest[n_bytes..];
    }

    fn literal(&mut self, character: char, n_bytes: usize) {
        self.current
            .push(regex_syntax::escape(character.encode_utf8(&mut [0; 4])));
        self.advance(n_bytes);
    }

    fn repeat(
        &mut self,
        operator: &str,
        count: Option<u32>,
        start: usize,
        previous: Option<usize>,
    ) -> Result<(), PatternError> {
        let mut operator = operator.to_owned();
        if self.rest.starts_with('?') {
            operator.push('?');
            self.advance(1);
        }
        if let Some(previous) = previous {
            let written = &self.pattern[previous..self.offset()];
            return Err(PatternError::new(
                "invalid nested repetition operator",
                written,
            ));
        }
        let Some(item) = self.current.items.iter_mut().rfind(|item| item.is_argument) else {
            return Err(PatternError::new(
                "missing argument to repetition operator",
                operator,
            ));
        };
        item.weight = item.weight.saturating_mul(count.unwrap_or(1).max(1));
        if count.is_some() && item.weight > MOST_REPETITIONS {
            return Err(PatternError::new("invalid repeat count", operator));
        }
        item.text = format!("(?:{}){operator}", item.text);
        self.last_repetition = Some(start);
        Ok(())
    }

    fn open(&mut self) -> Result<(), PatternError> {
        if self.groups.len() >= DEEPEST_NESTING {
            return Err(PatternError::new(
                "expression nests too deeply",
                self.pattern,
            ));
        }
        if !self.rest.starts_with("(?") {
            self.names.push(None);
            self.advance(1);
            self.begin(Group::opened("("));
            return Ok(());
        }
        for introduction in ["(?P<", "(?<"] {
            if let Some(inside) = self.rest.strip_prefix(introduction) {
                return self.open_named(inside);
            }
        }
        self.flags()
    }

    fn begin(&mut self, group: Group) {
        let outer = std::mem::replace(&mut self.current, group);
        self.groups.push(outer);
    }

    fn open_named(&mut self, inside: &'p str) -> Result<(), PatternError> {
        let problem = "invalid named capture";
        let end = inside
            .find('>')
            .ok_or_else(|| PatternError::new(problem, self.rest))?;
        let name = &inside[..end];
        let rest = &inside[end + 1..];
        let is_word = |character: char| character == '_' || character.is_ascii_alphanumeric();
        if name.is_empty() || !name.chars().all(is_word) {
            let written = &self.rest[..self.rest.len() - rest.len()];
            return Err(PatternError::new(problem, written));
        }
        self.names.push(Some(name.to_owned()));
        self.rest = rest;
        self.begin(Group::opened("("));
        Ok(())
    }

    /// `(?flags)` and `(?flags:…)`
    fn flags(&mut self) -> Result<(), PatternError> {
        let inside = &self.rest[2..];
        let end = inside
            .find(|character| !matches!(character, 'i' | 'm' | 's' | 'U' | '-'))
            .unwrap_or(inside.len());
        let flags = &inside[..end];
        let ending = inside[end..].chars().next();
        let dashes = flags.matches('-').count();
        if dashes > 1 || (dashes == 1 && flags.ends_with('-')) || !matches!(ending, Some(':' | ')'))
        {
            let second_dash = flags.match_indices('-').nth(1).map(|(index, _)| index + 1);
            let bad_length = second_dash.unwrap_or(end + ending.map_or(0, char::len_utf8));
            return Err(PatternError::new(
                "invalid or unsupported Perl syntax",
                &self.rest[..2 + bad_length],
            ));
        }
        self.rest = &inside[end + 1..];
        match ending {
            Some(':') => self.begin(Group::opened(format!("(?{flags}:"))),
            _ if flags.is_empty() => {}
            _ => self.current.items.push(Item {
                text: format!("(?{flags})"),
                is_argument: false,
                weight: 1,
            }),
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), PatternError> {
        let Some(outer) = self.groups.pop() else {
            return Err(PatternError::new("unexpected )", self.pattern));
        };
        let group = std::mem::replace(&mut self.current, outer);
        self.current.items.push(group.close(")"));
        self.advance(1);
        Ok(())
    }

    fn escaped(&mut self) -> Result<(), PatternError> {
        match self.rest.as_bytes().get(1) {
            Some(b'A' | b'z' | b'B') => {
                self.current.push(&self.rest[..2]);
                self.advance(2);
                return Ok(());
            }
            Some(b'b') => {
                self.current.push(r"(?-u:\b)");
                self.advance(2);
                return Ok(());
            }
            Some(b'C') => {
                return Err(PatternError::new(
                    "invalid escape sequence",
                    &self.rest[..2],
                ));
            }
            Some(b'Q') => {
                let quoted = &self.rest[2..];
                let (literal, rest) = quoted.split_once("\\E").unwrap_or((quoted, ""));
                for character in literal.chars() {
                    self.literal(character, 0);
                }
                self.rest = rest;
                return Ok(());
            }
            _ => {}
        }
        if let Some((class, rest)) = class::unicode(self.rest)? {
            self.current.push(class);
            self.rest = rest;
        } else if let Some((class, rest)) = class::perl(self.rest) {
            self.current.push(class);
            self.rest = rest;
        } else {
            let (character, rest) = escape::character(self.rest)?;
            self.literal(character, 0);
            self.rest = rest;
        }
        Ok(())
    }
}

/// `{n}`, `{n,}` or `{n,m}` at the beginning of `text`: least, greatest if there is a comma and one, and what remains.
fn counted(text: &str) -> Option<(u32, Option<u32>, &str)> {
    let (low, rest) = count(&text[1..])?;
    if let Some(rest) = rest.strip_prefix('}') {
        return Some((low, Some(low), rest));
    }
    let rest = rest.strip_prefix(',')?;
    if let Some(rest) = rest.strip_prefix('}') {
        return Some((low, None, rest));
    }
    let (high, rest) = count(rest)?;
    rest.strip_prefix('}').map(|rest| (low, Some(high), rest))
}

/// A number without needless zeros; far too great ones are all alike.
fn count(text: &str) -> Option<(u32, &str)> {
    let end = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some((digits.parse().unwrap_or(u32::MAX), rest))
}
