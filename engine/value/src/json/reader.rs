//! A reader of JSON text, one token at a time.

use std::borrow::Cow;

/// Values nested deeper than this are refused, so that no input exhausts the stack.
const DEEPEST: usize = 500;

/// What a value begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Null,
    True,
    False,
    Number,
    String,
    Array,
    Object,
}

/// A position in a JSON text.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

pub(super) type Result<T> = std::result::Result<T, String>;

impl<'a> Reader<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
        }
    }

    pub(super) const fn position(&self) -> usize {
        self.at
    }

    /// A reader of the value that began at `position`.
    pub(super) const fn back_at(&self, position: usize) -> Self {
        Self {
            text: self.text,
            at: position,
            depth: self.depth,
        }
    }

    /// The next character that is no space, which is left there.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// Nothing but space may follow; closing brackets too where the reference does not look at them.
    pub(super) fn finish(&mut self, lenient: bool) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(b']' | b'}') if lenient => Ok(()),
            Some(_) => Err("extraneous data after JSON object".into()),
        }
    }

    /// What the next value is. Nothing of it is read.
    pub(super) fn start(&mut self) -> Result<Start> {
        match self.peek() {
            Some(b'n') => Ok(Start::Null),
            Some(b't') => Ok(Start::True),
            Some(b'f') => Ok(Start::False),
            Some(b'"') => Ok(Start::String),
            Some(b'[') => Ok(Start::Array),
            Some(b'{') => Ok(Start::Object),
            Some(b'-' | b'0'..=b'9') => Ok(Start::Number),
            Some(_) => Err(self.unexpected(" looking for beginning of value")),
            None => Err(self.unexpected("")),
        }
    }

    /// Reads `null`, `true` or `false`, of which the first letter is there.
    pub(super) fn word(&mut self, word: &str) -> Result<()> {
        for expected in word.chars() {
            match self.text[self.at..].chars().next() {
                Some(found) if found == expected => self.at += found.len_utf8(),
                Some(_) => {
                    return Err(
                        self.unexpected(&format!(" in literal {word} (expecting '{expected}')"))
                    );
                }
                None => return Err("unexpected EOF".into()),
            }
        }
        Ok(())
    }

    /// Reads a number, whose first character is there, as it is written.
    pub(super) fn number(&mut self) -> Result<&'a str> {
        let start = self.at;
        self.skip(b"-");
        if self.skip(b"0") == 0 {
            self.digits(" in numeric literal")?;
        }
        if self.skip(b".") == 1 {
            self.digits(" after decimal point in numeric literal")?;
        }
        if self.skip(b"eE") == 1 {
            self.skip(b"+-");
            self.digits(" in exponent of numeric literal")?;
        }
        Ok(&self.text[start..self.at])
    }

    /// Skips one of `which`, if it is there; the number of characters skipped.
    fn skip(&mut self, which: &[u8]) -> usize {
        let found = self
            .text
            .as_bytes()
            .get(self.at)
            .is_some_and(|byte| which.contains(byte));
        self.at += usize::from(found);
        usize::from(found)
    }

    fn digits(&mut self, context: &str) -> Result<()> {
        let rest = &self.text.as_bytes()[self.at..];
        match rest.iter().take_while(|byte| byte.is_ascii_digit()).count() {
            0 if rest.is_empty() => Err("unexpected EOF".into()),
            0 => Err(self.unexpected(context)),
            count => {
                self.at += count;
                Ok(())
            }
        }
    }

    /// Reads a string, whose quote is there.
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>> {
        self.at += 1;
        let start = self.at;
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b'"') => {
                    let content = &self.text[start..self.at];
                    self.at += 1;
                    return Ok(Cow::Borrowed(content));
                }
                Some(b'\\') => break,
                Some(0..=0x1f) => return Err(self.unexpected(" in string literal")),
                Some(_) => self.at += 1,
                None => return Err("unexpected EOF".into()),
            }
        }
        let mut content = String::from(&self.text[start..self.at]);
        loop {
            let run = bytes[self.at..]
                .iter()
                .take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f))
                .count();
            content.push_str(&self.text[self.at..self.at + run]);
            self.at += run;
            match bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(content));
                }
                Some(b'\\') => {
                    self.at += 1;
                    content.push(self.escape()?);
                }
                Some(_) => return Err(self.unexpected(" in string literal")),
                None => return Err("unexpected EOF".into()),
            }
        }
    }

    /// Reads what follows a backslash.
    fn escape(&mut self) -> Result<char> {
        let Some(byte) = self.text.as_bytes().get(self.at) else {
            return Err("unexpected EOF".into());
        };
        let character = match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return Err(self.unexpected(" in string escape code")),
        };
        self.at += 1;
        Ok(character)
    }

    /// Reads four hexadecimal digits, and the second half of a pair of surrogates. A half alone is replaced.
    fn unicode_escape(&mut self) -> Result<char> {
        let unit = self.hexadecimal()?;
        if (0xd800..0xdc00).contains(&unit) && self.text[self.at..].starts_with("\\u") {
            let before = self.at;
            self.at += 2;
            let low = self.hexadecimal()?;
            if (0xdc00..0xe000).contains(&low) {
                let code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hexadecimal(&mut self) -> Result<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            let Some(byte) = self.text.as_bytes().get(self.at) else {
                return Err("unexpected EOF".into());
            };
            let Some(digit) = char::from(*byte).to_digit(16) else {
                return Err(self.unexpected(" in \\u hexadecimal character escape"));
            };
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }

    /// Enters an array or object, whose bracket is there.
    pub(super) fn open(&mut self) -> Result<()> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEEPEST {
            Err("exceeded max depth".into())
        } else {
            Ok(())
        }
    }

    /// Whether an element follows in the array that was opened; if not, the array is left.
    pub(super) fn next_element(&mut self, first: bool) -> Result<bool> {
        match self.peek() {
            Some(b']') => {
                self.close();
                Ok(false)
            }
            Some(b',') if !first => {
                self.at += 1;
                match self.peek() {
                    Some(b']') => Err(self.unexpected(" looking for beginning of value")),
                    _ => Ok(true),
                }
            }
            Some(_) if first => Ok(true),
            Some(_) => Err(self.unexpected(" after array element")),
            None => Err(self.unexpected("")),
        }
    }

    /// The key of the next attribute of the object that was opened; at its end the object is left.
    pub(super) fn next_key(&mut self, first: bool) -> Result<Option<Cow<'a, str>>> {
        match self.peek() {
            Some(b'}') => {
                self.close();
                return Ok(None);
            }
            Some(b',') if !first => {
                self.at += 1;
                if self.peek() != Some(b'"') {
                    return Err(self.unexpected(" looking for beginning of object key string"));
                }
            }
            Some(b'"') if first => {}
            Some(_) if first => return Err(self.unexpected("")),
            _ => return Err(self.unexpected(" after object key:value pair")),
        }
        let key = self.string()?;
        if self.peek() != Some(b':') {
            return Err(self.unexpected(" after object key"));
        }
        self.at += 1;
        Ok(Some(key))
    }

    fn close(&mut self) {
        self.at += 1;
        self.depth -= 1;
    }

    /// Reads a whole value and forgets it.
    pub(super) fn skip_value(&mut self) -> Result<()> {
        match self.start()? {
            Start::Null => self.word("null"),
            Start::True => self.word("true"),
            Start::False => self.word("false"),
            Start::Number => self.number().map(|_| ()),
            Start::String => self.string().map(|_| ()),
            Start::Array => {
                self.open()?;
                let mut first = true;
                while self.next_element(first)? {
                    self.skip_value()?;
                    first = false;
                }
                Ok(())
            }
            Start::Object => {
                self.open()?;
                let mut first = true;
                while self.next_key(first)?.is_some() {
                    self.skip_value()?;
                    first = false;
                }
                Ok(())
            }
        }
    }

    fn unexpected(&self, context: &str) -> String {
        match self.text[self.at..].chars().next() {
            Some('\'') => format!("invalid character '\\''{context}"),
            Some('"') => format!("invalid character '\"'{context}"),
            Some(character) => format!("invalid character '{}'{context}", character.escape_debug()),
            None => "EOF".into(),
        }
    }
}
