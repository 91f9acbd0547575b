//! Writes YAML, laid out as the reference lays it out: strings between double quotes, or as literal blocks where they
//! have several lines; long strings folded.

use std::collections::BTreeMap;
use std::fmt::Write;

use terrace_value::{Kind, Text, Value};

/// Where lines are folded.
const WIDTH: usize = 80;
/// How much deeper each level is.
const INDENT: usize = 2;
/// The longest key without a question mark before it, in bytes.
const LONGEST_SIMPLE_KEY: usize = 128;

/// A wholly known, unmarked value as a document.
pub(super) fn encode(value: &Value) -> String {
    let mut writer = Writer {
        out: String::new(),
        column: 0,
        indent: None,
        after_space: true,
        in_indent: true,
    };
    let is_plain = !matches!(value.kind(), Kind::String(_))
        && value.as_sequence().is_none()
        && value.as_entries().is_none();
    writer.node(value, false);
    writer.begin_line();
    if is_plain {
        // Otherwise the scalar could go on.
        writer.out.push_str("...\n");
    }
    writer.out
}

struct Writer {
    out: String,
    column: usize,
    /// How deep lines begin; none at the root.
    indent: Option<usize>,
    /// Whether white space, or the beginning of a line, stands before the place of writing.
    after_space: bool,
    /// Whether the line has nothing but indentation and indicators of structure so far.
    in_indent: bool,
}

impl Writer {
    fn put(&mut self, character: char) {
        self.out.push(character);
        self.column += 1;
    }

    fn end_line(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    /// Goes to the indentation of a line, a new one if need be.
    fn begin_line(&mut self) {
        let indent = self.indent.unwrap_or(0);
        if !self.in_indent || self.column > indent || (self.column == indent && !self.after_space) {
            self.end_line();
        }
        while self.column < indent {
            self.put(' ');
        }
        self.after_space = true;
        self.in_indent = true;
    }

    fn indicator(&mut self, indicator: char, needs_space: bool, keeps_indent: bool) {
        if needs_space && !self.after_space {
            self.put(' ');
        }
        self.put(indicator);
        self.after_space = false;
        self.in_indent &= keeps_indent;
    }

    /// Runs `write` one level deeper.
    fn deeper(&mut self, first: usize, by: usize, write: impl FnOnce(&mut Self)) {
        let outer = self.indent;
        self.indent = Some(outer.map_or(first, |indent| indent + by));
        write(self);
        self.indent = outer;
    }

    fn node(&mut self, value: &Value, in_mapping: bool) {
        match value.kind() {
            Kind::String(text) => self.string(text),
            Kind::Bool(truth) => self.plain(if *truth { "true" } else { "false" }),
            Kind::Number(number) => self.plain(&number.to_string()),
            Kind::Null(_) | Kind::Unknown(_) => self.plain("null"),
            Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => {
                self.sequence(items, in_mapping);
            }
            Kind::Map(_, entries) | Kind::Object(entries) => self.mapping(entries),
        }
    }

    fn plain(&mut self, text: &str) {
        if !self.after_space {
            self.put(' ');
        }
        for character in text.chars() {
            self.put(character);
        }
        self.after_space = false;
        self.in_indent = false;
    }

    fn empty(&mut self, opening: char, closing: char) {
        self.indicator(opening, true, false);
        self.after_space = true;
        self.indicator(closing, false, false);
    }

    fn sequence(&mut self, items: &[Value], in_mapping: bool) {
        if items.is_empty() {
            return self.empty('[', ']');
        }
        let by = if in_mapping && !self.in_indent {
            0
        } else {
            INDENT
        };
        self.deeper(0, by, |writer| {
            for item in items {
                writer.begin_line();
                writer.indicator('-', true, true);
                writer.node(item, false);
            }
        });
    }

    fn mapping(&mut self, entries: &BTreeMap<Text, Value>) {
        if entries.is_empty() {
            return self.empty('{', '}');
        }
        self.deeper(0, INDENT, |writer| {
            for (key, item) in entries {
                writer.begin_line();
                if key.len() <= LONGEST_SIMPLE_KEY && !key.contains(is_break) {
                    writer.quoted(key, false);
                    writer.indicator(':', false, false);
                } else {
                    writer.indicator('?', true, true);
                    writer.string(key);
                    writer.begin_line();
                    writer.indicator(':', true, true);
                }
                writer.node(item, true);
            }
        });
    }

    fn string(&mut self, text: &str) {
        self.deeper(INDENT, INDENT, |writer| {
            if text.contains('\n') && fits_block(text) {
                writer.literal(text);
            } else {
                writer.quoted(text, true);
            }
        });
    }

    fn literal(&mut self, text: &str) {
        self.indicator('|', true, false);
        if text.starts_with([' ', '\n']) {
            self.indicator('2', false, false);
        }
        if !text.ends_with('\n') {
            self.indicator('-', false, false);
        } else if text.len() == 1 || text.ends_with("\n\n") {
            self.indicator('+', false, false);
        }
        self.end_line();
        self.in_indent = true;
        self.after_space = true;
        let mut at_line_start = true;
        for character in text.chars() {
            if character == '\n' {
                self.end_line();
                self.in_indent = true;
                at_line_start = true;
                continue;
            }
            if at_line_start {
                self.begin_line();
            }
            self.put(character);
            self.in_indent = false;
            at_line_start = false;
        }
    }

    fn quoted(&mut self, text: &str, may_fold: bool) {
        self.indicator('"', true, false);
        let n_characters = text.chars().count();
        let mut after_space = false;
        let mut characters = text.chars().enumerate().peekable();
        while let Some((index, character)) = characters.next() {
            let is_space = character == ' ';
            let inside = index > 0 && index + 1 < n_characters;
            if is_space && may_fold && !after_space && self.column > WIDTH && inside {
                self.begin_line();
                if characters.peek().is_some_and(|(_, next)| *next == ' ') {
                    self.put('\\');
                }
            } else {
                self.escaped(character);
            }
            after_space = is_space;
        }
        self.indicator('"', false, false);
        self.after_space = false;
        self.in_indent = false;
    }

    fn escaped(&mut self, character: char) {
        let letter = match character {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ if is_printable(character) => return self.put(character),
            _ => return self.escaped_code(u32::from(character)),
        };
        self.put('\\');
        self.put(letter);
    }

    fn escaped_code(&mut self, code: u32) {
        let before = self.out.len();
        let written = match code {
            0..=0xff => write!(self.out, "\\x{code:02X}"),
            0x100..=0xffff => write!(self.out, "\\u{code:04X}"),
            _ => write!(self.out, "\\U{code:08X}"),
        };
        debug_assert!(written.is_ok(), "writing to a string does not fail");
        self.column += self.out.len() - before;
    }
}

const fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

const fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// Whether text survives as a literal block: no character that has to be escaped, no space before a line's end.
fn fits_block(text: &str) -> bool {
    let ends_line_with_space = text.ends_with(' ')
        || text
            .match_indices(is_break)
            .any(|(index, _)| text[..index].ends_with(' '));
    !ends_line_with_space && text.chars().all(is_printable)
}
