//! The old configuration language, of which CLI configuration files are written: `name = value`, `name "label" { … }`,
//! where names may be quoted too and a block may be written as a value.
//!
//! The engine's own parser rightly refuses quoted names, which `dev_overrides` consists of.

use terrace_diag::{Diagnostic, Diagnostics, SourceId, Span};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Word {
    /// `"text"`
    Text(String),
    /// `true` or `false`
    Bool(bool),
    /// `[ … ]`
    List(Vec<Self>),
    /// `{ … }`
    Block(Vec<Entry>),
    /// A whole number
    Number(i64),
    /// Something else that no setting here takes.
    Other,
}

/// A name with what stands for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The setting's name.
    pub name: String,
    /// Labels between the name and a block.
    pub labels: Vec<String>,
    /// What it is set to.
    pub value: Word,
    /// Where the name stands.
    pub span: Span,
}

/// Reads a file; nothing of it where it cannot be understood.
pub fn read(source: SourceId, text: &str) -> (Vec<Entry>, Diagnostics) {
    let mut reader = Reader {
        source,
        text: text.as_bytes(),
        at: 0,
    };
    match reader.entries(None) {
        Ok(entries) => (entries, Diagnostics::new()),
        Err(problem) => {
            let span = reader.span(problem.at, (problem.at + 1).min(text.len()));
            let detail = format!("{} This file is not read any further.", problem.what);
            let diagnostic = Diagnostic::error(
                "cli-config-syntax",
                "Invalid CLI configuration syntax",
                detail,
            )
            .at(span);
            (Vec::new(), diagnostic.into())
        }
    }
}

struct Problem {
    at: usize,
    what: String,
}

struct Reader<'a> {
    source: SourceId,
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span::new(self.source, offset(start), offset(end))
    }

    fn problem<T>(&self, what: impl Into<String>) -> Result<T, Problem> {
        Err(Problem {
            at: self.at,
            what: what.into(),
        })
    }

    /// Steps over blanks, line ends and comments.
    fn skip(&mut self) {
        while let Some(byte) = self.text.get(self.at) {
            let rest = &self.text[self.at..];
            if byte.is_ascii_whitespace() {
                self.at += 1;
            } else if *byte == b'#' || rest.starts_with(b"//") {
                self.at += rest
                    .iter()
                    .position(|byte| *byte == b'\n')
                    .unwrap_or(rest.len());
            } else if rest.starts_with(b"/*") {
                let end = rest.windows(2).position(|pair| pair == b"*/");
                self.at += end.map_or(rest.len(), |end| end + 2);
            } else {
                return;
            }
        }
    }

    fn peek(&mut self) -> Option<u8> {
        self.skip();
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Entries up to `end`, which is taken, or to the end of the text.
    fn entries(&mut self, end: Option<u8>) -> Result<Vec<Entry>, Problem> {
        let mut entries = Vec::new();
        loop {
            while self.take(b',') {}
            match self.peek() {
                None if end.is_none() => return Ok(entries),
                None => return self.problem("A block is not closed by \"}\"."),
                found if found == end => {
                    self.at += 1;
                    return Ok(entries);
                }
                Some(_) => entries.push(self.entry()?),
            }
        }
    }

    fn entry(&mut self) -> Result<Entry, Problem> {
        self.skip();
        let start = self.at;
        let name = self.name()?;
        let span = self.span(start, self.at);
        let mut labels = Vec::new();
        loop {
            match self.peek() {
                Some(b'=') => {
                    self.at += 1;
                    let value = self.value()?;
                    return Ok(Entry {
                        name,
                        labels,
                        value,
                        span,
                    });
                }
                Some(b'{') => {
                    self.at += 1;
                    let value = Word::Block(self.entries(Some(b'}'))?);
                    return Ok(Entry {
                        name,
                        labels,
                        value,
                        span,
                    });
                }
                Some(b'"') => labels.push(self.string()?),
                _ => {
                    return self.problem(format!(
                        "After {name:?} comes \"=\" and a value, or a block in braces."
                    ));
                }
            }
        }
    }

    fn name(&mut self) -> Result<String, Problem> {
        if self.peek() == Some(b'"') {
            return self.string();
        }
        let start = self.at;
        while self
            .text
            .get(self.at)
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte))
        {
            self.at += 1;
        }
        if start == self.at {
            return self.problem("The name of a setting is expected here.");
        }
        Ok(String::from_utf8_lossy(&self.text[start..self.at]).into_owned())
    }

    fn value(&mut self) -> Result<Word, Problem> {
        match self.peek() {
            Some(b'"') => self.string().map(Word::Text),
            Some(b'{') => {
                self.at += 1;
                self.entries(Some(b'}')).map(Word::Block)
            }
            Some(b'[') => {
                self.at += 1;
                let mut items = Vec::new();
                loop {
                    while self.take(b',') {}
                    if self.take(b']') {
                        return Ok(Word::List(items));
                    }
                    items.push(self.value()?);
                }
            }
            _ => Ok(match &*self.name()? {
                "true" => Word::Bool(true),
                "false" => Word::Bool(false),
                other => other.parse().map_or(Word::Other, Word::Number),
            }),
        }
    }

    fn string(&mut self) -> Result<String, Problem> {
        let start = self.at;
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            match self.text.get(self.at) {
                None | Some(b'\n') => {
                    self.at = start;
                    return self.problem("A string is not closed by a quote on its line.");
                }
                Some(b'"') => {
                    self.at += 1;
                    return Ok(String::from_utf8_lossy(&bytes).into_owned());
                }
                Some(b'\\') => {
                    let escaped = self.text.get(self.at + 1).copied();
                    bytes.push(match escaped {
                        Some(b'n') => b'\n',
                        Some(b't') => b'\t',
                        Some(byte @ (b'"' | b'\\')) => byte,
                        _ => return self.problem(
                            "A backslash in a string comes before n, t, a quote or a backslash.",
                        ),
                    });
                    self.at += 2;
                }
                Some(byte) => {
                    bytes.push(*byte);
                    self.at += 1;
                }
            }
        }
    }
}
