//! Lines and columns of places in a text, for as many questions as there are errors.

/// Between how many bytes the characters are counted in advance.
const STRIDE: usize = 1024;

/// Where lines begin, and how many characters stand before every [`STRIDE`]th byte: an answer takes the same time in the
/// longest line.
pub(super) struct Places {
    line_starts: Vec<usize>,
    characters: Vec<usize>,
}

impl Places {
    pub(super) fn new(text: &[u8]) -> Self {
        let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let mut before = 0;
        let characters = text
            .chunks(STRIDE)
            .map(|chunk| {
                let here = before;
                before += count(chunk);
                here
            })
            .collect();
        Self {
            line_starts: std::iter::once(0)
                .chain(ends.map(|(index, _)| index + 1))
                .collect(),
            characters,
        }
    }

    /// The line and the column, both from 1, of a byte of the same text.
    pub(super) fn line_and_column(&self, text: &[u8], at: usize) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= at);
        let start = self.line_starts[line - 1];
        let column = self.characters_before(text, at) - self.characters_before(text, start) + 1;
        (line, column)
    }

    fn characters_before(&self, text: &[u8], at: usize) -> usize {
        let Some(counted) = self.characters.get(at / STRIDE) else {
            return self.characters.last().map_or(0, |counted| {
                let from = (self.characters.len() - 1) * STRIDE;
                counted + count(&text[from..at])
            });
        };
        counted + count(&text[at / STRIDE * STRIDE..at])
    }
}

/// How many characters begin in these bytes.
fn count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_counted_in_characters() {
        let text = format!("é\n{}ü!\nlast", "öx".repeat(STRIDE));
        let places = Places::new(text.as_bytes());
        let at = |pattern: &str| {
            places.line_and_column(text.as_bytes(), text.find(pattern).expect("it is there"))
        };
        assert_eq!(at("é"), (1, 1));
        assert_eq!(at("\n"), (1, 2));
        assert_eq!(at("ü"), (2, 2 * STRIDE + 1));
        assert_eq!(at("!"), (2, 2 * STRIDE + 2));
        assert_eq!(at("last"), (3, 1));
        assert_eq!(places.line_and_column(text.as_bytes(), text.len()), (3, 5));
        assert_eq!(Places::new(b"").line_and_column(b"", 0), (1, 1));
    }

    #[test]
    fn the_end_of_a_text_of_whole_strides_is_a_place() {
        let text = "x".repeat(2 * STRIDE);
        let places = Places::new(text.as_bytes());
        assert_eq!(
            places.line_and_column(text.as_bytes(), text.len()),
            (1, 2 * STRIDE + 1)
        );
    }
}
