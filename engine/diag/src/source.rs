//! Source files and spans in them.

use std::sync::Arc;

/// Names one file of a [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

/// A range of bytes in one source file: `start` inclusive, `end` exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span of `start..end` in `source`.
    pub const fn new(source: SourceId, start: u32, end: u32) -> Self {
        Self { source, start, end }
    }

    /// The smallest span that covers both; `other` must lie in the same file, else `self` is returned.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        if self.source != other.source {
            return self;
        }
        Self {
            source: self.source,
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// The empty span at this span's start.
    #[must_use]
    pub const fn at_start(self) -> Self {
        Self {
            source: self.source,
            start: self.start,
            end: self.start,
        }
    }

    /// The empty span at this span's end.
    #[must_use]
    pub const fn at_end(self) -> Self {
        Self {
            source: self.source,
            start: self.end,
            end: self.end,
        }
    }

    /// Length in bytes.
    pub const fn len(self) -> u32 {
        self.end - self.start
    }

    /// Whether the span covers nothing.
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// A place as people and other tools name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in Unicode grapheme clusters as the reference counts them, approximated by code points, from 1.
    pub column: u32,
    /// Byte offset, from 0.
    pub byte: u32,
}

/// The text of one file, and where its lines begin.
#[derive(Debug)]
pub struct SourceFile {
    name: String,
    text: Arc<str>,
    line_starts: Vec<u32>,
}

impl SourceFile {
    /// Takes a file's name, as it is to be shown, and its text.
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let mut line_starts = vec![0];
        for (index, byte) in text.bytes().enumerate() {
            if byte == b'\n' {
                line_starts.push(u32::try_from(index + 1).unwrap_or(u32::MAX));
            }
        }
        Self {
            name: name.into(),
            text,
            line_starts,
        }
    }

    /// The name as shown.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Line and column of a byte offset; an offset past the end is the end.
    pub fn position(&self, byte: u32) -> Position {
        let byte = byte.min(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        let line = self
            .line_starts
            .partition_point(|start| *start <= byte)
            .saturating_sub(1);
        let start = self.line_starts[line] as usize;
        let mut end = byte as usize;
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let column = self.text[start..end.max(start)].chars().count();
        Position {
            line: u32::try_from(line + 1).unwrap_or(u32::MAX),
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
            byte,
        }
    }

    /// A part of the file as sentences name it: `main.tf:3,1-12`, or `main.tf:3,1-5,2` over several lines.
    pub fn place(&self, span: Span) -> String {
        let (start, end) = (self.position(span.start), self.position(span.end));
        let name = self.name();
        if start.line == end.line {
            format!("{name}:{},{}-{}", start.line, start.column, end.column)
        } else {
            format!(
                "{name}:{},{}-{},{}",
                start.line, start.column, end.line, end.column
            )
        }
    }

    /// The text of line `line` (from 1) without its line end; empty when there is no such line.
    pub fn line(&self, line: u32) -> &str {
        let index = line.saturating_sub(1) as usize;
        let Some(start) = self.line_starts.get(index) else {
            return "";
        };
        let end = self
            .line_starts
            .get(index + 1)
            .map_or(self.text.len(), |next| *next as usize);
        self.text[*start as usize..end].trim_end_matches(['\n', '\r'])
    }
}

/// All files that were read, in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<Arc<SourceFile>>,
}

impl SourceMap {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// The id that the next [`SourceMap::add`] will give.
    pub fn next_id(&self) -> SourceId {
        SourceId(u32::try_from(self.files.len()).unwrap_or(u32::MAX))
    }

    /// Adds a file.
    pub fn add(&mut self, file: SourceFile) -> SourceId {
        let id = self.next_id();
        self.files.push(Arc::new(file));
        id
    }

    /// [`SourceFile::place`] in the file of the span; empty where that is not of this map.
    pub fn place(&self, span: Span) -> String {
        self.get(span.source)
            .map_or_else(String::new, |file| file.place(span))
    }

    /// The file of `id`, if it belongs to this map.
    pub fn get(&self, id: SourceId) -> Option<&Arc<SourceFile>> {
        self.files.get(id.0 as usize)
    }

    /// All files with their ids.
    pub fn files(&self) -> impl Iterator<Item = (SourceId, &Arc<SourceFile>)> {
        (0..).map(SourceId).zip(&self.files)
    }

    /// The text that `span` covers; empty when it is not of this map.
    pub fn text(&self, span: Span) -> &str {
        self.get(span.source)
            .and_then(|file| file.text().get(span.start as usize..span.end as usize))
            .unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_code_points() {
        let file = SourceFile::new("main.tf", "a\n\u{e9}\u{1f980}b\r\n");
        let at = |byte| {
            let position = file.position(byte);
            (position.line, position.column)
        };
        assert_eq!(
            [at(0), at(1), at(2), at(4), at(8)],
            [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3)]
        );
        // Within a character it is that character; past the end, the end.
        assert_eq!([at(3), at(11), at(99)], [(2, 1), (3, 1), (3, 1)]);
    }

    #[test]
    fn lines_come_without_their_ends() {
        let file = SourceFile::new("main.tf", "a\r\nb\n");
        assert_eq!(
            [file.line(1), file.line(2), file.line(3), file.line(4)],
            ["a", "b", "", ""]
        );
    }

    #[test]
    fn a_span_of_another_map_covers_nothing() {
        let mut sources = SourceMap::new();
        let id = sources.add(SourceFile::new("main.tf", "\u{e9}ab"));
        assert_eq!(sources.text(Span::new(id, 2, 4)), "ab");
        for span in [
            Span::new(id, 1, 2),
            Span::new(id, 2, 9),
            Span::new(SourceId(7), 0, 1),
        ] {
            assert_eq!(sources.text(span), "");
        }
    }
}
