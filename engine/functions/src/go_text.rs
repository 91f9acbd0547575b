//! Text as the reference's messages quote it.

use std::fmt::Write;

/// `text` between double quotes, with the escapes of Go's `%q`.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            _ => push_escaped(&mut out, character),
        }
    }
    out.push('"');
    out
}

/// `character` between single quotes, with the escapes of Go's `%q`.
pub(crate) fn quoted_character(character: char) -> String {
    let mut out = String::from("'");
    match character {
        '\'' => out.push_str("\\'"),
        _ => push_escaped(&mut out, character),
    }
    out.push('\'');
    out
}

fn push_escaped(out: &mut String, character: char) {
    let short = match character {
        '\\' => Some("\\\\"),
        '\u{7}' => Some("\\a"),
        '\u{8}' => Some("\\b"),
        '\u{c}' => Some("\\f"),
        '\n' => Some("\\n"),
        '\r' => Some("\\r"),
        '\t' => Some("\\t"),
        '\u{b}' => Some("\\v"),
        _ => None,
    };
    if let Some(short) = short {
        out.push_str(short);
    } else if is_printable(character) {
        out.push(character);
    } else {
        let code = u32::from(character);
        let written = match code {
            0..=0x7f => write!(out, "\\x{code:02x}"),
            0x80..=0xffff => write!(out, "\\u{code:04x}"),
            _ => write!(out, "\\U{code:08x}"),
        };
        debug_assert!(written.is_ok(), "writing to a string does not fail");
    }
}

fn is_printable(character: char) -> bool {
    let invisible = character.is_control()
        || (character.is_whitespace() && character != ' ')
        || matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{10ffff}');
    !invisible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(
            quoted("a\"b\\c\n\t\u{1}é\u{200b}"),
            "\"a\\\"b\\\\c\\n\\t\\x01é\\u200b\""
        );
        assert_eq!(quoted_character('*'), "'*'");
        assert_eq!(quoted_character('\''), "'\\''");
        assert_eq!(quoted("\u{1f600}"), "\"\u{1f600}\"");
    }
}
