//! The text of a module as tokens within their brackets, nothing left out: what is written out again is what was read.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword.
    Word,
    /// A number, a string, or a raw string.
    Literal,
    /// One of `. , ; | :` and the operators, as one token each.
    Sign,
    /// Blanks and tabs, or a comment without its newline.
    Blank,
    /// The end of a line.
    Newline,
}

/// A token, a bracket with what it holds, or a string with expressions in it.
#[derive(Clone, Debug)]
pub(crate) enum Node<'a> {
    Token(Kind, &'a str),
    Group(char, Vec<Self>),
    Template(Vec<Part<'a>>),
}

/// A part of a string with expressions.
#[derive(Clone, Debug)]
pub(crate) enum Part<'a> {
    /// Text as it stands, and whether it is raw.
    Text(String, bool),
    Expression(Vec<Node<'a>>),
}

impl<'a> Node<'a> {
    /// The text of a word.
    pub(crate) fn word(&self) -> Option<&'a str> {
        match self {
            Self::Token(Kind::Word, text) => Some(text),
            _ => None,
        }
    }

    /// The text of a sign.
    pub(crate) fn sign(&self) -> Option<&'a str> {
        match self {
            Self::Token(Kind::Sign, text) => Some(text),
            _ => None,
        }
    }

    /// What a bracket of this kind holds.
    pub(crate) fn group(&self, open: char) -> Option<&[Self]> {
        match self {
            Self::Group(bracket, inner) if *bracket == open => Some(inner),
            _ => None,
        }
    }

    /// Whether it means nothing: blanks, comments, ends of lines.
    pub(crate) fn is_blank(&self) -> bool {
        matches!(self, Self::Token(Kind::Blank | Kind::Newline, _))
    }
}

/// The bracket that closes what `open` opens.
pub(crate) fn closing(open: char) -> char {
    match open {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// Reads a text. Gives nothing where brackets or strings do not end: whoever parses it then says so.
pub(crate) fn read(text: &str) -> Option<Vec<Node<'_>>> {
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
    };
    let nodes = reader.nodes(None)?;
    (reader.at == text.len()).then_some(nodes)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

/// How deep brackets may nest; regorus reads fewer.
const MAXIMAL_DEPTH: usize = 100;

const SIGNS: [&str; 5] = [":=", "==", "!=", "<=", ">="];

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Takes as many bytes.
    fn take(&mut self, length: usize) -> &'a str {
        let taken = &self.rest()[..length];
        self.at += length;
        taken
    }

    /// How long the start of the rest is that `keeps` holds for.
    fn run(&self, keeps: impl Fn(char) -> bool) -> usize {
        let rest = self.rest();
        rest.find(|character| !keeps(character))
            .unwrap_or(rest.len())
    }

    /// Nodes until the bracket closes, which is taken too, or to the end of the text.
    fn nodes(&mut self, close: Option<char>) -> Option<Vec<Node<'a>>> {
        let mut nodes = Vec::new();
        self.depth += 1;
        if self.depth > MAXIMAL_DEPTH {
            return None;
        }
        loop {
            let Some(first) = self.rest().chars().next() else {
                return close.is_none().then_some(nodes);
            };
            if Some(first) == close {
                self.at += 1;
                self.depth -= 1;
                return Some(nodes);
            }
            nodes.push(self.node(first)?);
        }
    }

    fn node(&mut self, first: char) -> Option<Node<'a>> {
        let token = match first {
            '(' | '[' | '{' => {
                self.at += 1;
                return Some(Node::Group(first, self.nodes(Some(closing(first)))?));
            }
            ')' | ']' | '}' => return None,
            '$' if self.rest().starts_with("$\"") || self.rest().starts_with("$`") => {
                return self.template();
            }
            '"' => (Kind::Literal, self.string()?),
            '`' => {
                let end = self.rest()[1..].find('`')?;
                (Kind::Literal, self.take(end + 2))
            }
            '#' => {
                let length = self.run(|character| character != '\n');
                (Kind::Blank, self.take(length))
            }
            '\n' => (Kind::Newline, self.take(1)),
            ' ' | '\t' | '\r' => {
                let length = self.run(|character| matches!(character, ' ' | '\t' | '\r'));
                (Kind::Blank, self.take(length))
            }
            '0'..='9' => {
                let length = self.number();
                (Kind::Literal, self.take(length))
            }
            _ if first == '_' || first.is_alphanumeric() => {
                let length = self.run(|character| character == '_' || character.is_alphanumeric());
                (Kind::Word, self.take(length))
            }
            _ => {
                let double = SIGNS.iter().any(|sign| self.rest().starts_with(sign));
                let length = if double { 2 } else { first.len_utf8() };
                (Kind::Sign, self.take(length))
            }
        };
        Some(Node::Token(token.0, token.1))
    }

    /// The length of a number: digits, a point with digits, an exponent with its sign.
    fn number(&self) -> usize {
        let bytes = self.rest().as_bytes();
        let mut length = 1;
        while let Some(byte) = bytes.get(length) {
            let is_sign = matches!(byte, b'+' | b'-') && matches!(bytes[length - 1], b'e' | b'E');
            let is_point = *byte == b'.' && bytes.get(length + 1).is_some_and(u8::is_ascii_digit);
            if !(byte.is_ascii_alphanumeric() || is_sign || is_point) {
                break;
            }
            length += 1;
        }
        length
    }

    fn string(&mut self) -> Option<&'a str> {
        let bytes = self.rest().as_bytes();
        let mut length = 1;
        loop {
            match bytes.get(length)? {
                b'"' => return Some(self.take(length + 1)),
                b'\\' => length += 2,
                b'\n' => return None,
                _ => length += 1,
            }
        }
    }

    fn template(&mut self) -> Option<Node<'a>> {
        self.at += 1;
        let quote = self.take(1);
        let is_raw = quote == "`";
        let mut parts = Vec::new();
        let mut text = String::new();
        loop {
            let first = self.rest().chars().next()?;
            self.at += first.len_utf8();
            match first {
                '{' => {
                    if !text.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut text), is_raw));
                    }
                    parts.push(Part::Expression(self.nodes(Some('}'))?));
                }
                '\\' => {
                    let next = self.rest().chars().next()?;
                    if next == '{' {
                        self.at += 1;
                        text.push('{');
                    } else if is_raw {
                        text.push('\\');
                    } else {
                        self.at += next.len_utf8();
                        text.extend(['\\', next]);
                    }
                }
                '\n' if !is_raw => return None,
                _ if first.to_string() == quote => break,
                _ => text.push(first),
            }
        }
        if !text.is_empty() {
            parts.push(Part::Text(text, is_raw));
        }
        Some(Node::Template(parts))
    }
}
