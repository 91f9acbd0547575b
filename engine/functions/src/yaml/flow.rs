//! Lines within brackets.

/// `text` with every line that begins within brackets indented deeper than any line is.
pub(super) fn indented(text: &str) -> String {
    let deepest = text
        .lines()
        .map(|line| line.len() - line.trim_start_matches(' ').len())
        .max()
        .unwrap_or(0);
    let indentation = " ".repeat(deepest + 1);
    let mut out = String::with_capacity(text.len());
    let mut scanner = Scanner {
        depth: 0,
        place: Place::Plain,
        before: ' ',
    };
    for line in text.split_inclusive('\n') {
        if scanner.depth > 0 && !line.trim().is_empty() {
            out.push_str(&indentation);
        }
        out.push_str(line);
        scanner.line(line);
    }
    out
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Plain,
    SingleQuoted,
    DoubleQuoted,
}

struct Scanner {
    depth: usize,
    place: Place,
    before: char,
}

impl Scanner {
    fn line(&mut self, line: &str) {
        let mut characters = line.chars();
        while let Some(character) = characters.next() {
            match (self.place, character) {
                (Place::DoubleQuoted, '\\') => {
                    characters.next();
                }
                (Place::DoubleQuoted, '"') | (Place::SingleQuoted, '\'') => {
                    self.place = Place::Plain;
                }
                (Place::Plain, '#') if self.before.is_whitespace() => break,
                // Brackets and quotes count where a value can begin, or anywhere within brackets.
                (Place::Plain, _) if self.depth > 0 || " \t\n:-[{,".contains(self.before) => {
                    self.structure(character);
                }
                _ => {}
            }
            self.before = character;
        }
        self.before = '\n';
    }

    fn structure(&mut self, character: char) {
        match character {
            '"' if !self.before.is_alphanumeric() => self.place = Place::DoubleQuoted,
            '\'' if !self.before.is_alphanumeric() => self.place = Place::SingleQuoted,
            '[' | '{' => self.depth += 1,
            ']' | '}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_within_brackets() {
        assert_eq!(
            indented("a: [1,\n2\n]\nb: '['\nc: d\n"),
            "a: [1,\n 2\n ]\nb: '['\nc: d\n"
        );
        assert_eq!(
            indented("a: {\n  b: \"}\",\n}\n"),
            "a: {\n     b: \"}\",\n   }\n"
        );
        assert_eq!(indented("a: x[ # [\nb: 1\n"), "a: x[ # [\nb: 1\n");
    }
}
