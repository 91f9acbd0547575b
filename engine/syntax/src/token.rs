//! Tokens: a file cut into pieces that together are the file again, byte for byte.

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// The mark at the very start of a file that says it is UTF-8.
    ByteOrderMark,
    /// Spaces and tabs.
    Whitespace,
    /// A line end, `\n` or `\r\n`.
    Newline,
    /// `# …` or `// …` with its line end, or `/* … */`.
    Comment,
    /// A name.
    Ident,
    /// A number.
    Number,
    /// `{`
    OpenBrace,
    /// `}`
    CloseBrace,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// `(`
    OpenParen,
    /// `)`
    CloseParen,
    /// `.`
    Dot,
    /// `,`
    Comma,
    /// `*`
    Star,
    /// `/`
    Slash,
    /// `%`
    Percent,
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `=`
    Equal,
    /// `<`
    Less,
    /// `>`
    Greater,
    /// `!`
    Bang,
    /// `?`
    Question,
    /// `:`
    Colon,
    /// `==`
    EqualEqual,
    /// `!=`
    BangEqual,
    /// `>=`
    GreaterEqual,
    /// `<=`
    LessEqual,
    /// `&&`
    AndAnd,
    /// `||`
    OrOr,
    /// `::`
    DoubleColon,
    /// `...`
    Ellipsis,
    /// `=>`
    FatArrow,
    /// The `"` that begins a string.
    QuoteOpen,
    /// Literal text between quotes, escapes as written.
    QuoteText,
    /// A line end between quotes, which is an error; the string ends with it.
    QuoteNewline,
    /// The `"` that ends a string.
    QuoteClose,
    /// `<<NAME` or `<<-NAME` with its line end.
    HeredocOpen,
    /// Literal text of a heredoc or of a bare template, at most to the end of its line.
    Text,
    /// The line that ends a heredoc, without its line end.
    HeredocClose,
    /// `${` or `${~`
    Interpolation,
    /// `%{` or `%{~`
    Directive,
    /// The `}` or `~}` that ends an interpolation or a directive.
    SequenceClose,
    /// `&`, which no expression can hold.
    Ampersand,
    /// `|`, which no expression can hold.
    Pipe,
    /// `~`, which no expression can hold.
    Tilde,
    /// `^`, which no expression can hold.
    Caret,
    /// `;`
    Semicolon,
    /// A backtick.
    Backtick,
    /// `'`
    Apostrophe,
    /// A character that means nothing where it stands.
    Invalid,
    /// Bytes that are not UTF-8.
    InvalidUtf8,
    /// The end of the text; covers nothing.
    End,
}

impl TokenKind {
    /// Whether the lexer itself has an error to report for it.
    pub const fn is_problem(self) -> bool {
        matches!(
            self,
            Self::QuoteNewline
                | Self::Ampersand
                | Self::Pipe
                | Self::Tilde
                | Self::Caret
                | Self::Semicolon
                | Self::Backtick
                | Self::Apostrophe
                | Self::Invalid
                | Self::InvalidUtf8
        )
    }

    /// How it changes the depth of nesting: 1 opens, -1 closes, 0 does neither.
    pub const fn nesting(self) -> i32 {
        match self {
            Self::OpenBrace
            | Self::OpenBracket
            | Self::OpenParen
            | Self::QuoteOpen
            | Self::HeredocOpen
            | Self::Interpolation
            | Self::Directive => 1,
            Self::CloseBrace
            | Self::CloseBracket
            | Self::CloseParen
            | Self::QuoteClose
            | Self::QuoteNewline
            | Self::HeredocClose
            | Self::SequenceClose => -1,
            _ => 0,
        }
    }

    /// What opens that which it closes; an interpolation for the end of any template sequence.
    pub(crate) const fn opener(self) -> Option<Self> {
        Some(match self {
            Self::CloseBrace => Self::OpenBrace,
            Self::CloseBracket => Self::OpenBracket,
            Self::CloseParen => Self::OpenParen,
            Self::QuoteClose | Self::QuoteNewline => Self::QuoteOpen,
            Self::HeredocClose => Self::HeredocOpen,
            Self::SequenceClose => Self::Interpolation,
            _ => return None,
        })
    }
}

/// A piece of text: bytes `start..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its first byte.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
}

impl Token {
    /// Its bytes in the text that it was cut from.
    pub fn bytes<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    /// Its text; empty where it is not UTF-8.
    pub fn text<'a>(&self, text: &'a [u8]) -> &'a str {
        std::str::from_utf8(self.bytes(text)).unwrap_or_default()
    }

    /// Length in bytes.
    pub const fn len(&self) -> u32 {
        self.end - self.start
    }

    /// Whether it covers nothing, as only [`TokenKind::End`] does.
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }
}

/// Cuts a file in native syntax into tokens. They cover every byte exactly once, in order; the last is [`TokenKind::End`].
///
/// Takes time in proportion to the length of the text. A text of 4 GiB or more is cut at that length.
pub fn tokenize(text: &[u8]) -> Vec<Token> {
    crate::lexer::Lexer::new(text).file()
}

/// Cuts a bare template, such as a file for `templatefile`, into tokens as [`tokenize`] does.
pub fn tokenize_template(text: &[u8]) -> Vec<Token> {
    crate::lexer::Lexer::new(text).template()
}
